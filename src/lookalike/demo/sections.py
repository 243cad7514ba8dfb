"""What stands on the demo's page, a function a section, each with the command that does the same.

A section gives its HTML, or nothing where there is nothing to show. What they say holds whatever the pictures
are: nothing is named by labels that say nothing of what pictures show, see `Collection.label_note`.
"""

from __future__ import annotations

import html
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lookalike.demo.frame import Frame, picture
from lookalike.demo.run import CLUSTERING, HITS, MEMBERS, Group, Search
from lookalike.drawing import draw_map, group_by_cluster, group_by_label
from lookalike.plots import tiles_map
from lookalike.results.maps import ImageMap
from lookalike.system.wording import count_images
from lookalike.types import Hit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMED = 16  # groups of the map
_SIZE = (1920, 1080)  # pixels of the pictures that are drawn
_CONTENTS = {
    "like-one": "Like this one",
    "like-both": "Like both",
    "unlike": "Like this, unlike that",
    "groups": "Groups of look-alikes",
    "map": "A map",
    "go-on": "What now?",
    "measured": "How good is it?",
}


def header(frame: Frame, shown: Sequence[str]) -> str:
    """Say what the page is about, where its sections are, and what to type once."""
    result = frame.result
    info = result.collection.info()
    n_left = result.indexed.n_left
    copies = f" ({info.images:,} different ones)" if info.images != info.files else ""
    of_all = f" of {info.files + n_left:,}" if n_left else ""
    failed = f" {result.indexed.report.failed:,} could not be read." if result.indexed.report.failed else ""
    links = "".join(f"<a href='#{name}'>{_CONTENTS[name]}</a>" for name in shown)
    return (
        f"<header><h1>lookalike</h1><p class='lead'>{info.files:,}{of_all} pictures{copies} of"
        f" <b>{html.escape(result.source.images.title)}</b>, found and grouped by nothing but what they look"
        f" like, on this machine alone.{failed}</p><nav>{links}</nav></header>"
    )


def sample(frame: Frame) -> str:
    """Show some of the pictures, of those that are nearly the same one."""
    tiles = "".join(frame.shaped_tag(image) for image in frame.result.sample)
    return (
        f"<section><div class='mosaic'>{tiles}</div></section><section><h2>To try it yourself</h2>"
        "<p class='note'>First, once; then each command below is short. A click on a picture shows it in full"
        f" size.</p>{frame.once()}</section>"
    )


def like_one(frame: Frame) -> str:
    """Show the searches by one image."""
    found = [each for each in frame.result.searches if len(each.wanted) == 1 and not each.unwanted]
    rows = "".join(f"<div>{_row(frame, each)}</div>" for each in found)
    return _section(
        "like-one",
        "One picture, and those most like it. The figures are cosine similarities: 1 is the same.",
        f"<div class='searches'>{rows}</div>",
    )


def like_both(frame: Frame) -> str:
    """Show the search by two images."""
    found = next((each for each in frame.result.searches if len(each.wanted) > 1), None)
    if found is None:
        return ""
    return _section("like-both", "Two pictures, and those most like the two together.", _row(frame, found))


def unlike(frame: Frame) -> str:
    """Show the search with an image that is not wanted."""
    found = next((each for each in frame.result.searches if each.unwanted), None)
    if found is None:
        return ""
    words = "The second picture is one that the first one finds. Named as not wanted, it takes its like away."
    if found.n_new > 1:
        words += f" {found.n_new} of these {len(found.result.hits)} are not found by the first picture alone."
    return _section("unlike", words, _row(frame, found))


def groups(frame: Frame) -> str:
    """Show some groups, those that hold together and differ from one another."""
    found = frame.result.clusters.found
    if found is None or not frame.result.groups:
        return ""
    rows = "".join(_group(frame, each) for each in frame.result.groups)
    n_shown = len(frame.result.groups)
    some = f" Here are {n_shown} that differ." if n_shown < found.n_clusters else ""
    k = str(found.parameters.get("k", found.n_clusters))
    words = f"{count_images(len(found.ids))} in {found.n_clusters:,} groups, made by looks alone.{some}"
    make = frame.command("cluster", "make", "-k", k, "--name", CLUSTERING, "--plot", "groups.png")
    return _section("groups", words, f"<div class='rows'>{rows}</div>{make}")


