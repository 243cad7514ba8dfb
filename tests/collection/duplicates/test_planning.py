"""A plan takes what is there twice, with what belongs to it, and never the last of a group."""

import contextlib
import datetime
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lookalike.collection.duplicates.acting import How, apply
from lookalike.collection.duplicates.undoing import undo
from lookalike.errors import ConflictError, InvalidInputError
from lookalike.results.duplicate_plans import DuplicatePlan, check_plan
from lookalike.results.duplicates import DuplicateFile, DuplicateGroup, DuplicateGroups, DuplicateImage
from pictures import picture


def goes(plan):
    return {os.path.relpath(row.go.path, Path(plan.collection).parent) for row in plan.rows}


def left(plan):
    return {os.path.relpath(each.path, Path(plan.collection).parent): each.why for each in plan.left_out}


def along(row):
    return {Path(each.path).name for each in row.belongings}


def behind(row):
    return {Path(each.path).name: each.why for each in row.stays}


def shot(scene, folder, *endings, number=7, stem="IMG_1"):
    """Write a shot in several forms, the pictures of one content each, whatever the folder."""
    place = scene.photos / folder
    place.mkdir(exist_ok=True)
    for ending in endings:
        file = place / f"{stem}{ending}"
        if ending.lower() in (".jpg", ".png", ".heic"):
            picture(number).save(file, "PNG" if ending != ".jpg" else "JPEG")
        else:
            file.write_bytes(ending.encode())


def test_each_file_that_is_not_kept_goes_and_what_stays_for_it_is_named(scene):
    plan = scene.plan()
    assert goes(plan) == {"copies/a.png", "copies/a-small.png", "copies/b.png"}
    rows = {Path(row.go.path).name: row for row in plan}
    assert rows["a.png"].kind == rows["b.png"].kind == "identical"
    assert rows["a.png"].probability == 1.0
    assert (rows["a-small.png"].kind, rows["a-small.png"].probability) == ("edited", 0.97)
    assert rows["a-small.png"].keep.path == str(scene.photos / "a.png")
    assert plan.size == sum((scene.photos / each).stat().st_size for each in goes(plan))
    assert (scene.photos / "copies" / "a.png").exists()


def test_a_group_of_which_nothing_is_kept_is_left_out(scene):
    group = scene.group([("a.png", False), ("copies/a.png", False)])
    plan = scene.plan([group])
    assert len(plan) == 0
    assert set(left(plan).values()) == {"no file of its group is to be kept"}


def test_a_group_whose_kept_file_is_gone_is_left_out(scene):
    groups = scene.usual()
    (scene.photos / "b.png").unlink()
    plan = scene.plan(groups)
    assert goes(plan) == {"copies/a.png", "copies/a-small.png"}
    assert "is not there any more" in left(plan)["copies/b.png"]


@pytest.mark.parametrize("kind", ["together", "series"])
def test_what_is_no_duplicate_goes_only_when_it_is_asked_for(scene, kind):
    groups = [scene.group([("a.png", True)], [("c.png", False)], kind=kind)]
    plan = scene.plan(groups)
    assert len(plan) == 0
    assert kind in left(plan)["c.png"]
    assert goes(scene.plan(groups, kinds=[kind])) == {"c.png"}


def test_a_kind_that_is_none_is_refused(scene):
    with pytest.raises(InvalidInputError, match="kinds has 'twins'"):
        scene.plan(kinds=["twins"])


def test_a_file_that_was_changed_since_the_last_sync_is_left_out(scene):
    groups = scene.usual()
    (scene.photos / "copies" / "b.png").write_bytes(b"another")
    (scene.photos / "a.png").write_bytes(b"another")
    plan = scene.plan(groups)
    assert len(plan) == 0
    assert "bring the collection up to date first" in left(plan)["copies/b.png"]
    assert "which is kept for it" in left(plan)["copies/a.png"]


