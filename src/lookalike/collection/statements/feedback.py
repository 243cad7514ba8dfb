"""Judgments of hits, as users have them in hand."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import get_args

from lookalike.collection.faces import Face
from lookalike.collection.places import Places
from lookalike.collection.resources import Opener
from lookalike.collection.statements.draft import Draft
from lookalike.collection.statements.naming import (
    ImageName,
    check_models,
    read_image,
    read_judged_query,
)
from lookalike.collection.stored.edits import Judged, JudgmentKey
from lookalike.errors import InvalidInputError
from lookalike.query.reading import Query
from lookalike.results.said import Change, Judgment, Verdict, query_key
from lookalike.system.checked_calls import checked, shown

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@checked
class Feedback(Face):
    """What people said of hits: `Collection.feedback`.

    A judgment is of a query and an image. Who judges the same again adds to it; the last one counts. Each
    call is one change, on the disk when it returns.

    Examples
    --------
    >>> photos = Collection.create(photo_folder)
    >>> report = photos.sync()
    >>> stripes, noise = photo_folder / "stripes.png", photo_folder / "noise.png"
    >>> change = photos.feedback.judge(stripes, noise, "no", models=["lite0-deep-int8"])
    >>> change.words, [each.verdict for each in photos.feedback.judgments()]
    ('1 hit judged', ['no'])
    """

    def __init__(self, resources: Opener) -> None:
        self._resources = resources

    def judge(
        self, query: Query, image: ImageName, verdict: Verdict, models: str | Sequence[str] = ()
    ) -> Change | None:
        """Say whether an image answers a query.

        Parameters
        ----------
        query : path, id, words, URL, or Term
            An image, whole or a region of it, words, or a URL.
        image : id, path or hit
        verdict : {"yes", "no", "skip"}
        models : str or sequence of str
            Those that showed it.

        Raises
        ------
        InvalidInputError
            If the verdict is none of these, or the query is pixels or a vector.
        QueryError
            If a path is that of no image.
        """
        resources = self._resources()
        key = _key(resources.places, query, image)
        judged = Judged(check_verdict(verdict), check_models(models), _now())

        def make(draft: Draft) -> None:
            draft.judge(key, judged)

        return resources.change("judgments", make)

    def judge_all(self, judgments: Iterable[Judgment]) -> Change | None:
        """Say many at once, in one change; those that are there already are left out."""
        wanted = []
        for each in judgments:
            if not isinstance(each, Judgment):
                raise InvalidInputError(
                    f"a judgment is {shown(each)}; expected a Judgment", field="judgments"
                )
            wanted.append(kept(each))

        def make(draft: Draft) -> None:
            for key, judged in wanted:
                draft.judge(key, judged)

        return self._resources().change("judgments", make)

    def withdraw(self, query: Query, image: ImageName) -> Change | None:
        """Take back whatever was said of an image and a query.

        Raises
        ------
        CollectionNotFoundError
            If nothing was.
        """
        resources = self._resources()
        key = _key(resources.places, query, image)
        return resources.change("judgments", lambda draft: draft.withdraw(key))

    def judgments(self, query: Query | None = None) -> tuple[Judgment, ...]:
        """Return what was said, of all queries or of one; of one hit, the oldest first."""
        places = self._resources().places
        if query is None:
            return tuple(places.snapshot.said.judgments)
        wanted = query_key(read_judged_query(places, query))
        return tuple(places.snapshot.said.judgments_of(wanted))


def kept(judgment: Judgment) -> tuple[JudgmentKey, Judged]:
    """Return a judgment as it is kept."""
    time = judgment.time
    moment = time.replace(tzinfo=datetime.UTC) if time.tzinfo is None else time
    microseconds = (moment - _EPOCH) // datetime.timedelta(microseconds=1)
    judged = Judged(check_verdict(judgment.verdict), check_models(judgment.models), microseconds)
    return (query_key(judgment.query), judgment.image), judged


def check_verdict(verdict: object) -> str:
    """Return a verdict, checked to be one."""
    expected = get_args(Verdict)
    if not isinstance(verdict, str) or verdict not in expected:
        raise InvalidInputError(
            f"verdict is {shown(verdict)}; expected {', '.join(expected)}", field="verdict"
        )
    return str(verdict)


def _key(places: Places, query: Query, image: ImageName) -> JudgmentKey:
    return query_key(read_judged_query(places, query)), int(read_image(places, image))


def _now() -> int:
    return (datetime.datetime.now(datetime.UTC) - _EPOCH) // datetime.timedelta(microseconds=1)
