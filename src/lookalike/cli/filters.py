"""Which images a command is about: options that several share, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, cast

from lookalike.cli.options import option
from lookalike.errors import InvalidInputError

if TYPE_CHECKING:
    from lookalike.query.conditions import ClusterRef, FieldCondition
    from lookalike.query.filter import Filter, Shape

_FILTERS = "Filters"
SPELLED: Mapping[str, str] = MappingProxyType(
    {
        "cameras": "camera",
        "clusters": "cluster",
        "fields": "field",
        "folders": "in",
        "formats": "format",
        "keywords": "keyword",
        "labels": "label",
        "lenses": "lens",
        "not_folders": "not-in",
        "not_labels": "not-label",
        "not_sets": "not-set",
        "not_tags": "not-tag",
        "sets": "set",
        "shapes": "shape",
        "tags": "tag",
        "without": "not",
    }
)
"""Options that are not called as the fields are that hold them."""


def _filter(help: str, *names: str, metavar: str) -> Any:  # noqa: A002
    return option(help, *names, metavar=metavar, rich_help_panel=_FILTERS)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which images are looked for at all."""

    split: Annotated[str | None, _filter("Only among this split of a data set.", metavar="train|test")] = None
    min_size: Annotated[float | None, _filter("Shorter side at least this.", metavar="PIXELS")] = None
    max_size: Annotated[float | None, _filter("Shorter side at most this.", metavar="PIXELS")] = None
    shapes: Annotated[
        list[str] | None,
        _filter(
            "Square: sides within 5 %. May be repeated: any of them.",
            "--shape",
            metavar="landscape|portrait|square",
        ),
    ] = None
    min_sharpness: Annotated[
        float | None,
        _filter("Sharpness at least this; `lookalike info` shows what is usual.", metavar="NUMBER"),
    ] = None
    after: Annotated[
        str | None,
        _filter(
            "Taken then or later: a year, month, day or time, as 2019, 2019-05, 2019-05-04 or"
            " '2019-05-04 12:30'.",
            metavar="DATE",
        ),
    ] = None
    before: Annotated[
        str | None,
        _filter("Taken earlier: before that year, month, day or time begins.", metavar="DATE"),
    ] = None
    cameras: Annotated[
        list[str] | None,
        _filter(
            "Part of the camera's name, as canon; may be repeated: any of them.", "--camera", metavar="NAME"
        ),
    ] = None
    lenses: Annotated[
        list[str] | None,
        _filter("Part of the lens's name; may be repeated: any of them.", "--lens", metavar="NAME"),
    ] = None
    keywords: Annotated[
        list[str] | None,
        _filter("With this keyword; may be repeated: any of them.", "--keyword", metavar="WORD"),
    ] = None
    min_rating: Annotated[float | None, _filter("Rated at least so many stars, 1 to 5.", metavar="STARS")] = (
        None
    )
    near: Annotated[
        str | None,
        _filter(
            "Taken at most KM kilometres from there, in degrees, south and west negative: 48.858,2.294,5.",
            metavar="LAT,LON,KM",
        ),
    ] = None
    formats: Annotated[
        list[str] | None,
        _filter("jpeg, png, …; may be repeated: any of them.", "--format", metavar="NAME"),
    ] = None
    labels: Annotated[
        list[str] | None,
        _filter(
            "Of a folder, a data set, or a cluster that you named. May be repeated: any of them.",
            "--label",
            metavar="LABEL",
        ),
    ] = None
    folders: Annotated[
        list[str] | None,
        _filter("Only images below this folder; may be repeated: any of them.", "--in", metavar="FOLDER"),
    ] = None
    sets: Annotated[
        list[str] | None,
        _filter("In this set; may be repeated: any of them.", "--set", metavar="NAME"),
    ] = None
    tags: Annotated[
        list[str] | None,
        _filter("With this tag of yours; may be repeated: any of them.", "--tag", metavar="TAG"),
    ] = None
    fields: Annotated[
        list[str] | None,
        _filter(
            "Where a field of yours has a value, or lies between two: shop=Berlin, price=3..5, price=..5."
            " May be repeated: values of one field are any of them, different fields all of them.",
            "--field",
            metavar="NAME=VALUE|NAME=MIN..MAX",
        ),
    ] = None
    clusters: Annotated[
        list[str] | None,
        _filter(
            "In this cluster, by its number: see lookalike cluster show; may be repeated: any of them.",
            "--cluster",
            metavar="CLUSTERING/NUMBER",
        ),
    ] = None
    not_labels: Annotated[
        list[str] | None, _filter("Not with this label; may be repeated.", "--not-label", metavar="LABEL")
    ] = None
    not_folders: Annotated[
        list[str] | None,
        _filter("Nothing that lies below this folder; may be repeated.", "--not-in", metavar="FOLDER"),
    ] = None
    not_sets: Annotated[
        list[str] | None, _filter("Not in this set; may be repeated.", "--not-set", metavar="NAME")
    ] = None
    not_tags: Annotated[
        list[str] | None, _filter("Not with this tag; may be repeated.", "--not-tag", metavar="TAG")
    ] = None

    def where(self) -> Filter:
        """Return those that are about the images alone."""
        from lookalike.dates import last_before
        from lookalike.query.filter import Filter

        return Filter(
            min_size=self.min_size,
            max_size=self.max_size,
            shape=cast("Sequence[Shape]", self.shapes or ()),
            split=self.split,
            min_sharpness=self.min_sharpness,
            min_date=self.after,
            max_date=None if self.before is None else last_before("the date (before)", self.before),
            cameras=self.cameras or (),
            lenses=self.lenses or (),
            keywords=self.keywords or (),
            min_rating=self.min_rating,
            near=None if self.near is None else _read_near(self.near),
            formats=self.formats or (),
            labels=self.labels or (),
            folders=self.folders or (),
            sets=self.sets or (),
            tags=self.tags or (),
            fields=_read_fields(self.fields or ()),
            clusters=[_read_cluster(words) for words in self.clusters or ()],
            excluding=[
                Filter.from_dict({name: given})
                for name, given in (
                    ("labels", self.not_labels),
                    ("folders", self.not_folders),
                    ("sets", self.not_sets),
                    ("tags", self.not_tags),
                )
                if given
            ],
        )