def test_what_lies_in_the_collection_itself_is_left_out(scene):
    scene.collection.add([(picture(2, 60), "key")])
    stored = "added:key"
    places = scene.resources.places
    image = places.snapshot.image_at(stored)

    def made(keep):
        own = DuplicateFile(places.absolute(stored), stored, keep)
        theirs = DuplicateFile(str(scene.photos / "c.png"), scene.stored("c.png"), not keep)
        images = (
            DuplicateImage(scene.id_of("c.png"), 1.0, 1, "same", (theirs,)),
            DuplicateImage(image, 0.99, 1, "same", (own,)),
        )
        return DuplicateGroup("same", 0.99, images)

    for keep in (True, False):
        plan = scene.plan([made(keep)])
        assert len(plan) == 0
        assert any("added by call" in each for each in left(plan).values())


def test_a_root_that_is_not_there_is_named(scene):
    other = scene.folder / "other"
    other.mkdir()
    shutil.copy(scene.photos / "b.png", other / "b.png")
    scene.collection.add_root(other)
    scene.sync()
    stored = DuplicateFile(str(other / "b.png"), "other:b.png", False)
    kept = DuplicateFile(str(scene.photos / "b.png"), scene.stored("b.png"), True)
    image = DuplicateImage(scene.id_of("b.png"), 1.0, 1, "identical", (kept, stored))
    group = DuplicateGroup("identical", 1.0, (image,))
    assert len(scene.plan([group])) == 1
    other.rename(scene.folder / "elsewhere")
    plan = scene.plan([group])
    assert len(plan) == 0
    assert left(plan)["../other/b.png"] == f"its root {other} is not there"


def test_pictures_of_one_shot_are_no_duplicates_of_each_other(scene):
    shutil.copy(scene.photos / "a.png", scene.photos / "IMG_E1234.png")
    shutil.copy(scene.photos / "c.png", scene.photos / "IMG_1234.png")
    scene.sync()
    plan = scene.pair("IMG_1234.png", "IMG_E1234.png")
    assert len(plan) == 0
    assert "of one shot" in left(plan)["IMG_E1234.png"]


def test_side_files_go_with_their_picture_and_come_back(scene):
    shot(scene, "one", ".jpg")
    shot(scene, "two", ".jpg", ".xmp", ".jpg.pp3", ".AAE")
    scene.sync()
    before = scene.tree()
    plan = scene.plan([scene.group([("one/IMG_1.jpg", True), ("two/IMG_1.jpg", False)])])
    assert along(plan[0]) == {"IMG_1.xmp", "IMG_1.jpg.pp3", "IMG_1.AAE"}
    report = apply(scene.resources, plan, How("trash"))
    assert len(report.done) == 4
    assert not list((scene.photos / "two").iterdir())
    undo(scene.resources)
    assert scene.tree() == before


def test_a_side_file_stays_with_a_raw_that_stays(scene):
    shot(scene, "one", ".jpg")
    shot(scene, "two", ".jpg", ".CR2", ".xmp", ".jpg.xmp")
    scene.sync()
    plan = scene.plan([scene.group([("one/IMG_1.jpg", True), ("two/IMG_1.jpg", False)])])
    assert along(plan[0]) == {"IMG_1.jpg.xmp"}
    assert behind(plan[0]) == {
        "IMG_1.xmp": "it belongs to IMG_1.CR2, too, which stays",
        "IMG_1.CR2": "another picture of the same shot",
    }
    apply(scene.resources, plan, How("trash"))
    assert {each.name for each in (scene.photos / "two").iterdir()} == {"IMG_1.CR2", "IMG_1.xmp"}


