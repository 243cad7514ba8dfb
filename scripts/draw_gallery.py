"""Make docs/gallery.md: pictures of Caltech-101 and MNIST, each below the command that draws it.

    python scripts/draw_gallery.py

The commands are run as they stand there, in a folder of the cache where the two collections are kept, so that
another run only draws. A command that cannot be run here, such as for want of a data set, stands on the page
with what it said.
"""

from __future__ import annotations

import html
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lookalike.system.cache import cache_folder

HOME = Path(__file__).parents[1]
PICTURES = HOME / "docs/gallery"
WORK = cache_folder() / "gallery"

INTRODUCTION = """# Gallery

Every picture here was drawn by the command above it, when these pages were built. The photos are those of
[Caltech-101](https://doi.org/10.22002/D1.20086) (Li, Andreeto, Ranzato, Perona; CC BY 4.0): 8,677 in 101
classes, described by `lite0-int8`, which has never seen a label of them. The digits are MNIST's 70,000,
described by their pixels.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A command of the gallery.

    Attributes
    ----------
    title : str
        Above it; empty where it goes on with the one before.
    command : str
        As a shell takes it.
    pictures : tuple of str
        What it draws.
    """

    title: str
    command: str
    pictures: tuple[str, ...] = ()


STEPS = (
    Step("Photos, indexed", "lookalike index --dataset caltech-101 -c caltech"),
    Step(
        "Search",
        "lookalike search caltech-101/sea_horse/image_0003.jpg -c caltech --plot search.png",
        ("search.png",),
    ),
    Step(
        "",
        "lookalike search caltech-101/ferry/image_0010.jpg -c caltech --dark --plot dark.png",
        ("dark.png",),
    ),
    Step("Clusters", "lookalike cluster make -k 101 -c caltech --plot clusters.png", ("clusters.png",)),
    Step("", "lookalike cluster try -k 10-300 -c caltech --plot numbers.png", ("numbers.png",)),
    Step("Maps", "lookalike map -c caltech -o labels.png", ("labels.png",)),
    Step("", "lookalike map --color cluster --dark -c caltech -o map-clusters.png", ("map-clusters.png",)),
    Step("", "lookalike map --style images -c caltech -o images.png", ("images.png",)),
    Step("", "lookalike map --style tiles -c caltech -o tiles.png", ("tiles.png",)),
    Step("", "lookalike map --method pca -c caltech -o pca.png", ("pca.png",)),
    Step(
        "Measures",
        "lookalike evaluate -c caltech --worst 6 --plot worst.png --confusion confusion.png",
        ("worst.png", "confusion.png"),
    ),
    Step("", "lookalike reduce 0.95 -c caltech --plot scree.png", ("scree.png",)),
    Step("", "lookalike bench -c caltech --plot bench.png", ("bench.png",)),
    Step(
        "Before PCA and after, by three indexes",
        "python examples/caltech_before_after_pca.py before-after",
        tuple(f"before-after/caltech-{kind}.png" for kind in ("exact", "annoy", "kmeans-tree")),
    ),
    Step("Digits, indexed", "lookalike index --dataset mnist --model pixels-28-grey -c mnist"),
    Step("", "lookalike search mnist:test/42 --split train -c mnist --plot digits.png", ("digits.png",)),
    Step("", "lookalike map -c mnist -o digits-map.png", ("digits-map.png",)),
    Step("", "lookalike map --style tiles -c mnist -o digits-tiles.png", ("digits-tiles.png",)),
    Step(
        "Digits by two classical trees",
        "python examples/mnist_trees.py trees",
        ("trees/mnist-trees.png", "trees/mnist-leaves.png"),
    ),
)


def main() -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.rmtree(PICTURES, ignore_errors=True)
    WORK.mkdir(parents=True)
    PICTURES.mkdir()
    lines = [INTRODUCTION]
    for step in STEPS:
        print(step.command, flush=True)
        lines += [f"## {step.title}\n"] if step.title else []
        lines.append(f"    {step.command}\n")
        done = subprocess.run(argv_of(step.command), cwd=WORK, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()[-1:]
            lines.append(f"*Not here: {html.escape(' '.join(said))}*\n")
            print(*said, file=sys.stderr)
            continue
        link_photos()
        for picture in step.pictures:
            name = Path(picture).name
            shutil.copyfile(WORK / picture, PICTURES / name)
            lines.append(f"![{html.escape(step.command)}](gallery/{name})\n")
    (HOME / "docs/gallery.md").write_text("\n".join(lines), encoding="utf-8")


def argv_of(command: str) -> list[str]:
    """Return what the command runs here: this Python, and the files of this checkout."""
    program, *words = shlex.split(command)
    words = [str(HOME / word) if word.startswith("examples/") else word for word in words]
    return [sys.executable, *(["-m", "lookalike"] if program == "lookalike" else []), *words]


def link_photos() -> None:
    """Let the photos be named by short paths, as soon as it is known where they are."""
    from lookalike.datasets import caltech101

    found, link = caltech101.find(), WORK / "caltech-101"
    if found is not None and not link.is_symlink():
        os.symlink(found.root, link)


if __name__ == "__main__":
    main()
