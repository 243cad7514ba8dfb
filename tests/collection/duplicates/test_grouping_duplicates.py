"""Groups by hand: pairs are given, and what comes of them, of files, folders and decisions is looked at."""

import json
import shutil

import numpy as np
import pytest

from lookalike import Collection
from lookalike.collection.duplicates import completing, grouping
from lookalike.collection.duplicates.grouping import DuplicatePairs
from lookalike.duplicates.kinds import KINDS
from lookalike.duplicates.turns import INVERSE
from lookalike.errors import InvalidInputError, QueryNotFoundError
from pictures import picture

SIZES = {"a": 90, "b": 80, "c": 70, "d": 60, "e": 50}


class Library:
    """A collection of pictures of five sizes, ``a.png`` the largest, and pairs that are told."""

    def __init__(self, folder, monkeypatch):
        self.folder, self._monkeypatch = folder, monkeypatch
        self.collection = Collection.create(folder, model="pixels-8-grey")

    def add(self, name, of):
        """Put a picture there; of one letter they are one image."""
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        picture(ord(of), SIZES[of]).save(place, format="PNG")

    def sync(self):
        self.collection.sync()
        images = self.collection.snapshot().images
        letters = {side: letter for letter, side in SIZES.items()}
        sides = [letters[side] for side in images.widths.tolist()]
        self.ids = dict(zip(sides, images.ids.tolist(), strict=True))

    def tell(self, *pairs):
        """Say which pairs there are, as in ``("ab", "same", 0.99)``, or with a turn behind."""
        rows = []
        for names, kind, probability, *turn in pairs:
            a, b = (self.ids[name] for name in names)
            told = turn[0] if turn else 1
            rows.append((min(a, b), max(a, b), kind, probability, told if a < b else INVERSE[told]))
        columns = list(zip(*rows, strict=True)) or [()] * 5
        told = DuplicatePairs(
            np.array(columns[0], np.int64),
            np.array(columns[1], np.int64),
            np.array([KINDS.index(kind) for kind in columns[2]], np.uint8),
            np.array(columns[3], np.float32),
            np.array(columns[4], np.uint8),
            len(self.ids),
        )
        self._monkeypatch.setattr(grouping, "near_of", lambda resources: told)
        self._monkeypatch.setattr(completing, "lay", lambda *given: None)

    def groups(self, **asked):
        return self.collection.duplicates.groups(**asked)

    def shown(self, **asked):
        """Return groups as texts: the kept files in capitals, an image's files with a plus in between."""
        return [" ".join(map(self._image, group.images)) for group in self.groups(**asked)]

    def _image(self, image):
        names = [file.stored_path.partition(":")[2] for file in image.files]
        names = [name.removesuffix(".png") for name in names]
        return "+".join(
            name.upper() if file.keep else name for name, file in zip(names, image.files, strict=True)
        )

    def decide(self, a, b, decision):
        self.collection.duplicates.decide(self.folder / f"{a}.png", self.folder / f"{b}.png", decision)


@pytest.fixture
def library(tmp_path, monkeypatch):
    made = Library(tmp_path / "p", monkeypatch)
    made.folder.mkdir(exist_ok=True)
    for letter in "abcde":
        made.add(f"{letter}.png", letter)
    made.sync()
    made.tell()
    return made


def test_there_are_no_groups_where_nothing_is_alike(library):
    assert library.shown() == []
    assert repr(library.groups()) == "<DuplicateGroups: 0 groups of 0 files>"


def test_the_keeper_comes_first_and_members_by_how_sure_they_are(library):
    library.tell(("ab", "edited", 0.92), ("ac", "same", 0.99))
    (group,) = library.groups()
    assert library.shown() == ["A c b"]
    assert (group.kind, group.probability) == ("edited", pytest.approx(0.92))
    assert [image.kind for image in group.images] == ["edited", "same", "edited"]
    assert [image.probability for image in group.images] == pytest.approx([1.0, 0.99, 0.92])
    assert group.because == "more pixels"


def test_json_is_what_the_design_says(library):
    library.tell(("ab", "same", 0.99, 6))
    (group,) = library.groups().to_dict(lambda path: path.rpartition("/")[2])["groups"]
    ids = [f"{library.ids[letter]:016x}" for letter in "ab"]
    assert group == {
        "kind": "same",
        "probability": 0.99,
        "images": [
            {"id": ids[0], "probability": 1.0, "turn": 1, "files": [{"path": "a.png", "keep": True}]},
            {"id": ids[1], "probability": 0.99, "turn": 6, "files": [{"path": "b.png", "keep": False}]},
        ],
    }
    assert json.loads(json.dumps(group)) == group


