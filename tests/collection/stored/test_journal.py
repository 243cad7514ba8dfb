"""The journal of what is said: changes add up, and are undone, whoever writes."""

import datetime
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cut_off import spoil
from lookalike.collection.said import find_set
from lookalike.collection.statements.draft import Draft
from lookalike.collection.stored.edits import Decided, Judged
from lookalike.collection.stored.journal import Journal
from lookalike.errors import (
    CollectionConflictError,
    CollectionNotFoundError,
    DamageWarning,
    StoreDamagedError,
)
from lookalike.store import PinnedStore, Store


def say(journal, make, kind="labels"):
    """Make a change of a draft."""

    def edits(said):
        draft = Draft(said)
        make(draft)
        return draft.edits()

    return journal.write(kind, edits)


def label(journal, images, name):
    return say(journal, lambda draft: draft.give_label(images, name))


def put(journal, name, images):
    return say(journal, lambda draft: draft.put_into(name, images))


def sets(journal):
    return {name: ids.tolist() for name, ids in journal.now().sets.items()}


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path)


def test_what_is_said_holds_for_whoever_opens_it_next(journal, tmp_path):
    label(journal, [1, 2], "owl")
    put(journal, "best", [5, 3, 5, 1])
    say(journal, lambda draft: draft.judge(('{"words": "owl"}', 1), Judged("yes", ("m",), 7)))
    say(journal, lambda draft: draft.decide(("a:1", "a:2"), Decided("a:1", "remove")))
    said = Journal(tmp_path).now()
    assert said.last == 4
    assert said.labels == {1: "owl", 2: "owl"}
    assert {name: ids.tolist() for name, ids in said.sets.items()} == {"best": [5, 3, 1]}
    (judgment,) = said.judgments
    assert (judgment.query.words, judgment.image) == ("owl", 1)
    assert (judgment.verdict, judgment.models) == ("yes", ("m",))
    (decision,) = said.decisions
    assert (decision.a, decision.b, decision.decision) == ("a:1", "a:2", "remove")


def test_what_is_so_already_is_no_change(journal):
    assert label(journal, [1], None) is None
    assert label(journal, [1], "owl").number == 1
    assert label(journal, [1], "owl") is None
    put(journal, "best", [])
    assert put(journal, "best", []) is None
    assert [each.number for each in journal.changes()] == [2, 1]


def test_who_holds_a_state_keeps_it(journal, tmp_path):
    label(journal, [1], "owl")
    put(journal, "best", [1])
    before, store = journal.now(), PinnedStore.take(tmp_path)
    label(journal, [1, 2], "fox")
    put(journal, "best", [2])
    assert (before.labels, before.sets["best"].tolist()) == ({1: "owl"}, [1])
    # Also where an older state is asked for later, and none of it was read before.
    assert Journal(tmp_path).at(store.journal).labels == {1: "owl"}
    assert journal.now().labels == {1: "fox", 2: "fox"}


def test_an_image_that_comes_back_into_a_set_by_undoing_stands_where_it_stood(journal):
    put(journal, "best", [1, 2, 3])
    taken = say(journal, lambda draft: draft.take_out("best", [2, 9]))
    put(journal, "best", [4])
    assert sets(journal) == {"best": [1, 3, 4]}
    journal.undo(taken.number)
    assert sets(journal) == {"best": [1, 2, 3, 4]}


def test_undoing_without_a_number_goes_back_change_by_change_and_undoing_that_does_it_again(journal):
    label(journal, [1], "owl")
    label(journal, [1], "fox")
    second = journal.undo()
    assert (second.undoes, journal.now().labels) == (2, {1: "owl"})
    first = journal.undo()
    assert (first.undoes, journal.now().labels) == (1, {})
    with pytest.raises(CollectionNotFoundError, match="no change that could be undone"):
        journal.undo()
    assert journal.undo(first.number).undoes == first.number
    assert journal.now().labels == {1: "owl"}
    assert [(each.number, each.undoes, each.undone_by) for each in journal.changes()] == [
        (5, 4, None),
        (4, 1, 5),
        (3, 2, None),
        (2, None, 3),
        (1, None, None),
    ]


def test_a_change_that_a_later_one_supersedes_is_not_undone(journal):
    first = label(journal, [1, 2], "owl")
    second = label(journal, [2, 3], "fox")
    other = label(journal, [4], "elk")
    expected = r"change 1 .*owl.* cannot be undone: change 2 .*fox"
    with pytest.raises(CollectionConflictError, match=expected) as info:
        journal.undo(first.number)
    assert str(info.value.hint) == "undo change 2 first"
    journal.undo(second.number)
    journal.undo(first.number)
    assert journal.now().labels == {4: "elk"}
    with pytest.raises(CollectionConflictError, match="was undone already, by change 5"):
        journal.undo(first.number)
    assert journal.undo(other.number)


