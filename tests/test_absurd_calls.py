"""Public functions and commands with absurd values: a short share of the campaign `faults.absurd_calls`."""

import contextlib
import io
import os
import random
import signal
import time
import warnings

import numpy as np
import pytest
from faults import report as report_of_campaigns
from faults.absurd_calls import Call, choose, try_call, try_calls
from faults.absurd_commands import LEFT_OUT as COMMANDS_LEFT_OUT
from faults.absurd_commands import command_doors, try_commands
from faults.absurd_values import KINDS, Absurd
from faults.public_doors import LEFT_OUT, ROWS, Door, doors, public_paths
from faults.report import Asked, Report
from faults.scene import Scene
from faults.within import TooLongError, within

import lookalike
import lookalike.index
import lookalike.plots
from lookalike.cli.commands import COMMANDS, Command
from lookalike.cluster import HierarchicalKMeans, KMeans
from lookalike.evaluate import precision_of_neighbors
from lookalike.evaluate.labels import number_labels
from lookalike.index import Exact


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return Scene(tmp_path_factory.mktemp("absurd"))


@pytest.fixture(autouse=True)
def somewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # and back, from where calls were tried


def test_every_public_function_is_in_the_table():
    found, untold = doors()
    assert untold == []
    there = {path for path, _ in public_paths()}
    assert {path.split("()")[0] for path in LEFT_OUT if "." not in path} <= there
    called = {door.path.split("(")[0].removesuffix("()") for door in found}
    classes = {path.rpartition(".")[0] for path in called}
    for path, thing in public_paths():
        if callable(thing) and not isinstance(thing, type) and hasattr(thing, "__code__"):
            assert path in called or path in LEFT_OUT, path
    assert {"Collection", "cluster.KMeans", "index.Exact", "Clusterings", "PCA"} <= classes


def test_every_command_and_option_is_in_the_table():
    there = {door.command for door in command_doors()}
    for name, row in COMMANDS.items():
        if isinstance(row, Command):
            assert name in there
        else:
            assert {f"{name} {each}" for each in row.commands} <= there
    assert set(COMMANDS_LEFT_OUT) <= set(COMMANDS)
    options = {(door.command, door.option) for door in command_doors()}
    assert ("search", "--json") in options
    assert ("cluster make", "--eps") in options


def test_absurd_calls_get_an_answer_or_an_error_of_ours(scene):
    report = Report("absurd_calls", Asked(0.01, seed=7))
    quick = [
        door for door in doors()[0] if not door.path.startswith(("bench", "Evaluations", "drawing", "plots"))
    ]
    try_calls(choose(quick, report.asked), scene, report)
    assert report.faults == []
    assert sum(report.counts.values()) > 30


def test_absurd_commands_end_in_one_line(scene):
    report = Report("absurd_calls", Asked(0.004, seed=3))
    try_commands(report.asked, scene, report)
    assert report.faults == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_has_values_with_names_of_their_own(kind):
    names = [each.name for each in KINDS[kind]]
    assert len(set(names)) == len(names) > 3


def tried(function, scene, verdict="either"):
    """Return what the campaign says of a function that gets a 1."""
    door = Door("f", lambda at: function, {"value": "whole"}, {"value": 1})
    return try_call(Call(door, {"value": Absurd("one", lambda plain, folder: 1, verdict)}), scene, {})


def test_the_campaign_finds_what_is_wrong(scene, capfd):
    def warn(value):
        warnings.warn("careful", RuntimeWarning, stacklevel=1)

    def say(value):
        import os

        os.write(2, b"oh\n")

    def refuse(value):
        raise lookalike.InvalidInputError("no")

    chance = random.Random(0)
    assert tried(lambda value: value, scene) == ""
    assert tried(refuse, scene) == ""
    assert "took" in tried(lambda value: value, scene, "refused")
    assert "RuntimeWarning" in tried(warn, scene)
    assert "said" in tried(say, scene)
    assert "KeyError" in tried(lambda value: {}[value], scene)
    assert "NaN" in tried(lambda value: {"a": [np.float32("nan")]}, scene)
    assert "another answer" in tried(lambda value: chance.random(), scene, "same")


def test_what_is_read_only_when_it_is_looked_at_belongs_to_the_call(scene):
    class Lazy(dict):
        def items(self):
            raise KeyError("damaged")

    assert "KeyError" in tried(lambda value: Lazy(), scene)


def test_time_is_counted_by_the_processor_and_cannot_be_caught(monkeypatch):
    def forever():
        while True:
            pass

    with pytest.raises(TooLongError), within(0.05):
        forever()
    with pytest.raises(TooLongError), within(0.05), contextlib.suppress(BaseException):
        forever()
    with within(0.05):
        time.sleep(0.15)  # on a busy machine, say
    monkeypatch.setattr("faults.within._WAITED", 1)
    with pytest.raises(TooLongError), within(0.05):
        time.sleep(60)


RECORDS = np.zeros(len(ROWS), [("a", "f4"), ("b", "i4")])
LONG, HUGE, HALF = "x" * 100_000, 10**5000, "a\udcff"


