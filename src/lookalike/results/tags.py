"""What pictures show, as a network takes them, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tag:
    """A word for what is to be seen.

    Attributes
    ----------
    name : str
        Of a class of ImageNet; or, of a cluster, of several.
    probability : float
        That the picture shows it; of a cluster, the mean over its pictures.
    """

    name: str
    probability: float

    def __str__(self) -> str:
        return f"{self.name} {self.probability:.0%}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {"name": self.name, "probability": round(self.probability, 4)}