@pytest.mark.parametrize("number", [0, -1, 2])
def test_a_change_that_is_not_there_is_not_found(journal, number):
    label(journal, [1], "owl")
    with pytest.raises(CollectionNotFoundError, match=f"no change {number}; the last is 1"):
        journal.undo(number)


def test_a_set_as_a_whole_is_in_the_way_of_its_parts_and_a_new_name_is_not(journal):
    put(journal, "best", [1])
    added = put(journal, "best", [2])
    renamed = say(journal, lambda draft: draft.rename("best", "top"))
    journal.undo(added.number)
    assert sets(journal) == {"top": [1]}
    deleted = say(journal, lambda draft: draft.delete("top"))
    with pytest.raises(CollectionConflictError):
        journal.undo(renamed.number)
    put(journal, "top", [7])  # another set of that name
    with pytest.raises(CollectionConflictError):
        journal.undo(deleted.number)
    say(journal, lambda draft: draft.rename("top", "other"))
    assert sets(journal) == {"other": [7]}


def test_a_whole_result_of_a_hundred_thousand_is_one_change(journal, tmp_path):
    put(journal, "all", range(100_000))
    assert journal.now().last == 1
    assert len(Journal(tmp_path).now().sets["all"]) == 100_000
    journal.undo()
    assert sets(journal) == {}


def test_threads_and_processes_write_at_once_and_nothing_is_lost(journal, tmp_path):
    code = """
import sys
from pathlib import Path
from lookalike.collection.statements.draft import Draft
from lookalike.collection.stored.journal import Journal
journal, first = Journal(Path(sys.argv[1])), int(sys.argv[2])
for image in range(first, first + 15):
    def edits(said):
        draft = Draft(said)
        draft.give_label([image], str(image))
        draft.put_into("all", [image])
        return draft.edits()
    journal.write("labels", edits)
"""
    others = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(first)]) for first in (1000, 2000)
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda image: put(journal, "all", [image]), range(20)))
    assert [other.wait(120) for other in others] == [0, 0]
    said = journal.now()
    assert said.last == 50
    images = {*range(20), *range(1000, 1015), *range(2000, 2015)}
    assert set(said.sets["all"].tolist()) == images
    assert said.labels == {image: str(image) for image in images if image >= 1000}
    assert said.labels == Journal(tmp_path).now().labels
    assert list(said.sets) == list(Journal(tmp_path).now().sets)


def test_a_commit_that_the_power_cut_off_is_not_said(journal, tmp_path):
    label(journal, [1], "owl")
    label(journal, [2], "fox")
    spoil(tmp_path / "said/journal.lance")
    again = Journal(tmp_path)
    with pytest.warns(DamageWarning, match="was cut off"):
        assert again.now().labels == {1: "owl"}
    assert label(again, [3], "elk").number == 2
    assert Journal(tmp_path).now().labels == {1: "owl", 3: "elk"}


def test_a_damaged_row_is_an_error_that_names_the_table(tmp_path):
    table = Store(tmp_path).journal
    row = {
        "number": [1],
        "time": [datetime.datetime(2026, 1, 1)],
        "kind": ["sets"],
        "words": ["?"],
        "undoes": [None],
        "payload": ['{"sets": [[0, "gone", "gone", 0, 0]]}'],
        "ids": [[]],
        "numbers": [[]],
    }
    with table.writing():
        table.append(row)
    with pytest.raises(StoreDamagedError, match=r"journal\.lance is damaged: the set gone is not there"):
        Journal(tmp_path).now()


IMAGES = st.integers(0, 5)
NAMES = st.sampled_from(["best", "top", "x"])
PAIRS = st.sampled_from([("01", "02"), ("02", "03")])
LABELS = st.sampled_from(["owl", "fox", None])


def flat(said):
    """All that is said, key by key."""
    found = {("label", image): name for image, name in said.labels.items()}
    for number, each in said.kept_sets.items():
        found["set", number] = each.name
        found |= {("in", number, image): order for image, order in each.orders.items()}
    found |= {("judged", *key): given for key, given in said.kept_judgments.items()}
    return found | {("pair", *key): made for key, made in said.kept_decisions.items()}


def difference(before, after):
    return {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }


