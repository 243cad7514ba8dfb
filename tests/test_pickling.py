"""Every public value is pickled and copied as it is: results, requests, errors; nobody can be forgotten."""

import copy
import dataclasses
import inspect
import multiprocessing
import operator
import pickle
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import lookalike
import scene_of_results as scene
from lookalike import Collection, LookalikeError, errors
from lookalike.hints import Hint, Sentence
from lookalike.images.decode import read_image

NAME = operator.attrgetter("__name__")
PUBLIC = {getattr(lookalike, name) for name in lookalike.__all__ if inspect.isclass(getattr(lookalike, name))}
ERRORS = sorted((each for each in PUBLIC if issubclass(each, LookalikeError)), key=NAME)
VALUES = sorted(
    (each for each in PUBLIC - set(ERRORS) if not inspect.isabstract(each)), key=lambda each: each.__name__
)
OPENED_AGAIN = {"Collection", "Clusterings", "Maps", "Models", "Evaluations", "Fields"} | {
    *("Sets", "Labels", "Feedback", "Decisions", "Statements", "Changes", "Duplicates")
}
"""What stands for a collection: pickled, it is opened where it is wanted."""

REFUSED = ("Snapshot", "FileColumns", "ImageColumns", "CancelToken")
"""What works in its process only, and says so."""

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
AGAIN = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol))
        for protocol in PROTOCOLS
    },
}


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    folder = scene.photos(tmp_path_factory.mktemp("scene") / "photos")
    return Collection.create(folder, scene.MODEL)


@pytest.fixture(scope="module")
def answers(collection):
    return scene.answers(collection, collection.roots[0])


@pytest.fixture(scope="module")
def values(collection, answers):
    """One value of each public class that is no error."""
    found = scene.instances([*answers, *scene.by_hand(collection)])
    return {kind: value for kind, value in found.items() if kind in PUBLIC}


def said(value) -> str:
    """Return all that a value says of itself, arrays too."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.tolist()}"
    if isinstance(value, Sentence):
        return f"{value!s} {value.hint!r}"
    if dataclasses.is_dataclass(value):
        return str(
            [
                (field.name, said(getattr(value, field.name)))
                for field in dataclasses.fields(value)
                if field.name != "lookup"  # what is pickled has no collection behind it
            ]
        )
    if isinstance(value, Mapping) and not dataclasses.is_dataclass(value):
        return str([(key, said(each)) for key, each in value.items()])
    if isinstance(value, tuple | list):
        return str([said(each) for each in value])
    if repr(value).startswith("<") and hasattr(value, "__dict__"):
        return type(value).__name__ + said(vars(value))
    return repr(value)


@pytest.mark.parametrize("kind", VALUES, ids=[each.__name__ for each in VALUES])
def test_a_value_is_the_same_after_pickling_and_copying(kind, values):
    assert kind in values, "make one in scene_of_results.by_hand"
    value = values[kind]
    for name, again in AGAIN.items():
        if kind.__name__ in REFUSED:
            with pytest.raises(LookalikeError, match="cannot be pickled"):
                again(value)
            continue
        same = again(value)
        assert type(same) is kind, name
        if kind.__name__ in OPENED_AGAIN:
            continue
        assert said(same) == said(value), name


@pytest.mark.parametrize("kind", ERRORS, ids=[each.__name__ for each in ERRORS])
def test_an_error_is_the_same_after_pickling_and_copying(kind):
    error = make_error(kind)
    for name, again in AGAIN.items():
        same = again(error)
        assert (type(same), str(same), same.hint, same.field) == (kind, str(error), error.hint, "k"), name
        assert vars(same) == vars(error), name
        assert same.__notes__ == error.__notes__, name
        assert same.to_dict() == error.to_dict(), name


def make_error(kind: type[LookalikeError]) -> LookalikeError:
    others = {"extra": "umap"} if issubclass(kind, errors.MissingExtraError) else {}
    words = ("it", "broke") if issubclass(kind, errors.ImageError) else ("it: broke",)
    return kind(*words, hint=Hint("both", first="a", second=Hint("sync", then="")), field="k", **others)


def fail(kind: type[LookalikeError]) -> None:
    """Raise one, in another process."""
    raise make_error(kind)


def echo(value: object) -> object:
    """Return what came to another process, from there."""
    return value


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as made:
        yield made


def test_errors_come_out_of_a_pool_of_processes_as_themselves(pool):
    for kind in ERRORS[::5]:
        with pytest.raises(kind) as caught:
            pool.submit(fail, kind).result(60)
        assert type(caught.value) is kind
        assert str(caught.value) == "it: broke"
        assert caught.value.hint == make_error(kind).hint


def test_an_image_error_of_a_real_file_comes_out_of_a_pool(pool, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(errors.ImageError, match=r"broken\.png") as caught:
        pool.submit(read_image, tmp_path / "broken.png").result(60)
    assert caught.value.path == str(tmp_path / "broken.png")


def test_answers_go_through_a_pool_of_processes(pool, answers):
    for answer in answers:
        assert said(pool.submit(echo, answer).result(60)) == said(answer)


def test_a_pickled_answer_takes_no_more_than_what_it_says(collection, answers):
    n_bytes = {k: len(pickle.dumps(collection.search(color="red", k=k))) for k in (1, 20)}
    assert n_bytes[1] < 4_000
    assert n_bytes[20] - n_bytes[1] < 19 * 500  # a path and some numbers each, nothing of the snapshot
    listed = collection.browse(k=2)
    assert len(pickle.dumps(listed)) < 4_000
    assert len(pickle.dumps(listed.hits[:1])) < 2_000
