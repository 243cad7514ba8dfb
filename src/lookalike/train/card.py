"""The card of a model that was trained: on what, how, and how good it is; as JSON and as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lookalike.train.progress import Epoch
from lookalike.types import Metric

NOT_MEASURED = "not measured: no two test images that can be read are of one class"


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a model.

    Attributes
    ----------
    model, title : str
    dimension : int
    metric : {"cosine", "euclidean"}
    size : int
        Side of the image that it sees, pixels.
    made_with : mapping
        Versions of lookalike and torch, and the device.
    settings : mapping
        All that was asked for, the seed included.
    images : mapping of str to int
        How many are in each part of the split: train, validation, test.
    classes : int or None
        How many labels there are.
    labels : str
        Where they are from, in words; empty without.
    epochs : tuple of Epoch
    best_epoch : int
        Whose weights were kept; from 1.
    seconds : float
        That all epochs took.
    measures : mapping of str to mapping of str to float
        Of the test images, or those held out: by model, then by measure.
    queries : int
        How many images the measures were taken on.
    unreadable : int
        Images that could not be read, and were passed over.
    failures : tuple of str
        The first few of them, with the reasons.
    int8 : str or None
        The model's 8-bit form, a model of its own; None where it has none.
    is_int8_used : bool
        Whether images are embedded with that; else it loses too much.
    """

    model: str
    title: str
    dimension: int
    metric: Metric
    size: int
    made_with: Mapping[str, str]
    settings: Mapping[str, Any]
    images: Mapping[str, int]
    classes: int | None
    labels: str
    epochs: tuple[Epoch, ...]
    best_epoch: int
    measures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    queries: int = 0
    unreadable: int = 0
    failures: tuple[str, ...] = ()
    int8: str | None = None
    is_int8_used: bool = False

    @property
    def used(self) -> str:
        """The name of the form that images are embedded with."""
        return self.int8 if self.int8 is not None and self.is_int8_used else self.model

    @property
    def seconds(self) -> float:
        """How long all epochs took."""
        return sum(epoch.seconds for epoch in self.epochs)

    @property
    def held_out_loss(self) -> float | None:
        """The loss of the weights that were kept, on the images held out."""
        return self.epochs[self.best_epoch - 1].held_out_loss

    def document(self) -> dict[str, Any]:
        """Return the card as a JSON document."""
        return {**asdict(self), "held_out_loss": self.held_out_loss, "seconds": round(self.seconds, 1)}

    def to_json(self) -> bytes:
        """Return the card as a JSON file."""
        return (json.dumps(self.document(), indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")

    def to_markdown(self) -> bytes:
        """Return the card as text that people read."""
        purposes = {"train": "learn from", "validation": "tell when to stop", "test": "measure with"}
        if self.classes is None:
            purposes["test"] = "leave alone, a data set's test split"
        lines = [
            f"# {self.model}",
            "",
            f"{self.title}. {self.dimension:,} numbers, compared by {self.metric}; it sees {self.size} ×"
            f" {self.size} pixels.",
            "",
            "## Data",
            "",
            "Images: "
            + ", ".join(f"{count:,} to {purposes[part]}" for part, count in self.images.items() if count)
            + ".",
        ]
        if self.classes is not None:
            lines.append(f"{self.classes:,} classes; labels from {self.labels}.")
        if self.unreadable:
            lines.append(f"{self.unreadable:,} of them could not be read, and were passed over:")
            lines += ["", *(f"- {failure}" for failure in self.failures), ""]
        lines += [
            f"`{self.model}.split.csv` says which image is in which part.",
            "",
            "## How it was trained",
            "",
            "| setting | |",
            "|---|---|",
            *(f"| {key} | {'' if value is None else value} |" for key, value in self.settings.items()),
            *(f"| {key} | {value} |" for key, value in self.made_with.items()),
            "",
            "| epoch | loss | held-out loss | seconds |",
            "|---|---|---|---|",
        ]
        for number, epoch in enumerate(self.epochs, start=1):
            held_out = "" if epoch.held_out_loss is None else f"{epoch.held_out_loss:.5f}"
            kept = " (kept)" if number == self.best_epoch else ""
            lines.append(f"| {number}{kept} | {epoch.loss:.5f} | {held_out} | {epoch.seconds:.1f} |")
        if self.measures:
            names = list(next(iter(self.measures.values())))
            lines += [
                "",
                "## How good it is",
                "",
                f"Measured on {self.queries:,} images that it never learned from.",
                "",
                f"| model | {' | '.join(names)} |",
                "|---" * (len(names) + 1) + "|",
                *(
                    f"| {model} | {' | '.join(f'{found[name]:.4f}' for name in names)} |"
                    for model, found in self.measures.items()
                ),
            ]
        elif self.classes is not None:
            lines += ["", "## How good it is", "", f"{NOT_MEASURED[:1].upper()}{NOT_MEASURED[1:]}."]
        if self.int8 is not None:
            which = "it is used" if self.is_int8_used else f"it finds less well, and {self.model} is used"
            lines += ["", f"`{self.int8}` is the same network in 8-bit numbers, twice as fast: {which}."]
        return ("\n".join(lines) + "\n").encode("utf-8", "replace")
