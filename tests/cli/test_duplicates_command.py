"""``lookalike duplicates`` as a person runs it, and as a program does."""

import csv
import json
import shutil
from functools import partial

import pytest
from PIL import Image
from running import run, shell

from edited_pictures import blots
from lookalike import Collection

scene = partial(blots, side=200)


@pytest.fixture
def folder(tmp_path):
    """Six pictures; one small as well, one twice."""
    place = tmp_path / "photos"
    (place / "new").mkdir(parents=True)
    for number in range(6):
        scene(number).save(place / f"{number}.png")
    scene(1).resize((100, 100)).save(place / "new/1 small.jpg")
    shutil.copy(place / "2.png", place / "new/2 copy.png")
    Collection.create(place, model="pixels-8-grey").sync()
    return place


def test_a_program_gets_a_line_a_file(call):
    code, out, err = call("duplicates")
    lines = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert [line[0:2] + line[3:5] + line[6:] for line in lines] == [
        ["1", "identical", "keep", "200x200", "2.png"],
        ["1", "identical", "-", "200x200", "new/2 copy.png"],
        ["2", "same", "keep", "200x200", "1.png"],
        ["2", "same", "-", "100x100", "new/1 small.jpg"],
    ]
    told = err.splitlines()
    assert told[0].startswith("compared 7 images with all others")
    assert told[1].startswith("2 groups, 4 files; ")
    assert told[1].endswith(" could be freed")
    assert call("duplicates")[2].splitlines() == told[1:]


def test_json_has_groups_and_nothing_else(call, folder):
    code, out, err = call("duplicates", "--json")
    document = json.loads(out)
    assert (code, err, list(document)) == (0, "", ["groups"])
    assert document == Collection.open(folder).duplicates.groups().to_dict(
        lambda path: path[len(str(folder)) + 1 :]
    )
    (first, second) = document["groups"]
    assert [set(group) for group in document["groups"]] == [{"kind", "probability", "images"}] * 2
    assert [file["path"] for file in first["images"][0]["files"]] == ["2.png", "new/2 copy.png"]
    assert set(second["images"][1]) == {"id", "probability", "turn", "files"}


def test_paths_of_what_need_not_be_kept_go_to_other_programs(call, folder):
    assert call("duplicates", "-f", "-q") == (0, "new/2 copy.png\nnew/1 small.jpg\n", "")
    done = shell("lookalike duplicates -f -q | tr '\\n' '\\0' | xargs -0 ls", folder)
    assert sorted(done.stdout.splitlines()) == ["new/1 small.jpg", "new/2 copy.png"]
    assert call("duplicates", "-f", "--json")[0] == 2