def test_the_turn_is_told_of_each_beside_the_keeper_whichever_has_the_smaller_id(library):
    for names in ("ab", "ac", "ad", "ae"):
        library.tell((names, "same", 0.99, 6))
        (group,) = library.groups()
        assert [image.turn for image in group.images] == [1, 6]
    library.tell(("ab", "same", 0.99, 6))
    (group,) = library.groups(prefer="smaller")
    assert [image.turn for image in group.images] == [1, 8]  # back again


def test_pairs_below_the_probability_and_of_other_kinds_do_not_count(library):
    library.tell(("ab", "same", 0.24), ("cd", "series", 0.99), ("de", "together", 0.95))
    assert library.shown() == ["D E"]
    assert library.shown(min_probability=0.2) == ["A b", "D E"]
    assert library.shown(kinds=["series"]) == ["C D"]
    assert library.shown(kinds="same", min_probability=0) == ["A b"]


def test_what_was_only_taken_together_is_all_kept(library):
    library.tell(("ab", "together", 0.95), ("ac", "together", 0.95))
    assert library.shown() == ["A B C"]
    assert library.groups().n_bytes_freed == 0


def test_a_copy_of_one_of_a_burst_stands_with_its_original(library):
    library.tell(
        ("ab", "together", 0.99), ("bc", "same", 0.95), ("ac", "together", 0.99), ("ad", "together", 0.99)
    )
    assert library.shown() == ["B c", "A D"]


def test_identical_files_are_a_group_though_nothing_was_compared(library):
    library.add("x/a copy.png", "a")
    library.add("x/a.png", "a")
    library.sync()
    (group,) = library.groups()
    assert library.shown() == ["A+x/a+x/a copy"]
    assert (group.kind, group.probability, len(group.images)) == ("identical", 1.0, 1)
    assert (
        group.because == "a name without “copy” or “(1)”"
        or group.because == "older: by the date taken, else the file's"
    )
    assert group.n_bytes_freed == 2 * (library.folder / "a.png").stat().st_size
    assert library.shown(kinds=["same"]) == []


def test_a_group_has_all_files_of_its_images(library):
    library.add("x/a.png", "a")
    library.add("x/b.png", "b")
    library.sync()
    library.tell(("ab", "same", 0.99))
    assert library.shown(prefer="pixels,folder=x") == ["X/A+a x/b+b"]
    assert library.shown(prefer="smaller,folder=x") == ["X/B+b x/a+a"]


def test_groups_are_sorted_by_kind_then_by_how_sure_then_by_path(library):
    library.add("x/e.png", "e")
    library.sync()
    library.tell(("ab", "edited", 0.99), ("cd", "same", 0.91))
    assert library.shown() == ["E+x/e", "C d", "A b"]
    library.tell(("ab", "same", 0.91), ("cd", "same", 0.91))
    assert library.shown() == ["E+x/e", "A b", "C d"]


def test_a_table_has_a_row_a_file(library):
    library.tell(("ab", "same", 0.99))
    table = library.groups().to_arrow().to_pydict()
    assert table["path"] == [str(library.folder / "a.png"), str(library.folder / "b.png")]
    assert (table["group"], table["keep"], table["width"]) == ([0, 0], [True, False], [90, 80])


# Decisions --------------------------------------------------------------------------------------------------


def test_what_is_no_duplicate_stands_in_no_group_with_the_other(library):
    library.tell(("ab", "same", 0.99), ("ac", "same", 0.98), ("bc", "same", 0.97))
    library.decide("b", "c", "not_duplicate")
    assert library.shown() == ["A b"]
    library.decide("a", "b", "not_duplicate")
    assert library.shown() == ["A c"]


def test_a_decided_pair_is_shown_only_where_it_is_asked_for(library):
    library.tell(("ab", "same", 0.99))
    library.decide("b", "a", "keep")
    assert library.shown() == []
    assert library.groups().n_decided == 1
    assert library.shown(decided=True) == ["B a"]
    (group,) = library.groups(decided=True)
    assert (group.is_decided, group.because) == (True, "you decided so")


def test_to_remove_one_is_to_keep_the_other(library):
    library.tell(("ab", "same", 0.99))
    library.decide("a", "b", "remove")
    assert library.shown(decided=True) == ["B a"]


def test_alternates_are_both_kept(library):
    library.tell(("ab", "same", 0.99))
    library.decide("a", "b", "alternates")
    assert library.shown(decided=True) == ["A B"]


def test_a_third_copy_comes_up_again_beside_what_was_decided(library):
    library.tell(("bc", "same", 0.99))
    library.decide("c", "b", "keep")
    assert library.shown() == []
    library.tell(("bc", "same", 0.99), ("ab", "same", 0.99), ("ac", "same", 0.99))
    # The third is the best by the rules; what was kept of the two is not taken away for that.
    assert library.shown() in (["A C b"], ["A b C"])


