"""Collections of 1, 2, 5 images, equal ones, without labels: every command answers, or says why not."""

import json
from pathlib import Path

import pytest
from PIL.PngImagePlugin import PngInfo

from lookalike import Collection
from lookalike.cli import main
from pictures import picture

COMMANDS = (
    "info",
    "search ONE --plot a.png",
    "cluster --plot a.png",
    "cluster --algorithm hierarchical",
    "cluster --algorithm dbscan",
    "cluster --algorithm hdbscan",
    "cluster --algorithm spectral",
    "cluster --algorithm agglomerative",
    "cluster try --plot a.png",
    "cluster try --algorithm dbscan",
    "search ONE --same-cluster kmeans",
    "map --method pca -o a.png",
    "map -o a.png",
    "map --style images -o a.png",
    "map --style tiles -o a.png",
    "evaluate --plot a.png --confusion b.png",
    "reduce 0.95 --plot a.png",
    "bench --index exact --index kmeans-tree --plot a.png",
)

REFUSED = {
    "one": {"cluster": "only 1 image", "same-cluster": "no clustering 'kmeans'", "evaluate": "only 1 image"}
    | {"reduce": "only 1 image", "bench": "expected at least 2"},
    "two": {"try --plot": "only 2 images", "evaluate": "no image has another of its label"},
    "five": {},
    "equal": {"cluster": "all 5 images have the same vector", "same-cluster": "no clustering 'kmeans'"}
    | {"reduce": "all vectors are equal"},
    "unlabelled": {"evaluate": "has a label; give"},
}
"""What each collection cannot do: words of the command, and of what is said. The last that fits counts."""


def make(kind: str, folder: Path) -> None:
    count = {"one": 1, "two": 2}.get(kind, 5)
    for number in range(count):
        place = folder if kind == "unlabelled" else folder / ("cats" if number % 2 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        note = PngInfo()
        note.add_text("number", str(number))  # so that equal pictures are not one image
        picture(0 if kind == "equal" else number).save(place / f"{number}.png", pnginfo=note)


_EMPTY = ("no other images in the collection", "no image passes the filters")
"""What is said where nothing is found."""


@pytest.mark.parametrize("kind", REFUSED)
def test_every_command_answers_or_says_why_not_in_one_line(kind, tmp_path, monkeypatch, capfd):
    folder = tmp_path / "tiny"
    folder.mkdir()
    make(kind, folder)
    Collection.create(folder, model="pixels-8-grey").sync()
    monkeypatch.chdir(tmp_path)
    (one,) = folder.rglob("0.png")
    for command in COMMANDS:
        with pytest.raises(SystemExit) as left:
            main([*(str(one) if word == "ONE" else word for word in command.split()), "-c", "tiny"])
        out, err = capfd.readouterr()
        said = [why for words, why in REFUSED[kind].items() if words in command]
        pictures = [Path(word) for word in command.split() if word.endswith(".png")]
        if said:
            assert left.value.code == 2, command
            assert (out, err.count("\n")) == ("", 1), command
            assert said[-1] in err, command
        else:
            assert not left.value.code, (command, err)
            assert all(line.startswith(("saved ", *_EMPTY)) for line in err.splitlines()), (command, err)
            assert all(file.stat().st_size > 1_000 for file in pictures), command
        for file in pictures:
            file.unlink(missing_ok=True)


def test_equal_images_lie_at_one_point_and_one_image_finds_nothing(tmp_path, monkeypatch, capfd):
    for kind in ("equal", "one"):
        (tmp_path / kind).mkdir()
        make(kind, tmp_path / kind)
    equal = Collection.create(tmp_path / "equal", model="pixels-8-grey")
    equal.sync()
    points = equal.maps.make().points
    assert (points == points[0]).all()
    one = Collection.create(tmp_path / "one", model="pixels-8-grey")
    one.sync()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["search", "one/dogs/0.png", "-c", "one", "--json"])
    assert json.loads(capfd.readouterr().out)["hits"] == []
