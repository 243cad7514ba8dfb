"""``lookalike info``: what a collection holds, or what it knows of some of its images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.console import is_for_person, naming_output, print_json, relative, say
from lookalike.cli.hints import advise
from lookalike.cli.locate import open_named
from lookalike.cli.options import CollectionOption, JsonOption, argument
from lookalike.errors import InvalidInputError
from lookalike.system.limits import THUMBNAIL_SIDE
from lookalike.system.wording import count_images, count_of, field_words

if TYPE_CHECKING:
    from lookalike.images.metadata.metadata import Metadata
    from lookalike.query.appearance import Appearance, Color
    from lookalike.query.facts import Facts
    from lookalike.results.clusterings import ClusteringInfo
    from lookalike.results.info import ImageInfo, Info

_SHOWN = 12
_NOT_KNOWN = "not known yet: run `lookalike index`"


def info(
    *,
    images: Annotated[
        list[str] | None,
        argument(
            "Images of the collection, files, mnist:test/42 or added:KEY, to tell about instead.", "IMAGE"
        ),
    ] = None,
    collection: CollectionOption = None,
    failures: Annotated[
        bool, typer.Option("--failures", help="List every image that could not be read, with the reason.")
    ] = False,
    notes: Annotated[
        bool,
        typer.Option("--notes", help="List every image of which a part is missing, with what that is."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say what the collection holds: images, models, labels, failures; or what it knows of an image."""
    from lookalike.collection import Collection

    if images:
        if failures or notes:
            flag = "--failures" if failures else "--notes"
            raise InvalidInputError(f"{flag} lists those of the whole collection; leave out the images")
        chosen = Collection.open_near(images, collection)
        known = [chosen.image_info(image) for image in images]
        if json:
            print_json({"images": [each.to_dict(relative, advise) for each in known]})
        else:
            for number, each in enumerate(known):
                if number:
                    say("")
                _print_image(each)
        return
    found = open_named(collection).info()
    if json:
        print_json(found.to_dict(relative, advise))
    elif failures or notes:
        listed = [(row.path, row.reason) for row in found.failures if failures]
        listed += [(row.path, row.note) for row in found.notes if notes]
        for path, why in listed:
            say(relative(path), why)
    else:
        _print(found)


def _print_image(image: ImageInfo) -> None:
    for number, path in enumerate(image.paths):
        say(f"{'also in' if number else 'image':<12}{relative(path)}")
    for key in image.keys:
        _say_fact("key", key)
    _say_fact("note", image.note)
    megapixels = f"{image.megapixels:,.1f} megapixels, " if image.megapixels >= 0.1 else ""
    about = f"{megapixels}{image.shape}, aspect {image.aspect:.2f}"
    _say_fact("size", f"{image.width:,} × {image.height:,}  ({about})")
    _say_fact("format", image.format)
    if image.knows_metadata:
        _print_metadata(image.metadata)
    else:
        _say_fact("metadata", _NOT_KNOWN)
    _say_fact("labels", ", ".join(image.labels))
    _say_fact("clusters", ", ".join(f"{name} ({clustering})" for clustering, name in image.clusters.items()))
    _say_fact("split", ", ".join(image.splits))
    if image.sharpness is not None:
        _print_colors(image.colors)
        _say_fact("sharpness", f"{image.sharpness:,.0f}")
    else:
        _say_fact("colours", _NOT_KNOWN)
    for name, value in image.fields.items():
        _say_fact("field", f"{name}: {field_words(value)}")
    _say_fact("shows", ", ".join(map(str, image.tags)))
    _say_fact("models", ", ".join(image.models))
    _say_fact("id", image.hex_id)


def _say_fact(name: str, words: str | None) -> None:
    """Print a fact under its name, if there is one."""
    if words:
        say(f"{name:<12}{words}")


def _print_metadata(metadata: Metadata) -> None:
    from lookalike.results.info import moment_of

    if metadata.taken is not None:
        _say_fact("taken", moment_of(metadata).isoformat(" ", "seconds"))
    _say_fact("camera", metadata.camera)
    _say_fact("lens", metadata.lens)
    if metadata.latitude is not None and metadata.longitude is not None:
        _say_fact("place", f"{metadata.latitude:.5f}, {metadata.longitude:.5f}")  # to the metre
    if metadata.rating is not None:
        _say_fact("rating", _stars(metadata.rating))
    _say_fact("keywords", ", ".join(metadata.keywords))
    _say_fact("caption", metadata.caption)


def _stars(rating: int) -> str:
    return "rejected" if rating < 0 else "1 star" if rating == 1 else f"{rating} stars"


