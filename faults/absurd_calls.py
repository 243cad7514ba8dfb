"""Every public function and every option, called with absurd values.

The surface is a table made from the code (`public_doors`, and `command_doors` for the terminal), the values
stand in `absurd_values`. Each parameter gets each value of its kind, the others as they are in a plain call;
and at random some get absurd values together. A call is right if it gives an answer without NaN in it, that
of the plain call where the value is only another form of the plain one, or a LookalikeError; within some
seconds, without a warning, and with nothing on standard error. A command is right if it exits with 0, 1 or 2,
and says no more than some lines.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import math
import os
import random
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from faults.absurd_values import KINDS, Absurd
from faults.public_doors import ARRAYS, REFUSED, ROWS, WAITS, WORK, Door, doors
from faults.report import Asked, Report
from faults.scene import Scene
from faults.within import TooLongError, within
from lookalike.errors import LookalikeError, MissingExtraError
from lookalike.system.checked_calls import shown

CALLS = 4_000  # at share 1, of functions, beside one of each parameter
TOGETHER = 600  # at share 1, with two absurd values
_SECONDS = 20  # of processor time, that a call may take
_DEPTH = 6  # of an answer that is looked through

# Python's own answers to what no sequence or mapping has.
_PROTOCOL = {
    "__getitem__": (IndexError, KeyError, TypeError),
    "__contains__": (TypeError,),
}
# What an estimator says on purpose, as scikit-learn's do.
_SAID = ".* clusters are empty: there are no more rows that differ"
# Where NaN is what is said to be there.
_MAY_BE_NAN = {
    "Clusterings": "what is in no cluster has no margin",
    "Clustering": "what is in no cluster has no margin",
    "Choice": "silhouettes are NaN where the sample lies in one cluster",
    "Retrieval": "queries without any relevant image have no measures",
    "cluster.choose_k": "silhouettes",
    "evaluate.measure_hits": "queries without any relevant image",
    "evaluate.rank_all": "queries without any relevant image",
    "evaluate.rank_others": "queries without any relevant image",
    "evaluate.precision_of_neighbors": "queries without any hit",
    "ImageColumns": "what is not known of an image is NaN",
    "Snapshot": "what is not known of an image is NaN",
    "OwnFields": "what is not known of a file",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A door, and which of its parameters get which absurd values."""

    door: Door
    absurd: Mapping[str, Absurd]

    def __str__(self) -> str:
        return f"{self.door.path}({', '.join(f'{name}={each.name}' for name, each in self.absurd.items())})"


def main(options: Sequence[str]) -> int:
    """Run the campaign."""
    from faults.absurd_commands import try_commands

    asked = Asked.read("absurd_calls", options)
    report = Report("absurd_calls", asked)
    found, untold = doors()
    report.faults += [f"no table says how to call {each}" for each in untold]
    with tempfile.TemporaryDirectory(prefix="absurd-") as folder:
        try_calls(choose(found, asked), Scene(Path(folder)), report)
        try_commands(asked, Scene(Path(folder) / "commands"), report)
    return report.end()


def choose(found: Iterable[Door], asked: Asked) -> list[Call]:
    """Return the calls that are made: those of all parameters first, then some of two together."""
    chance = random.Random(asked.seed)
    single = [
        Call(door, {name: value})
        for door in found
        for name, kind in door.parameters.items()
        for value in KINDS[kind]
        if (name not in WORK or not value.is_huge)
        and not (value.name == "a pipe" and door.path.endswith(WAITS))
    ]
    chosen = chance.sample(single, min(asked.of(CALLS), len(single)))
    if asked.share >= 1:
        taken = {(call.door.path, *call.absurd) for call in chosen}
        chosen += [call for call in single if (call.door.path, *call.absurd) not in taken]
    several = [door for door in found if len(door.parameters) > 1]
    for _ in range(asked.of(TOGETHER)):
        door = chance.choice(several)
        names = chance.sample(list(door.parameters), 2)
        names = [name for name in names if name not in WORK]
        chosen.append(Call(door, {name: chance.choice(KINDS[door.parameters[name]]) for name in names}))
    plain = [Call(door, {}) for door in found]
    chosen += chance.sample(plain, min(asked.of(len(plain)), len(plain)))
    return sorted(chosen, key=lambda call: call.door.path)


