"""How sure answers are: do probabilities come true, and is it noticed that nothing is like a query?

Every ninth picture is a query that is not in the collection; the others are, with their labels. Of each set
and model is told the expected calibration error (15 bins of equal width) of the first 1, 10 and 100 hits, by
what was learned of the collection's own labels, and by the usual curve, which knows none of them; the share
of false alarms among the queries; and how often "nothing" is said, with the area under the ROC curve, of
queries whose whole label was taken out, and of queries of another sort.

What was chosen (the share of the level in a probability, whitening and weights in familiarity, the usual
curve) was chosen with CIFAR-10, Fashion-MNIST and clip art. Caltech-101 and MNIST were looked at, but nothing
was fitted on them.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from benchmarks import report
from lookalike import Collection, datasets
from lookalike.embed import DEFAULT_MODEL, load_model
from lookalike.images.decode import read_image
from lookalike.index import Exact
from lookalike.pca import PCA
from lookalike.sureness.calibration_error import expected_calibration_error
from lookalike.sureness.familiarity import ALARM, CANDIDATES, nearness
from lookalike.sureness.isotonic import fit_isotonic
from lookalike.sureness.learning import Learnable, Sureness, learn
from lookalike.sureness.likelihood import USUAL, similarity_of
from lookalike.system.cache import cache_folder
from lookalike.types import Vectors

SEEDS = 3
DEPTHS = (1, 10, 100)
REDUCED_TO = 128
OTHERS = 400  # queries of another sort
N_OF = {"mnist": 1_500, "fashion-mnist": 1_500, "cifar-10": 1_500, "clip-art": 1_500, "documents": OTHERS}
CLIP_ART = Path("/usr/share/openclipart/png")

Labels = npt.NDArray[np.str_]
Doubles = npt.NDArray[np.float64]


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks sureness", description=__doc__)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument(
        "--sets", nargs="*", default=["caltech-101", "mnist", "fashion-mnist", "cifar-10", "clip-art"]
    )
    parser.add_argument(
        "--others", nargs="*", default=["clip-art", "mnist", "documents"], help="asked of photos"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument(
        "--finetuned",
        nargs=3,
        metavar=("COLLECTION", "MODEL", "LABELS"),
        help="a fine-tuned model, where it was trained, and the table of labels",
    )
    parser.add_argument("--usual", action="store_true", help="learn the usual curve instead, and print it")
    chosen = parser.parse_args(options)
    if chosen.usual:
        print(usual_curve(chosen.model))
        return
    figures: dict[str, Any] = dict(report.read("sureness"))
    others = {name: embedded(name, chosen.model)[0][:OTHERS] for name in chosen.others}
    for name in chosen.sets:
        vectors, labels = embedded(name, chosen.model)
        asked = others if name == "caltech-101" else {}
        figures[f"{name}, {chosen.model}"] = measured(vectors, labels, asked, chosen.seeds)
        reduced, others_reduced = _reduced(vectors, asked)
        key = f"{name}, {chosen.model}+pca{REDUCED_TO}"
        figures[key] = measured(reduced, labels, others_reduced, chosen.seeds)
        report.save("sureness", figures)
    if chosen.finetuned:
        folder, model, table = chosen.finetuned
        figures[f"{Path(table).stem}, {model}"] = measured(
            *of_collection(folder, model, table), {}, chosen.seeds
        )
        report.save("sureness", figures)


def measured(vectors: Vectors, labels: Labels, others: dict[str, Vectors], seeds: int) -> dict[str, Any]:
    """Return the figures of one set, in the mean of the seeds."""
    rounds = [_measure(vectors, labels, others, seed) for seed in range(seeds)]
    found = {name: round(float(np.mean([each[name] for each in rounds])), 4) for name in rounds[0]}
    print(found, flush=True)
    return {"pictures": len(vectors), "seeds": seeds, **found}


def _measure(vectors: Vectors, labels: Labels, others: dict[str, Vectors], seed: int) -> dict[str, float]:
    drawn = np.random.default_rng(seed).permutation(len(vectors))
    asked, kept = drawn[: len(drawn) // 9], np.sort(drawn[len(drawn) // 9 :])
    gallery, own = vectors[kept], labels[kept]
    ids = np.arange(len(gallery))
    index = Exact().build(gallery, ids)
    collection = Learnable(
        ids,
        gallery.shape[1],
        lambda some: gallery[some],
        lambda queries, k: index.search(queries, k, 1.0),
        "cosine",
    )
    some = np.sort(np.random.default_rng(seed).permutation(ids)[:8_192])
    codes = np.unique(own, return_inverse=True)[1]
    learned = learn(collection, some, codes[some], seed=seed)
    assert learned is not None
    unlabeled = replace(learned.likelihood, curve=USUAL)
    queries, wanted = vectors[asked], labels[asked]
    distances, rows = _nearest(queries, gallery, None)
    are_same = own[rows] == wanted[:, None]
    figures: dict[str, float] = {"P@10": are_same[:, :10].mean()}
    similar = similarity_of(distances, "cosine")
    level = similar[:, :10].mean(axis=1, keepdims=True)
    home = _familiar(learned, collection, queries, distances, rows)
    for name, likelihood in (("ECE", learned.likelihood), ("ECE without labels", unlabeled)):
        said = likelihood.of(similar, level) * np.minimum(1, home / ALARM)[:, None]
        for depth in DEPTHS:
            if depth <= similar.shape[1]:
                figures[f"{name}@{depth}"] = expected_calibration_error(
                    said[:, :depth].ravel(), are_same[:, :depth].ravel()
                )
    figures["false alarms"] = float((home < ALARM).mean())
    out = _familiar(learned, collection, queries, *_nearest(queries, gallery, own[None] == wanted[:, None]))
    strange_of = {"label taken out": out}
    for name, each in others.items():
        strange_of[name] = _familiar(learned, collection, each, *_nearest(each, gallery, None))
    for name, strange in strange_of.items():
        figures[f"{name}: nothing"] = float((strange < ALARM).mean())
        figures[f"{name}: AUROC"] = _area(home, strange)
        figures[f"{name}: at 5 %"] = float((strange < np.quantile(home, 0.05)).mean())
    cosines = similar[:, 0]  # what a raw cosine would tell
    taken = similarity_of(_nearest(queries, gallery, own[None] == wanted[:, None])[0], "cosine")[:, 0]
    figures["label taken out, by raw cosine: at 5 %"] = float((taken < np.quantile(cosines, 0.05)).mean())
    return figures


def _nearest(
    queries: Vectors, gallery: Vectors, without: npt.NDArray[np.bool_] | None
) -> tuple[Doubles, npt.NDArray[np.int64]]:
    """Return distances and rows of the hundred nearest, but for some."""
    distances = 1 - queries @ gallery.T
    if without is not None:
        distances[without] = 9
    rows = np.argsort(distances, axis=1)[:, : max(DEPTHS)]
    return np.take_along_axis(distances, rows, axis=1).astype(np.float64), rows


def _familiar(
    learned: Sureness,
    collection: Learnable,
    queries: Vectors,
    distances: Doubles,
    rows: npt.NDArray[np.int64],
) -> Doubles:
    """Return what share of the collection's own pictures are as strange as queries."""
    space = learned.familiarity.space
    first = rows[:, :CANDIDATES]
    dense = [
        space.relative_density(query, space.into(collection.take(ids)), ids)
        for query, ids in zip(space.into(queries), first, strict=True)
    ]
    return learned.familiarity.share([nearness(similarity_of(row, "cosine")) for row in distances], dense)