@dataclass(frozen=True, slots=True)
class SearchFilters(Filters):
    """Which images a search looks for at all."""

    color: Annotated[
        list[str] | None,
        _filter(
            "Only images with this colour: '#c33', tomato, …; without QUERY, those with most of it first."
            " May be repeated: all must be there.",
            "--color",
            "--colour",
            metavar="COLOR",
        ),
    ] = None
    same_cluster: Annotated[
        str | None,
        _filter("Only in the query's own cluster of this clustering: see lookalike cluster.", metavar="NAME"),
    ] = None


def _read_fields(asked: Sequence[str]) -> list[FieldCondition]:
    """Read NAME=VALUE and NAME=MIN..MAX; of one name several values are one condition."""
    from lookalike.query.conditions import FieldCondition

    found: list[FieldCondition] = []
    values: dict[str, list[str]] = {}
    for words in asked:
        name, sign, value = words.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise InvalidInputError(
                f"--field is {words!r}; expected a name and a value, as in shop=Berlin, or a range, as in"
                " price=3..5"
            )
        low, dots, high = value.partition("..")
        if dots and (low.strip() or high.strip()):
            found.append(FieldCondition(name.strip(), (), low.strip() or None, high.strip() or None))
        else:
            values.setdefault(name.strip(), []).append(value.strip())
    return found + [FieldCondition(name, several) for name, several in values.items()]


def _read_cluster(words: str) -> ClusterRef:
    """Read CLUSTERING/CLUSTER."""
    from lookalike.query.conditions import ClusterRef

    name, sign, number = words.rpartition("/")
    try:
        if not sign or not name.strip():
            raise ValueError(words)
        return ClusterRef(name.strip(), int(number))
    except ValueError:
        raise InvalidInputError(
            f"--cluster is {words!r}; expected a clustering and the number of a cluster, as in kmeans/3"
        ) from None


def _read_near(near: str) -> tuple[float, float, float]:
    """Read LAT,LON,KM."""
    try:
        latitude, longitude, radius = map(float, near.split(","))
    except ValueError:
        raise InvalidInputError(
            f"--near is {near!r}; expected a latitude, a longitude and a distance in kilometres, as in"
            " 48.858,2.294,5"
        ) from None
    return latitude, longitude, radius