def try_calls(calls: Iterable[Call], scene: Scene, report: Report) -> None:
    """Make calls, and write what was wrong to the report."""
    kept: dict[str, Any] = {}
    for call in calls:
        report.counts[_kind(call)] += 1
        wrong = try_call(call, scene, kept)
        if wrong:
            report.faults.append(f"{call}: {wrong}")


def _kind(call: Call) -> str:
    kinds = sorted(call.door.parameters[name] for name in call.absurd)
    return kinds[0] if len(kinds) == 1 else "several" if kinds else "plain"


def try_call(call: Call, scene: Scene, kept: dict[str, Any]) -> str:
    """Make one call; return what was wrong, or nothing."""
    expected = None
    if len(call.absurd) == 1 and _is_plain_but_for_form(call):
        if call.door.path not in kept:
            kept[call.door.path] = _watched(lambda: _made(call.door, {}, scene), call.door)
            scene.renew()
        expected = kept[call.door.path]
    outcome = _watched(lambda: _made(call.door, call.absurd, scene), call.door)
    if outcome[0] != "refused":
        scene.renew()
    if outcome[0] == "wrong":
        return str(outcome[1])
    if outcome[0] == "right" and not getattr(outcome[1], "failures", ()):  # which refuse line by line
        refused = [name for name, each in call.absurd.items() if each.verdict == "refused"]
        if refused and call.door.path.rpartition(".")[2] not in _PYTHONS:
            return f"took {refused[0]}, and answered {shown(outcome[1])}"
    may_be_refused = isinstance(outcome[1], MissingExtraError) or call.door.path in REFUSED
    if not call.absurd and outcome[0] == "refused" and not may_be_refused:
        return f"the plain call is refused: {outcome[1]!r}"
    if expected is not None and expected[0] == "right" and not _is_alike(outcome, expected):
        return f"another answer than that of the plain call: {shown(outcome[1])}"
    return ""


def _is_plain_but_for_form(call: Call) -> bool:
    ((name, value),) = call.absurd.items()
    if call.door.path.endswith("__getitem__"):
        return False
    return value.verdict == "same" and call.door.plain.get(name) is not None


_PYTHONS = ("__contains__", "__eq__", "__getitem__")


def _made(door: Door, absurd: Mapping[str, Absurd], scene: Scene) -> Any:
    """Call a door, and return what came of it, all that is lazy included."""
    function, given = door.make(scene), door.given(scene)
    for name, each in absurd.items():
        plain = given.get(name)
        if plain is None or (isinstance(plain, str) and door.parameters[name] == "numbers"):
            plain = _default(function, name, door.parameters[name])
        given[name] = each.make(plain, scene.scratch)
    made = _called(function, given)
    if door.use is not None:
        made = door.use(scene, made)
    return _taken(made)


def _default(function: Any, name: str, kind: str) -> Any:
    if kind == "numbers":
        return ARRAYS.get(name, ROWS)
    value = inspect.signature(function).parameters[name].default
    is_number = isinstance(value, int | float)  # and neither left out nor the factory of a dataclass
    is_left_out = value is None or value is inspect.Parameter.empty
    return 1 if is_left_out or (kind in ("whole", "real") and not is_number) else value