def _area(home: Doubles, strange: Doubles) -> float:
    """Return the area under the ROC curve: how often one at home is the more familiar; ties count half."""
    rising = np.sort(strange)
    below = np.searchsorted(rising, home, side="left") + np.searchsorted(rising, home, side="right")
    return float(below.mean() / (2 * len(strange)))


def _reduced(vectors: Vectors, others: dict[str, Vectors]) -> tuple[Vectors, dict[str, Vectors]]:
    pca = PCA(min(REDUCED_TO, len(vectors) - 1)).fit(vectors)
    return _unit(pca.transform(vectors)), {name: _unit(pca.transform(each)) for name, each in others.items()}


def _unit(rows: Vectors) -> Vectors:
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def embedded(name: str, model: str) -> tuple[Vectors, Labels]:
    """Return the vectors and labels of a set, which are kept below the cache."""
    file = cache_folder() / "benchmarks" / "sureness" / f"{name}-{model}.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        loaded = load_model(model)
        vectors, labels, prepared = [], [], []
        for picture, label in pictures(name):
            prepared.append(loaded.prepare(picture))
            labels.append(label)
            if len(prepared) == 16:
                vectors.append(loaded.embed(np.stack(prepared)))
                prepared.clear()
        if prepared:
            vectors.append(loaded.embed(np.stack(prepared)))
        np.savez(file, vectors=_unit(np.concatenate(vectors)), labels=np.array(labels))
    with np.load(file) as found:
        return found["vectors"], found["labels"]