def test_a_side_file_of_two_that_both_go_goes_with_the_last(scene):
    shot(scene, "one", ".jpg", ".png")
    shot(scene, "two", ".jpg", ".png", ".xmp")
    scene.sync()
    groups = [
        scene.group([(f"one/IMG_1{ending}", True), (f"two/IMG_1{ending}", False)])
        for ending in (".jpg", ".png")
    ]
    plan = scene.plan(groups)
    assert [along(row) for row in plan] == [set(), {"IMG_1.xmp"}]
    assert len(apply(scene.resources, plan, How("trash"), dry_run=True).done) == 3
    (scene.photos / "one" / "IMG_1.jpg").unlink()  # so that the first of both stays
    report = apply(scene.resources, plan, How("trash"))
    assert {Path(each.path).name for each in report.done} == {"IMG_1.png"}
    assert any("which is still there" in each.why for each in report.skipped)
    assert (scene.photos / "two" / "IMG_1.xmp").exists()


def test_a_film_goes_only_if_one_of_its_content_stays(scene):
    shot(scene, "one", ".jpg", ".MOV")
    shot(scene, "two", ".jpg", ".MOV")
    shot(scene, "three", ".jpg", ".MOV")
    (scene.photos / "three" / "IMG_1.MOV").write_bytes(b"another film")
    scene.sync()
    files = [("one/IMG_1.jpg", True), ("two/IMG_1.jpg", False), ("three/IMG_1.jpg", False)]
    plan = scene.plan([scene.group(files)])
    rows = {Path(row.go.path).parent.name: row for row in plan}
    assert along(rows["two"]) == {"IMG_1.MOV"}
    assert along(rows["three"]) == set()
    assert "none of its content" in behind(rows["three"])["IMG_1.MOV"]
    (scene.photos / "one" / "IMG_1.MOV").unlink()
    report = apply(scene.resources, plan, How("trash"))
    assert [each.why for each in report.skipped] == [
        f"no film of its content lies beside {scene.photos / 'one' / 'IMG_1.jpg'}"
    ]
    assert (scene.photos / "two" / "IMG_1.MOV").exists()


def test_hard_links_leave_side_files_where_they_are(scene):
    (scene.photos / "copies" / "b.png.xmp").write_text("<x/>")
    apply(scene.resources, scene.plan(), How("hardlink"))
    assert (scene.photos / "copies" / "b.png.xmp").exists()


def test_what_is_said_of_what_goes_is_named(scene):
    small = scene.photos / "copies" / "a-small.png"
    scene.collection.labels.give([small], "wave")
    scene.collection.sets.add("best", [small])
    scene.collection.fields.set({small: {"price": 3.0, "seen": datetime.datetime(2020, 5, 4)}})
    rows = {Path(row.go.path).name: row for row in scene.plan()}
    assert rows["a-small.png"].passes_on == ("label wave", "set best", "price = 3", "seen = 2020-05-04")
    assert rows["b.png"].passes_on == ()


def test_a_plan_is_read_as_it_was_written(scene):
    (scene.photos / "copies" / "b.png.xmp").write_text("<x/>")
    plan = scene.plan()
    file = scene.folder / "plan.json"
    plan.save(file)
    assert DuplicatePlan.load(file) == plan
    with pytest.raises(ConflictError):
        plan.save(file)
    plan.save(file, force=True)


def edited(document, *path, to):
    """Return a document with something else at a place."""
    made = json.loads(json.dumps(document))
    at = made
    for name in path[:-1]:
        at = at[name]
    if to is None:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return made


WRONG = {
    "no format": (("format",), None),
    "another format": (("format",), "csv"),
    "another version": (("version",), 99),
    "a version that is none": (("version",), True),
    "no rows": (("rows",), None),
    "rows that are none": (("rows",), {"a": 1}),
    "a row that is none": (("rows", 0), 7),
    "a row without a kept file": (("rows", 0, "keep"), None),
    "a row without a file": (("rows", 0, "go", "path"), None),
    "a relative path": (("rows", 0, "go", "path"), "copies/b.png"),
    "a path upwards": (("rows", 0, "go", "path"), "/photos/../etc/passwd"),
    "a path with a zero byte": (("rows", 0, "go", "path"), "/a\0b"),
    "half a surrogate pair": (("rows", 0, "go", "path"), "/a\ud800b"),
    "a sum that is none": (("rows", 0, "go", "sha256"), "abc"),
    "a sum in capitals": (("rows", 0, "go", "sha256"), "A" * 64),
    "a size below 0": (("rows", 0, "go", "size"), -1),
    "a size that is a text": (("rows", 0, "go", "size"), "12"),
    "a kind that is none": (("rows", 0, "kind"), "twins"),
    "a probability above 1": (("rows", 0, "probability"), 1.5),
    "a probability that is none": (("rows", 0, "probability"), "high"),
    "belongings that are none": (("rows", 0, "belongings"), "x"),
    "words that are none": (("rows", 0, "passes_on"), [1]),
}