@pytest.mark.parametrize(
    "ask",
    [
        lambda at: at.collection.copy(LONG),
        lambda at: at.collection.copy(at.scratch / "copy", force=np.array([True, False])),
        lambda at: at.collection.remove(["there"], wait="x"),
        lambda at: at.collection.remove(["there"], wait=np.array([1, 2])),
        lambda at: at.collection.decisions.decide_all({1, "a"}),
        lambda at: at.collection.decisions.decide_all(iter([1])),
        lambda at: at.collection.snapshot().images.keywords.at(np.zeros((1, 2), int)),
        lambda at: at.collection.snapshot().images.rows_of(np.zeros((1, 1, 2), int)),
        lambda at: at.collection.snapshot().files.have(None),
        lambda at: at.collection.snapshot().files.rows_of({"a": 1}),
        lambda at: [dict(each) for each in at.collection.snapshot().fields_of([(HALF, 1)])],
        lambda at: at.collection.said.load(None),
        lambda at: at.collection.said.load("a\0b"),
        lambda at: at.collection.said.load("a\ud800"),
        lambda at: at.collection.snapshot().vectors(at.ids, LONG),
        lambda at: at.collection.said.load(io.StringIO("{}")),
        lambda at: at.collection.search(str(at.photo), same_cluster=lookalike.ClusterRef("groups", HUGE)),
        lambda at: lookalike.FinetuneSettings(name="own", test=HUGE),
        lambda at: lookalike.AutoencoderSettings(name="own", dimension=HUGE),
        lambda at: lookalike.SearchRequest(index=np.array(["a", "b"])),
        lambda at: lookalike.SearchRequest(like=np.zeros((2, 2))),
        lambda at: lookalike.SearchRequest.from_dict({HUGE: 1}),
        lambda at: lookalike.Words("a", is_guess=np.array([True, False])),
        lambda at: lookalike.Pixels(np.ma.MaskedArray(np.zeros((4, 4, 3), np.uint8), True)),
        lambda at: lookalike.Filter(ids=b"\xff\0"),
        lambda at: lookalike.Filter(near=np.array(1)),
        lambda at: precision_of_neighbors(Exact().build(ROWS).search(ROWS[:2], 2), RECORDS, [1, 2]),
        lambda at: number_labels(RECORDS),
        lambda at: lookalike.plots.points_map(np.zeros((3, 2)), size=None),
        lambda at: lookalike.plots.points_map(np.zeros((3, 2)), size=(10**9, 10)),
        lambda at: lookalike.plots.tiles_map(np.zeros((3, 2)), "abc"),
        lambda at: lookalike.plots.kept_neighbors([[0, 0], [1e300, 0]], [0, 1], 2),
        lambda at: lookalike.plots.distance_curve(np.ones((2, 2)), 3, 1.0, "cosine"),
        lambda at: lookalike.plots.distance_curve(np.ones(3), 3, float("inf"), "cosine"),
        lambda at: lookalike.plots.figure_bytes("abc", "png"),
        lambda at: lookalike.plots.figure_bytes("abc", "gif"),
        lambda at: lookalike.plots.paint_swatch(LONG),
        lambda at: lookalike.plots.Curve("a", [float("nan")], [1.0]),
        lambda at: lookalike.plots.Curve("a", [0.9], []),
        lambda at: KMeans(HUGE).fit(ROWS),
        lambda at: HierarchicalKMeans(HUGE).fit(ROWS),
        lambda at: HierarchicalKMeans(2).fit(ROWS).node(2**31),
        lambda at: HierarchicalKMeans(2).fit(ROWS).node(-1),
    ],
)
def test_what_no_call_can_mean_is_refused(scene, ask):
    with pytest.raises(lookalike.LookalikeError) as refused:
        ask(scene)
    assert len(f"{refused.value} {refused.value.hint}") < 12_000


def test_neighborhoods_are_counted_as_a_list_is(scene):
    found = Exact().build(ROWS).radius(ROWS[:3], 1.5)
    assert found[-1][0].tolist() == found[2][0].tolist() != []
    for query in (3, -4, 2**63, 10**5000):
        with pytest.raises(IndexError, match="only 3 queries"):
            found[query]


@pytest.mark.parametrize(("name", "library"), [("Annoy", "annoy"), ("HNSW", "hnswlib")])
def test_a_seed_of_32_bits_is_taken_by_every_index(name, library):
    pytest.importorskip(library)
    kind = getattr(lookalike.index, name)
    assert kind(random_state=2**32 - 1).build(ROWS).search(ROWS, 1).ids[:, 0].tolist() == list(range(24))


def test_a_wait_without_end_and_small_numbers_of_numpy_are_taken(scene):
    for wait in (10**400, 1e300, float("inf"), np.float32(3), np.int8(3)):
        assert scene.collection.remove(["none"], wait=wait) == 0
    expected = KMeans(2, random_state=0, n_jobs=1).fit(ROWS).labels_
    found = KMeans(np.uint8(2), random_state=0, n_jobs=np.uint8(1)).fit(ROWS).labels_
    assert found.tolist() == expected.tolist()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to be caught")
def test_one_sigterm_ends_a_campaign_whose_command_answers_it(monkeypatch):
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    monkeypatch.setattr(report_of_campaigns, "_ENDING", [])
    report = Report("absurd_calls", Asked())
    try:
        report_of_campaigns.end_as_interrupted()
        report.counts["command"] += 1
        with contextlib.suppress(KeyboardInterrupt):  # as the command line does
            signal.raise_signal(signal.SIGTERM)
            pytest.fail("it was not interrupted")
        with pytest.raises(KeyboardInterrupt):
            report.counts["command"] += 1
    finally:
        for number, handler in kept:
            signal.signal(number, handler)