def pictures(name: str) -> Iterator[tuple[Image.Image, str]]:
    """Yield the pictures of a set, and their labels."""
    if name == "caltech-101":
        for file in sorted(report.caltech101().glob("*/*.jpg")):
            if file.parent.name != "BACKGROUND_Google":
                yield read_image(file).image, file.parent.name
    elif name == "clip-art":
        files = sorted(CLIP_ART.rglob("*.png"))
        for file in np.random.default_rng(11).permutation(np.array(files))[: N_OF[name]].tolist():
            if file.stat().st_size < 1 << 20:
                yield read_image(file).image, file.relative_to(CLIP_ART).parts[0]
    elif name == "documents":
        for number in range(N_OF[name]):
            yield _page(np.random.default_rng(number)), "document"
    else:
        set_ = datasets.load(name)
        for pixels, label in zip(set_.test_X[: N_OF[name]], set_.test_y, strict=False):
            yield Image.fromarray(np.asarray(pixels)).convert("RGB"), set_.class_names[int(label)]


def _page(random: np.random.Generator) -> Image.Image:
    """Return a page of words, some of it in columns, some with a table."""
    page = Image.new("RGB", (600, 800), tuple(random.integers(235, 256, 3).tolist()))
    draw, y = ImageDraw.Draw(page), 40
    columns = int(random.integers(1, 3))
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    while y < 760:
        for column in range(columns):
            x, end = 40 + column * 270, 40 + (column + 1) * 520 // columns - 20
            words = (" ".join("".join(random.choice(letters, random.integers(2, 10))) for _ in range(14)))[
                : (end - x) // 6
            ]
            draw.text((x, y), words, fill=(20, 20, 20))
        y += int(random.choice([14, 14, 14, 30]))
    return page


def of_collection(folder: str, model: str, table: str) -> tuple[Vectors, Labels]:
    """Return the vectors of a collection's images, and their labels by a table of paths."""
    with open(table, encoding="utf-8", newline="") as stream:
        label_of = {row["path"]: row["label"] for row in csv.DictReader(stream)}
    hits, vectors = Collection.open(folder).vectors(model)
    rows = [row for row, hit in enumerate(hits) if hit.path in label_of]
    return _unit(vectors[rows]), np.array([label_of[hits[row].path] for row in rows])


def usual_curve(model: str) -> dict[str, list[float]]:
    """Return the curve that holds without labels, of the sets that things were chosen with."""
    places, are_same = [], []
    for name in ("cifar-10", "fashion-mnist", "clip-art"):
        vectors, labels = embedded(name, model)
        drawn = np.random.default_rng(0).permutation(len(vectors))
        queries, gallery = vectors[drawn[:400]], vectors[drawn[400:]]
        distances, rows = _nearest(queries, gallery, None)
        similar, strangers = 1 - distances, gallery[:1_000] @ gallery[-1_000:].T
        level = similar[:, :10].mean(axis=1, keepdims=True)
        places.append((similar - strangers.mean() - 0.5 * (level - strangers.mean())) / strangers.std())
        are_same.append(labels[drawn[400:]][rows] == labels[drawn[:400]][:, None])
    curve = fit_isotonic(np.concatenate(places).ravel(), np.concatenate(are_same).ravel())
    return {"u": USUAL.knots.tolist(), "probability": curve.at(USUAL.knots).round(2).tolist()}