def _print_colors(colors: Sequence[Color]) -> None:
    """Print colours and their shares, on a terminal each with a swatch."""
    words = [f"{color.hex} {color.share:.0%}" for color in colors]
    if not is_for_person():
        _say_fact("colours", ", ".join(words))
        return
    from rich.console import Console
    from rich.text import Text

    line = Text("colours     ")
    for color, word in zip(colors, words, strict=True):
        line.append("    ", f"on {color.hex}").append(f" {word}   ")
    with naming_output():
        Console(soft_wrap=True).print(line)


def _print(found: Info) -> None:
    _say_fact("collection", f"{relative(str(found.folder))}  ({found.size / 1e6:,.1f} MB)")
    _say_fact("of it", ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in found.sizes.items()))
    if found.thumbnail_side != THUMBNAIL_SIDE:
        _say_fact("thumbnails", f"{found.thumbnail_side} pixels on the longer side")
    for root in found.roots:
        _say_fact("root", relative(str(root)))
        if root in found.exclude:
            _say_fact("excluded", ", ".join(found.exclude[root]))
    for name in found.datasets:
        _say_fact("data set", name)
    copies = f" in {found.files:,} files" if found.files != found.images else ""
    _say_fact("images", f"{found.images:,}{copies}")
    _say_fact("added", f"{found.added:,} by call" if found.added else None)
    say(f"formats     {_listing(found.formats)}")
    models = {f"{name}{' (default)' if name == found.model else ''}": n for name, n in found.models.items()}
    say(f"models      {_listing(models)}")
    if found.appearance is not None:
        _print_appearance(found.appearance)
    _print_facts(found.facts)
    _say_fact("shows", _counted(found.tags))
    _say_fact("labels", _counted(found.labels))
    _say_fact("not used", _counted(found.unused_labels))
    if found.label_note is not None:
        _say_fact("", advise(found.label_note))
    _say_fact("fields", ", ".join(f"{name} ({kind})" for name, kind in found.fields.items()))
    for each in found.clusterings:
        _print_clustering(each)
    for reason in found.damaged.values():
        _say_fact("damaged", advise(reason))
    if found.failures:
        _say_fact("failed", f"{len(found.failures):,}: lookalike info --failures")
    if found.notes:
        _say_fact("not whole", f"{len(found.notes):,}: lookalike info --notes")


def _print_clustering(found: ClusteringInfo) -> None:
    names = found.named[:_SHOWN]
    named = f"; named: {', '.join(names)}{', …' if len(found.named) > len(names) else ''}" if names else ""
    noise = f", {found.n_noise:,} of them noise" if found.n_noise else ""
    clusters, images = count_of(found.n_clusters, "cluster"), count_images(found.n_images)
    _say_fact("clustering", f"{found.name}: {found.algorithm}, {clusters}, {images}{noise}{named}")


def _print_facts(facts: Facts) -> None:
    if facts.earliest is not None and facts.latest is not None:
        days = dict.fromkeys((facts.earliest.date().isoformat(), facts.latest.date().isoformat()))
        _say_fact("taken", f"{' to '.join(days)} ({count_images(facts.dated)})")
    _say_fact("cameras", _counted(facts.cameras))
    _say_fact("lenses", _counted(facts.lenses))
    if facts.placed:
        _say_fact("places", f"{count_images(facts.placed)} with latitude and longitude")
    _say_fact("keywords", _counted(facts.keywords))
    _say_fact("ratings", _listing({_stars(stars): count for stars, count in facts.ratings.items()}))
    if facts.unread:
        _say_fact("metadata", f"of {count_images(facts.unread)} {_NOT_KNOWN}")


def _print_appearance(seen: Appearance) -> None:
    widths, heights = (f"{low:,} to {high:,}" for low, _, high in (seen.widths, seen.heights))
    _say_fact("sizes", f"median {seen.widths[1]:,} × {seen.heights[1]:,}; {widths} wide, {heights} high")
    _say_fact("shapes", _listing({name: count for name, count in seen.shapes.items() if count}))
    if seen.sharpness is None:
        _say_fact("colours", _NOT_KNOWN)
    else:
        _print_colors(seen.colors)
        _say_fact("sharpness", f"median {seen.sharpness:,.0f}")


def _counted(counts: Mapping[str, int]) -> str:
    """Say how many there are, and which; nothing where there are none."""
    return f"{len(counts):,}: {_listing(counts)}" if counts else ""


def _listing(counts: Mapping[str, int]) -> str:
    shown = [f"{name} {count:,}" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join(shown) + (", …" if len(counts) > _SHOWN else "")