def image_map(frame: Frame) -> str:
    """Show the map as pictures and as points."""
    collection, found = frame.result.collection, frame.result.image_map.found
    if found is None:
        return ""
    clusters, tiles = frame.result.clusters.found, frame.result.tiles
    chosen, words, n_named = None, [], 0
    if any(image.label is not None for image in found.images):
        chosen, words, n_named = group_by_label(found), ["--color", "label"], _NAMED
    elif clusters is not None:
        chosen, words = group_by_cluster(found, clusters), ["--color", CLUSTERING]
        n_named = _NAMED if any(each.name for each in clusters.clusters) else 0
    kind = f", coloured by {chosen.kind}" if chosen else ""
    drawn = ""
    if tiles is not None:
        n_tiles, n = len(tiles.images), len(found.images)
        told = (
            f"{n_tiles:,} of {count_images(n)}, no two of them nearly alike"
            if n_tiles < n
            else count_images(n)
        )
        drawn += picture(lambda: _tiles(frame, tiles, told), "Pictures on a grid, alike by alike", "jpeg")
        drawn += frame.command("map", "--style", "tiles", "-o", "tiles.png")
    drawn += picture(
        lambda: draw_map(collection, found, chosen, n_named=n_named), f"Map of the pictures{kind}"
    ) + frame.command("map", *words, "-o", "map.png")
    return _section(
        "map",
        "What looks alike lies near each other (t-SNE); distances between groups far apart mean little.",
        drawn,
    )


def _tiles(frame: Frame, tiles: ImageMap, words: str) -> Figure:
    """Draw the pictures of a map on a grid."""

    def pictures(rows: Sequence[int]) -> list[bytes | None]:
        ids = [tiles.images[row].id for row in rows]
        jpegs = frame.result.collection.thumbnails(ids)
        return [jpegs.get(image) for image in ids]

    return tiles_map(tiles.points, pictures, title=words, size=_SIZE)


def next_steps(frame: Frame) -> str:
    """Say how to go on: with one's own pictures, or with the rest of these."""
    n_left, images = frame.result.indexed.n_left, frame.result.source.images
    first = shlex.quote(frame.place(frame.result.searches[0].wanted[0]))
    run = frame.program
    own = frame.lines(f"{run} index ~/Pictures", f"{run} search ~/Pictures/one.jpg")
    search = f"{run} search {first}"
    ways = frame.lines(f"{search} --plot found.png", f"{search} --json", f"{run} --help")
    body = f"<h3>Your own photos</h3>{own}"
    body += f"<h3>A search as a picture, or for other programs; and all that there is</h3>{ways}"
    if n_left:
        source = frame.pictures if images.is_own else images.name
        body += f"<h3>The other {n_left:,} pictures</h3>{frame.command('demo', source, '--all', '-o', '..')}"
    return _section("go-on", "", body)


def footer(frame: Frame) -> str:
    """Say where the pictures come from."""
    images = frame.result.source.images
    return (
        f"<footer>The pictures: {html.escape(images.title)}, {html.escape(images.origin)}. Licence:"
        f" {html.escape(images.licence)}. This page is one file and loads nothing from elsewhere.</footer>"
    )


def _section(name: str, words: str, body: str) -> str:
    note = f"<p class='note'>{html.escape(words)}</p>" if words else ""
    return f"<section id='{name}'><h2>{_CONTENTS[name]}</h2>{note}{body}</section>"


def _row(frame: Frame, found: Search) -> str:
    """Show a search: what was asked in two places, and what was found, always of one size."""
    asked = [frame.tile(image, "query", "query") for image in found.wanted]
    asked += [frame.tile(image, "not like", "query unwanted") for image in found.unwanted]
    if len(asked) == 1:
        asked.append("<span class='arrow'>→</span>")
    hits = [frame.tile(hit, _likeness(hit)) for hit in found.result.hits]
    words = [frame.place(image) for image in found.wanted]
    for image in found.unwanted:
        words += ["--not", frame.place(image)]
    if found.result.request is not None and found.result.request.fold:
        words.append("--fold")
    command = frame.command("search", *words, "-k", str(HITS))
    return f"<div class='strip'>{''.join(asked)}{''.join(hits)}</div>{command}"


def _likeness(hit: Hit) -> str:
    return f"{hit.distance:.3g}" if hit.score is None else f"{hit.score:.2f}"


def _group(frame: Frame, group: Group) -> str:
    cluster = group.cluster
    facts = [count_images(cluster.size)]
    if cluster.most_are is not None and cluster.label_share is not None and not cluster.name:
        facts.append(f"{cluster.label_share:.0%} with this label")
    title = cluster.name or cluster.most_are or f"Group {cluster.number}"
    images = "".join(frame.tag(image) for image in group.images[:MEMBERS])
    return (
        f"<div><h3>{html.escape(title)}<span>{html.escape(' · '.join(facts))}</span></h3>"
        f"<div class='row'>{images}</div></div>"
    )