def test_decisions_that_go_round_in_a_circle_leave_one(library):
    library.tell(("ab", "same", 0.99), ("bc", "same", 0.99), ("ac", "same", 0.99))
    for pair in ("ab", "bc", "ca"):
        library.decide(*pair, "keep")
    (shown,) = library.shown(decided=True)
    assert sum(letter.isupper() for letter in shown) == 1


def test_decisions_outlast_renaming(library):
    library.tell(("ab", "same", 0.99))
    library.decide("b", "a", "keep")
    shutil.move(library.folder / "b.png", library.folder / "z.png")
    library.sync()
    assert library.shown() == []
    assert library.shown(decided=True) == ["Z a"]


def test_files_of_one_image_are_decided_by_their_paths(library):
    library.add("x/a.png", "a")
    library.sync()
    library.decide("x/a", "a", "keep")
    assert library.shown() == []
    assert library.shown(decided=True) == ["X/A+a"]
    library.decide("x/a", "a", "alternates")
    assert library.shown(decided=True) == ["A+X/A"]
    library.decide("x/a", "a", "not_duplicate")
    assert library.shown(decided=True) == []


# Where ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folders(library):
    """The same in folders: a, b, c in old, d and e in new, beside a copy of a; all five are one picture."""
    for letter in "abc":
        shutil.move(library.folder / f"{letter}.png", library.folder / f"{letter}")
        library.add(f"old/{letter}.png", letter)
        (library.folder / letter).unlink()
    for letter in "de":
        library.add(f"new/{letter}.png", letter)
        (library.folder / f"{letter}.png").unlink()
    library.add("new/a.png", "a")
    library.sync()
    library.tell(
        *((pair, "same", 0.99) for pair in ("ab", "ac", "ad", "ae", "bc", "bd", "be", "cd", "ce", "de"))
    )
    return library


def test_within_a_folder_only_its_files_count(folders):
    assert folders.shown(folder=folders.folder / "new") == ["NEW/A new/d new/e"]
    assert folders.shown(folder=folders.folder / "old") == ["OLD/A old/b old/c"]
    with pytest.raises(QueryNotFoundError):
        folders.shown(folder=folders.folder / "nothing")


def test_against_a_folder_that_one_is_kept_and_its_own_duplicates_are_left_alone(folders):
    old, new = folders.folder / "old", folders.folder / "new"
    # The copy of a that is new is like b and c, which are old, too.
    assert folders.shown(folder=new, against=old) == ["OLD/A+new/a OLD/B OLD/C new/d new/e"]
    assert folders.shown(against=old) == folders.shown(folder=new, against=old)
    (group,) = folders.groups(folder=new, against=old, prefer="smaller")
    smallest = min(old.iterdir(), key=lambda file: file.stat().st_size)
    assert group.files[0].path == str(smallest)
    assert group.because == f"it lies in {old}"
    kept = {file.stored_path.partition(":")[2]: file.keep for file in group.files}
    assert kept["new/d.png"] is kept["new/e.png"] is kept["new/a.png"] is False
    (new / "a.png").unlink()
    folders.sync()
    assert folders.shown(folder=new, against=old) == ["OLD/A new/d new/e"]


def test_across_splits_are_groups_that_lie_in_several(library):
    for letter, split in zip("abcde", ("train", "train", "test", "val", "other"), strict=True):
        library.add(f"{split}/{letter}.png", letter)
        (library.folder / f"{letter}.png").unlink()
    library.sync()
    library.tell(("ab", "same", 0.99))
    assert library.shown(across_splits=True) == []
    library.tell(("ac", "same", 0.99), ("de", "same", 0.99))
    assert library.shown(across_splits=True) == ["TRAIN/A test/c"]


def test_where_there_are_no_splits_it_is_said(library):
    with pytest.raises(QueryNotFoundError, match="train, val, test"):
        library.groups(across_splits=True)


def test_pairs_that_were_compared_through_a_third_elsewhere_are_to_be_compared(folders, monkeypatch):
    # d and e both lie on a, which is only asked for outside.
    folders.tell(("bd", "same", 0.99), ("be", "same", 0.99))
    asked = []
    monkeypatch.setattr(completing, "lay", lambda resources, stored, pairs, watch: asked.append(pairs))
    assert folders.shown(folder=folders.folder / "new") == []
    assert asked[0] == [(*sorted((folders.ids["d"], folders.ids["e"])), 1)]


@pytest.mark.parametrize(
    "asked",
    [
        {"kinds": "alike"},
        {"kinds": []},
        {"min_probability": 1.5},
        {"min_probability": float("nan")},
        {"prefer": "best"},
        {"against": "old", "across_splits": True},
    ],
)
def test_what_cannot_be_asked_for_is_refused(library, asked):
    with pytest.raises(InvalidInputError) as raised:
        library.groups(**asked)
    assert raised.value.field in asked