def test_filters_rules_and_limits(call):
    assert call("duplicates", "--kind", "identical", "-f", "-q")[1] == "new/2 copy.png\n"
    assert call("duplicates", "--kind", "same", "--kind", "edited", "-f", "-q")[1] == "new/1 small.jpg\n"
    assert call("duplicates", "--prefer", "folder=new", "-f", "-q")[1] == "2.png\n1.png\n"
    assert call("duplicates", "--limit", "1", "-f", "-q")[1] == "new/2 copy.png\n"
    assert call("duplicates", "--in", "new", "-f", "-q")[1] == ""
    assert call("duplicates", "--against", "new", "-f", "-q")[1] == "2.png\n1.png\n"
    assert call("duplicates", "--min-probability", "1", "-f", "-q")[1] == "new/2 copy.png\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--prefer best", "prefer has 'best'; expected original, pixels, format, "),
        ("--kind alike", "kinds has 'alike'; expected identical, same, edited, together, series"),
        ("--min-probability 2", "min_probability is 2"),
        ("--in nothing", "nothing"),
        ("--across-splits", "there are no two splits to compare"),
        ("--limit 0", "expected 1 or more"),
        ("decide 1.png 2.png maybe", "decision is 'maybe'; expected keep, remove, not_duplicate, alternates"),
        ("decide 1.png 1.png keep", "a and b are both 1.png"),
        ("decide 1.png nothing.png keep", "nothing.png"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(call, words, told):
    code, out, err = call("duplicates", *words.split())
    assert (code, out) == (2, "")
    assert told in err.splitlines()[-1]


def test_what_is_wrong_is_said_before_anything_is_compared(call, folder):
    for words in ("--prefer best", "--kind alike", "--in nothing", "--plot a.doc"):
        assert call("duplicates", *words.split())[0] == 2
        assert not (folder / ".lookalike/duplicates").exists()


def test_a_decision_is_remembered_and_undone(call, folder):
    assert call("duplicates", "decide", "1.png", "new/1 small.jpg", "not-duplicate")[1] == (
        "1 pair decided (change 1)\n"
    )
    assert call("duplicates", "-f", "-q")[1] == "new/2 copy.png\n"
    assert call("duplicates", "decide", "new/2 copy.png", "2.png", "keep", "--json")[0] == 0
    code, out, err = call("duplicates")
    assert (code, out) == (0, "")
    assert err == "no duplicates among 7 images; 1 group decided already: --decided shows them too\n" or (
        err.endswith("no duplicates among 7 images; 1 group decided already: --decided shows them too\n")
    )
    assert call("duplicates", "--decided", "-f", "-q")[1] == "2.png\n"
    call("undo", "1")
    assert call("duplicates", "-f", "-q")[1] == "new/1 small.jpg\n"


def test_images_are_decided_on_from_anywhere_near_them(call, folder):
    code, out, _ = call(
        "duplicates", "decide", "photos/1.png", "photos/new/1 small.jpg", "keep", cwd=folder.parent
    )
    assert (code, out) == (0, "1 pair decided (change 1)\n")


def test_a_person_is_told_what_is_kept_and_why(call, folder, monkeypatch):
    from lookalike.cli import duplicates

    monkeypatch.setattr(duplicates, "is_for_person", lambda: True)
    out = call("duplicates")[1].splitlines()
    assert out[0] == "identical, 100 %: 2 files of 1 image; kept is 2.png (a name without “copy” or “(1)”)"
    assert out[1].split() == ["keep", "200×200", *out[1].split()[2:4], "2.png"]
    assert out[2].endswith("new/2 copy.png  (identical)")
    assert out[4].startswith("same, 99.")
    assert out[4].endswith(": 2 files; kept is 1.png (more pixels)")
    assert "keep" not in out[6]
    assert out[6].endswith(" %)")
    assert out[-1].startswith("2 groups, 4 files; ")
    assert call("duplicates", "--limit", "1")[1].splitlines()[-2:] == [
        "… and 1 group more: --limit 2 shows all",
        f"1 of 2 groups, 2 files; {duplicates.in_bytes((folder / '2.png').stat().st_size)} could be freed",
    ]


def test_a_contact_sheet_a_table_and_a_page_are_saved(call, folder):
    assert call("duplicates", "--plot", "sheet.png", "-o", "groups.csv", "-q")[0] == 0
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.width > 200
    with (folder / "groups.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["keep"] for row in rows] == ["yes", "no", "yes", "no"] or [row["keep"] for row in rows] == [
        *("True", "False", "True", "False")
    ]
    assert call("duplicates", "-o", "groups.html", "-q")[0] == 0
    assert "new/1 small.jpg" in (folder / "groups.html").read_text()
    assert call("duplicates", "-o", "groups.json", "-q")[0] == 0
    assert len(json.loads((folder / "groups.json").read_text())["groups"]) == 2


def test_where_there_are_no_groups_a_sheet_says_so(call, folder):
    code, _, err = call("duplicates", "--in", "new", "--plot", "sheet.png")
    assert (code, err.count("Traceback")) == (0, 0)
    assert (folder / "sheet.png").exists()


def test_its_name_in_other_programs_leads_to_it(call):
    for word in ("dedupe", "dedup", "dupes", "duplicate", "copies"):
        assert "that is `lookalike duplicates` here" in call(word)[2]
    assert "that is `lookalike duplicates show`" in call("duplicates", "find")[2]


def test_a_folder_may_stand_behind_it(call, folder):
    assert call("duplicates", "photos", "-f", "-q", cwd=folder.parent)[1] == (
        "photos/new/2 copy.png\nphotos/new/1 small.jpg\n"
    )


def test_it_is_run_in_a_process_of_its_own(folder):
    done = run("duplicates", "-f", cwd=folder)
    assert (done.returncode, done.stdout) == (0, b"new/2 copy.png\nnew/1 small.jpg\n")


def test_what_was_damaged_is_said_and_made_anew(call, folder):
    call("duplicates")
    file = folder / ".lookalike/duplicates/duplicates.json"
    file.write_bytes(file.read_bytes()[:-9])
    code, _, err = call("duplicates")
    assert code == 0
    assert err.startswith("lookalike: what was kept of duplicates is made anew: duplicates.json: ")