class Saying(RuleBasedStateMachine):
    """What is said is what plain dictionaries say; undoing is refused where it has to be, and exact."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.journal = Journal(Path(self.folder.name))
        self.labels, self.sets, self.judged, self.decided = {}, {}, {}, {}
        self.time = 0
        self.effects = {}  # by number: what it did
        self.targets = {}  # by number: what it undoes

    def teardown(self):
        self.folder.cleanup()

    def make(self, change):
        before = flat(self.journal.now())
        made = say(self.journal, change)
        effect = difference(before, flat(self.journal.now()))
        assert (made is None) == (not effect)
        if made is not None:
            self.effects[made.number], self.targets[made.number] = effect, None

    @rule(images=st.lists(IMAGES, max_size=3), name=LABELS)
    def label(self, images, name):
        self.make(lambda draft: draft.give_label(images, name))
        for image in images:
            self.labels[image] = name
            if name is None:
                del self.labels[image]

    @rule(name=NAMES, images=st.lists(IMAGES, max_size=3))
    def put(self, name, images):
        self.make(lambda draft: draft.put_into(name, images))
        there = self.sets.setdefault(name, [])
        there += [image for image in dict.fromkeys(images) if image not in there]

    @rule(name=NAMES, images=st.lists(IMAGES, max_size=3))
    def take_out(self, name, images):
        if name in self.sets:
            self.make(lambda draft: draft.take_out(name, images))
            self.sets[name] = [image for image in self.sets[name] if image not in images]
        else:
            with pytest.raises(CollectionNotFoundError):
                say(self.journal, lambda draft: draft.take_out(name, images))

    @rule(old=NAMES, new=NAMES)
    def rename(self, old, new):
        if old in self.sets and (new not in self.sets or new == old):
            self.make(lambda draft: draft.rename(old, new))
            self.sets[new] = self.sets.pop(old)

    @rule(name=NAMES)
    def delete(self, name):
        if name in self.sets:
            self.make(lambda draft: draft.delete(name))
            del self.sets[name]

    @rule(image=IMAGES, verdict=st.sampled_from(["yes", "no", "skip"]))
    def judge(self, image, verdict):
        self.time += 1
        judged = Judged(verdict, (), self.time)
        self.make(lambda draft: draft.judge(("00", image), judged))
        self.judged["00", image] = (*self.judged.get(("00", image), ()), judged)

    @rule(pair=PAIRS, decision=st.sampled_from(["keep", "alternates"]))
    def decide(self, pair, decision):
        self.make(lambda draft: draft.decide(pair, Decided(pair[0], decision)))
        self.decided[pair] = Decided(pair[0], decision)

    def undone(self):
        found = {}
        for number in sorted(self.targets, reverse=True):
            if self.targets[number] is not None and number not in found:
                found[self.targets[number]] = number
        return found

    def is_in_the_way(self, number, later):
        undone, target = self.undone(), self.targets[later]
        if later in undone or (target is not None and target > number):
            return False
        one, other = self.effects[number], self.effects[later]
        of_sets = [{key[1]: both for key, both in each.items() if key[0] == "set"} for each in (one, other)]
        whole = {number for each in of_sets for number, both in each.items() if None in both}
        about = [{key[1] for key in each if key[0] in ("set", "in")} for each in (one, other)]
        names = [{name for both in each.values() for name in both if name} for each in of_sets]
        return bool(one.keys() & other.keys() or about[0] & about[1] & whole or names[0] & names[1])

    @precondition(lambda self: self.effects)
    @rule(data=st.data())
    def undo(self, data):
        number = data.draw(st.sampled_from(sorted(self.effects)))
        before = flat(self.journal.now())
        later = [each for each in self.effects if each > number]
        is_refused = number in self.undone() or any(self.is_in_the_way(number, each) for each in later)
        if is_refused:
            with pytest.raises(CollectionConflictError):
                self.journal.undo(number)
            assert flat(self.journal.now()) == before
            return
        made = self.journal.undo(number)
        effect = difference(before, flat(self.journal.now()))
        assert effect == {key: (after, was) for key, (was, after) in self.effects[number].items()}
        self.effects[made.number], self.targets[made.number] = effect, number
        said = self.journal.now()
        self.labels, self.judged = dict(said.labels), dict(said.kept_judgments)
        self.sets = {name: ids.tolist() for name, ids in said.sets.items()}
        self.decided = dict(said.kept_decisions)

    @invariant()
    def it_is_what_plain_dictionaries_say(self):
        said = self.journal.now()
        assert said.labels == self.labels
        assert {name: ids.tolist() for name, ids in said.sets.items()} == self.sets
        assert all(find_set(said, name) is not None for name in self.sets)
        assert said.kept_judgments == self.judged
        assert said.kept_decisions == self.decided
        assert flat(Journal(Path(self.folder.name)).now()) == flat(said)
        assert [each.number for each in self.journal.changes()] == sorted(self.effects, reverse=True)


TestSaying = Saying.TestCase
TestSaying.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