@pytest.mark.parametrize(("path", "to"), WRONG.values(), ids=WRONG)
def test_a_document_that_is_no_plan_is_refused_in_a_sentence(scene, path, to):
    document = edited(scene.plan().to_dict(), *path, to=to)
    file = scene.folder / "plan.json"
    file.write_text(json.dumps(document))
    with pytest.raises(InvalidInputError) as raised:
        DuplicatePlan.load(file)
    assert str(file) in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 10_000])
def test_a_file_that_is_no_document_is_refused(tmp_path, content):
    file = tmp_path / "plan.json"
    file.write_bytes(content)
    with pytest.raises(InvalidInputError):
        DuplicatePlan.load(file)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="cannot read"):
        DuplicatePlan.load(tmp_path / "plan.json")


def test_what_is_to_be_kept_cannot_go_in_another_row(scene):
    document = scene.plan().to_dict()
    first, second = document["rows"][:2]
    first["keep"], first["kind"] = second["go"], "edited"
    with pytest.raises(InvalidInputError, match="to be kept, and to go as well"):
        DuplicatePlan.from_dict(document | {"rows": [first, second]})
    with pytest.raises(InvalidInputError, match="goes twice"):
        DuplicatePlan.from_dict(document | {"rows": [document["rows"][2]] * 2})


def test_kept_and_gone_may_be_swapped_by_hand(scene):
    document = scene.plan().to_dict()
    row = document["rows"][2]
    row["keep"], row["go"] = row["go"], row["keep"]
    plan = DuplicatePlan.from_dict(document | {"rows": [row]})
    assert len(apply(scene.resources, plan, How("trash")).done) == 1
    assert not (scene.photos / "b.png").exists()
    assert (scene.photos / "copies" / "b.png").exists()


def test_a_file_that_does_not_belong_does_not_go_along_whatever_a_plan_says(scene):
    document = scene.plan().to_dict()
    row = document["rows"][2]
    other = document["rows"][0]["go"]
    plan = DuplicatePlan.from_dict(document | {"rows": [row | {"belongings": [other]}]})
    report = apply(scene.resources, plan, How("trash"))
    assert "by its name, it does not belong" in report.skipped[0].why
    assert Path(other["path"]).exists()
    far = {**other, "path": str(scene.photos / "c.png")}
    with pytest.raises(InvalidInputError, match="does not lie beside"):
        DuplicatePlan.from_dict(document | {"rows": [row | {"belongings": [far]}]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    JSON,
    st.sampled_from(["format", "version", "rows", "left_out", "collection", "made"]),
)
def test_whatever_stands_in_a_plan_is_read_or_refused(value, name):
    document = {
        "format": "lookalike duplicate plan",
        "version": 1,
        "collection": "/p/.lookalike",
        "made": "",
        "rows": [],
    }
    with contextlib.suppress(InvalidInputError):
        check_plan(DuplicatePlan.from_dict(document | {name: value}))


def test_two_pictures_of_one_content_beside_each_other_take_no_side_file_of_what_stays(scene):
    shutil.copy(scene.photos / "b.png", scene.photos / "b-copy.png")
    (scene.photos / "b.xmp").write_text("<x/>")
    scene.sync()
    plan = scene.plan(DuplicateGroups((scene.group([("b.png", True), ("b-copy.png", False)]),)))
    assert along(plan[0]) == set()
    Image.open(scene.photos / "b.png").verify()
