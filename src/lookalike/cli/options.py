"""Options that several commands share, alone or as a group: a command has one value of each group."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import check_pictures, print_json, save_picture, say
from lookalike.cli.option_groups import Fields
from lookalike.cli.saving import SAID, Saveable, check_saving, save
from lookalike.cluster.algorithms import (
    ALGORITHMS,
    DEFAULT_ALGORITHM,
    MIN_SAMPLES,
    algorithm_names,
    algorithms_that_take,
)
from lookalike.errors import InvalidInputError
from lookalike.plots.map_styles import DEFAULT_STYLE, MAP_STYLES, MapStyle, get_style, style_names
from lookalike.projection.methods import DEFAULT_METHOD, MAP_METHODS, PERPLEXITY, method_names
from lookalike.system.limits import PICTURE_SECONDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPLITS = "Splits of a data set"
_BY_DENSITY = " and ".join(row.name for row in ALGORITHMS if row.is_by_density)
_IN_BATCHES = ", ".join(row.name for row in ALGORITHMS if row.in_batches is not None)
_DRAW = "Draw it"


def _that_take(parameter: str) -> str:
    return ", ".join(algorithms_that_take([parameter]))


def option(help: str, *names: str, **told: Any) -> Any:  # noqa: A002
    """Return an option that needs no default in its help: it has none, or the help says it."""
    return typer.Option(*names, help=help, show_default=False, **told)


def argument(help: str, metavar: str) -> Any:  # noqa: A002
    """Return an argument that need not be given: its help says what is meant then."""
    return typer.Argument(metavar=metavar, help=help, show_default=False)


CollectionOption = Annotated[
    Path | None,
    option(
        "The folder that holds the collection's .lookalike. By default it is looked for here and above.",
        "-c",
        "--collection",
        metavar="DIR",
    ),
]
ModelOption = Annotated[
    str | None,
    option("Which of the collection's models, by name or ONNX file; its own by default.", metavar="MODEL"),
]
FilepathOnlyOption = Annotated[
    bool, typer.Option("-f", "--filepath-only", help="Print paths only, one a line, for other programs.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else there.")
]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print no progress and no summary.")]
DarkOption = Annotated[bool, typer.Option("--dark", help="Draw pictures on dark paper.")]
ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Write over what is there, even if lookalike did not make it."),
]
DeviceOption = Annotated[
    str | None,
    option(
        "Where the network runs: cpu, cuda, openvino or coreml. By default an Nvidia GPU that ONNX Runtime"
        " can use, else the processor.",
        metavar="DEVICE",
    ),
]
WaitOption = Annotated[
    bool | None,
    option(
        "Wait for another that writes to the collection, as long as it takes, or not at all. By default it"
        " waits on a terminal only.",
        "--wait/--no-wait",
    ),
]
JobsOption = Annotated[
    int | None,
    option("Images in work at once; by default the number of cores.", "-j", "--jobs", metavar="N", min=1),
]
PictureSecondsOption = Annotated[
    float | None,
    option(
        f"Stop an image that takes longer to decode; {PICTURE_SECONDS:g} by default.",
        metavar="SECONDS",
    ),
]
SeedOption = Annotated[
    int | None, option("The same images and number give the same result; 0 by default.", metavar="SEED")
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Which.")]
ClusteringArgument = Annotated[
    str | None, argument(f"Which; by default {DEFAULT_ALGORITHM}, or the only ones that there are.", "NAME")
]
AlgorithmOption = Annotated[
    str | None,
    option(
        f"How; {DEFAULT_ALGORITHM} by default. {_BY_DENSITY} find the number of clusters, and leave noise.",
        metavar="|".join(algorithm_names()),
    ),
]
MinSamplesOption = Annotated[
    int | None,
    option(
        f"{_that_take('min_samples')}: images that make a dense place; by default {MIN_SAMPLES}.",
        metavar="N",
    ),
]


@dataclass(frozen=True, slots=True)
class Output:
    """How a command tells what it has done."""

    json: JsonOption = False
    quiet: QuietOption = False

    @property
    def is_silent(self) -> bool:
        """Whether progress would disturb."""
        return self.json or self.quiet

    def tell(self, document: dict[str, Any], line: str) -> None:
        """Print what was done, as was asked: a document for programs, a line for people, or nothing."""
        if self.json:
            print_json(document)
        elif not self.quiet:
            say(line)


SaveOption = Annotated[Path | None, option(SAID, "-o", "--output", metavar="FILE")]


@dataclass(frozen=True, slots=True)
class Picture:
    """What is saved beside what is printed: a picture, or what the ending of a file says."""

    plot: Annotated[
        Path | None, option("Also save the result as a picture (.png, .svg, .pdf, .jpg).", metavar="FILE")
    ] = None
    output: SaveOption = None
    dark: DarkOption = False
    force: ForceOption = False

    def check(self) -> None:
        """Raise LookalikeError if it cannot be saved."""
        check_saving(self.output, self.plot, dark=self.dark, force=self.force)

    def check_drawn(self) -> None:
        """Raise LookalikeError if it cannot be saved, which is only ever drawn."""
        check_pictures(self.plot, self.output, dark=self.dark, force=self.force)

    def save(self, made: Saveable) -> None:
        """Save it, if it is wanted."""
        if self.plot is not None and made.draw is not None:
            save_picture(made.draw, self.plot, dark=self.dark, force=self.force)
        save(self.output, made, dark=self.dark, force=self.force)

    def save_drawn(self, draw: Callable[[], Figure]) -> None:
        """Draw and save it, if it is wanted."""
        for file in (self.plot, self.output):
            if file is not None:
                save_picture(draw, file, dark=self.dark, force=self.force)


def picture_of(what: str) -> Fields:
    """Return the options of a `Picture` of something: ``Annotated[Picture, picture_of("Save …")]``."""
    plot = Annotated[Path | None, option(f"{what} (.png, .svg, .pdf, .jpg).", metavar="FILE")]
    return Fields(plot=plot, output=SaveOption, dark=DarkOption, force=ForceOption)


def drawing_of(what: str) -> Fields:
    """Return the options of a `Picture` of something that is only ever drawn, as of `picture_of`."""
    drawn = f"{what} (.png, .svg, .pdf, .jpg)."
    both = Annotated[Path | None, option(drawn, "-o", "--output", "--plot", metavar="FILE")]
    return Fields(output=both, dark=DarkOption, force=ForceOption)


@dataclass(frozen=True, slots=True)
class Splits:
    """Of which splits of a data set the queries are, and the images that are searched."""

    query_split: Annotated[
        str | None,
        option(
            "The queries are images of this split, and none of it is searched.",
            metavar="train|test",
            rich_help_panel=_SPLITS,
        ),
    ] = None
    gallery_split: Annotated[
        str | None,
        option("Search only images of this split.", metavar="train|test", rich_help_panel=_SPLITS),
    ] = None


@dataclass(frozen=True, slots=True)
class ClusterMaking:
    """What clusters are to be made."""

    algorithm: AlgorithmOption = None
    k: Annotated[
        str | None,
        option(
            "How many clusters; by default the root of half the number of images, 2 to 100.",
            "-k",
            metavar="N",
        ),
    ] = None
    eps: Annotated[
        float | None,
        option(
            f"{_that_take('eps')}: how far neighbours may be; by default found from the distances.",
            metavar="DISTANCE",
        ),
    ] = None
    min_samples: MinSamplesOption = None
    min_cluster_size: Annotated[
        int | None,
        option(
            f"{_that_take('min_cluster_size')}: what is smaller is noise; by default {MIN_SAMPLES}.",
            metavar="N",
        ),
    ] = None
    model: ModelOption = None
    random_state: SeedOption = None
    in_batches: Annotated[
        bool,
        typer.Option(
            "--in-batches",
            help=f"{_IN_BATCHES}: read vectors from the disk again and again, to take little memory. Done by"
            " itself where they would not fit.",
        ),
    ] = False
    fold: Annotated[
        bool,
        typer.Option(
            "--fold",
            help="Let near-duplicates that `duplicates` found count once; they come into one cluster.",
        ),
    ] = False

    def arguments(self) -> dict[str, Any]:
        """Return what was given, as the library takes it."""
        return given(self) | ({} if self.k is None else {"k": _number("-k", self.k)})


@dataclass(frozen=True, slots=True)
class ClusterChanges:
    """Changes of clusters that are there."""

    rename: Annotated[
        list[str] | None,
        option("Name a cluster, known by number or name; may be repeated.", metavar="CLUSTER=NEW"),
    ] = None
    merge: Annotated[list[str] | None, option("Make clusters one; may be repeated.", metavar="A,B,…")] = None
    move: Annotated[
        list[str] | None,
        option("Put an image into another cluster, or into noise; may be repeated.", metavar="IMAGE=CLUSTER"),
    ] = None
    assign: Annotated[
        bool,
        typer.Option("--assign", help="Put images that came later into the clusters that are there."),
    ] = False

    def arguments(self) -> dict[str, Any]:
        """Return the changes as the library takes them."""
        return {
            "rename": [_pair("--rename", words, "CLUSTER=NEW") for words in self.rename or []],
            "merge": [[word.strip() for word in words.split(",")] for words in self.merge or []],
            "move": [_pair("--move", words, "IMAGE=CLUSTER") for words in self.move or []],
            "assign": self.assign,
        }


@dataclass(frozen=True, slots=True)
class MapMaking:
    """What map is to be made."""

    method: Annotated[
        str | None,
        option(
            f"How; {DEFAULT_METHOD} by default."
            + "".join(f" {row.name} needs an extra." for row in MAP_METHODS if row.extra),
            metavar="|".join(method_names()),
        ),
    ] = None
    model: ModelOption = None
    perplexity: Annotated[
        float | None,
        option(
            f"{', '.join(row.name for row in MAP_METHODS if row.takes_perplexity)}: about how many neighbours"
            f" each image has; {PERPLEXITY:g} by default, less for few images.",
            metavar="NUMBER",
        ),
    ] = None
    random_state: SeedOption = None
    fold: Annotated[
        bool,
        typer.Option(
            "--fold", help="Let near-duplicates that `duplicates` found count once; they come into one place."
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class MapDrawing:
    """How a map is to be drawn."""

    output: Annotated[
        Path | None,
        option(
            SAID,
            "-o",
            "--output",
            metavar="FILE",
            rich_help_panel=_DRAW,
        ),
    ] = None
    style: Annotated[
        str,
        typer.Option(
            metavar="|".join(style_names()),
            help=f"{'; '.join(row.words for row in MAP_STYLES)}.",
            rich_help_panel=_DRAW,
        ),
    ] = DEFAULT_STYLE
    color: Annotated[
        str | None,
        option(
            "What colours tell: labels, clusters, or those of the clustering NAME. By default labels, if"
            " there are any, else clusters; of images and tiles nothing.",
            metavar="label|cluster|none|NAME",
            rich_help_panel=_DRAW,
        ),
    ] = None
    size: Annotated[
        str | None,
        option(
            "Of the picture, pixels: hd, the default, is 1920x1080.",
            metavar="hd|4k|WxH",
            rich_help_panel=_DRAW,
        ),
    ] = None
    max_tiles: Annotated[
        int | None,
        option(
            "tiles: how many images at most; by default as many as can be made out.",
            metavar="N",
            min=1,
            rich_help_panel=_DRAW,
        ),
    ] = None
    dark: DarkOption = False
    force: ForceOption = False

    @property
    def drawn_as(self) -> MapStyle:
        """The row of the style."""
        return get_style(self.style)

    def as_given(self) -> dict[str, Any]:
        """Return what was given, by the names that `spelled` takes."""
        style = None if self.style == DEFAULT_STYLE else self.style
        return {"o": self.output} | given(dataclasses.replace(self, output=None)) | {"style": style}

    def check(self) -> None:
        """Raise LookalikeError if it cannot be drawn so, or there."""
        if not self.drawn_as.has_tiles and self.max_tiles is not None:
            raise InvalidInputError("--max-tiles is for --style tiles")
        check_saving(self.output, dark=self.dark, force=self.force)
        if self.output is not None and self.size is not None:
            from lookalike.plots import read_size

            read_size(self.size)


def given(group: Any) -> dict[str, Any]:
    """Return the fields of a group that were given: the others have the library's defaults.

    >>> given(MapMaking(method="pca"))
    {'method': 'pca'}
    """
    values = {field.name: getattr(group, field.name) for field in dataclasses.fields(group)}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def only_given(**options: Any) -> dict[str, Any]:
    """Return the options that were given: the others have the library's defaults."""
    return {name: value for name, value in options.items() if value is not None}


def spelled(*words: str, **options: object) -> str:
    """Write a command: what is None, False or empty is left out.

    >>> spelled("cluster", "edit", "my groups", rename=["3=owls", "4=cats"], assign=True, k=None)
    "lookalike cluster edit 'my groups' --rename 3=owls --rename 4=cats --assign"
    """
    line = ["lookalike", *words]
    for name, value in options.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None and each is not False:
                line += [flag_of(name)] if each is True else [flag_of(name), str(each)]
    return shlex.join(line)


def flag_of(name: str) -> str:
    """Write an option's name as it is typed.

    >>> flag_of("k"), flag_of("min_samples")
    ('-k', '--min-samples')
    """
    return f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"


def _pair(option: str, words: str, expected: str) -> tuple[str, str]:
    before, sign, after = words.rpartition("=")
    if not sign or not before.strip():
        raise InvalidInputError(f"{option} is {words!r}; expected {expected}")
    return before.strip(), after.strip()


def _number(option: str, words: str) -> int:
    try:
        return int(words)
    except ValueError:
        raise InvalidInputError(
            f"{option} is {words!r}; expected a whole number; several are tried with `lookalike cluster try`"
        ) from None