def _called(function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Call by name, or by place where names are not taken."""
    positional, named = [], {}
    for name, each in inspect.signature(function).parameters.items():
        if name not in given:
            continue
        if each.kind is each.VAR_POSITIONAL:
            positional += given[name] if isinstance(given[name], list | tuple) else [given[name]]
        elif each.kind is each.POSITIONAL_ONLY:
            positional.append(given[name])
        else:
            named[name] = given[name]
    return function(*positional, **named)


def _taken(made: Any) -> Any:
    if isinstance(made, Iterator):
        return [each for each, _ in zip(made, range(1_000), strict=False)]
    if isinstance(made, contextlib.AbstractContextManager) and "generator" in type(made).__name__.lower():
        with made as inside:
            return inside
    return made


def _watched(call: Callable[[], Any], door: Door) -> tuple[str, Any]:
    """Return ("right", answer), ("refused", error), or ("wrong", why)."""
    try:
        with _quiet() as said, within(_SECONDS), warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", _SAID)
            answer = call()
            hole = _hole(answer)  # which reads what is only read when it is asked for
    except LookalikeError as error:
        text = f"{error} {error.hint or ''}"
        return ("wrong", f"a refusal of {len(text):,} letters") if len(text) > 12_000 else ("refused", error)
    except TooLongError:
        return "wrong", f"took longer than {_SECONDS} s of processor time"
    except Exception as error:
        if isinstance(error, IndexError) and {"row", "rows"} & set(door.parameters):
            return "refused", error  # as of any sequence
        if isinstance(error, _PROTOCOL.get(door.path.rpartition(".")[2], ())):
            return "refused", error
        if isinstance(error, _OWN) and any(word in str(error) for word in _OURS):
            return "refused", error  # raised by what was handed over
        where = traceback.extract_tb(error.__traceback__)
        ours = [f for f in where if "lookalike" in f.filename and "faults" not in f.filename] or where
        return (
            "wrong",
            f"{type(error).__name__}: {str(error)[:120]} ({Path(ours[-1].filename).name}:{ours[-1].lineno})",
        )
    if said:
        return "wrong", f"said {said[0][:120]!r}"
    if hole and not any(door.path.startswith(name) for name in _MAY_BE_NAN):
        return "wrong", f"NaN in {hole}"
    return "right", answer


_OWN = (ValueError, ZeroDivisionError)
_OURS = ("that raises", "division")


@contextlib.contextmanager
def _quiet() -> Iterator[list[str]]:
    """Catch what is written to standard error, by whom ever; give it, once that is over."""
    said: list[str] = []
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        stream, sys.stderr = sys.stderr, open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        try:
            yield said
        finally:
            sys.stderr.flush()
            sys.stderr = stream
            os.dup2(kept, 2)
            os.close(kept)
            caught.seek(0)
            text = caught.read().decode(errors="replace")
            if text:
                said.append(text)


def _hole(value: Any, name: str = "the answer", depth: int = _DEPTH) -> str:
    """Return where an answer holds NaN, or nothing."""
    if isinstance(value, float | np.floating):
        return name if math.isnan(value) else ""
    if isinstance(value, np.ndarray):
        return name if value.dtype.kind == "f" and np.isnan(value).any() else ""
    if depth == 0:
        return ""
    return next(filter(None, (_hole(each, f"{name}.{key}", depth - 1) for key, each in _parts(value))), "")


def _parts(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())[:1_000]
    if isinstance(value, list | tuple):
        return list(enumerate(value[:1_000]))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(each.name, getattr(value, each.name, None)) for each in dataclasses.fields(value)]
    if type(value).__module__.startswith("lookalike.cluster") or type(value).__name__ == "PCA":
        return [(name, each) for name, each in vars(value).items() if name.endswith("_")]
    return ()


def _is_alike(outcome: tuple[str, Any], expected: tuple[str, Any]) -> bool:
    return outcome[0] == expected[0] and _same(outcome[1], expected[1])


def _same(a: Any, b: Any, depth: int = _DEPTH) -> bool:
    """Tell whether two answers are alike, as far as they are made of numbers, texts and the like."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            return False
        is_float = a.dtype.kind == "f" and b.dtype.kind == "f"
        return np.allclose(a, b, 1e-3, 1e-4, equal_nan=True) if is_float else bool(np.array_equal(a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-4) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, int | str | bytes | bool | None.__class__):
        return bool(a == b)
    if depth == 0:
        return True
    parts, others = list(_parts(a)), list(_parts(b))
    timed = ("seconds", "build_seconds", "time", "made", "queries_per_second", "batch_queries_per_second")
    timed += ("n_queries",)  # as many as there was time for
    return [name for name, _ in parts] == [name for name, _ in others] and all(
        _same(one, other, depth - 1)
        for (name, one), (_, other) in zip(parts, others, strict=True)
        if name not in timed
    )
