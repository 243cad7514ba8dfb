"""``lookalike index``, as a user meets it."""

import json
import shutil
from pathlib import Path

import pytest

from lookalike import Collection
from pictures import picture


def test_index_json_is_one_document_with_every_count(call, photos):
    (photos / "broken.jpg").write_bytes(b"no")
    code, out, err = call("index", photos, "--json", cwd=photos.parent)
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document.pop("seconds") > 0
    assert document == {
        "added": 6,
        "embedded": 6,
        "changed": 0,
        "moved": 0,
        "removed": 0,
        "unchanged": 0,
        "refreshed": 0,
        "doubtful": 0,
        "failed": 1,
        "carried": 0,
        "replaced": 0,
        "copies": 0,
        "alike": None,
        "failed_before": 0,
        "passed_over": {"documents": {"count": 1, "names": [".txt"]}},
        "failures": [{"path": "photos/broken.jpg", "reason": document["failures"][0]["reason"]}],
        "notes": [],
    }
    assert "not an image" in document["failures"][0]["reason"]


def test_an_unchanged_collection_is_refreshed_from_any_folder_in_it(call, photos):
    call("index", photos)
    code, out, _ = call("index", "--json", cwd=photos / "cats")
    assert (code, json.loads(out)["unchanged"]) == (0, 6)
    picture(50).save(photos / "dogs/new.png")
    code, out, _ = call("index", "dogs", "--json", cwd=photos)
    assert (json.loads(out)["added"], json.loads(out)["unchanged"]) == (1, 3)


def test_a_collection_elsewhere_leaves_the_photos_alone(call, photos, tmp_path):
    code, out, _ = call("index", "photos", "-c", "store", "--json", cwd=tmp_path)
    assert (code, json.loads(out)["added"]) == (0, 6)
    assert not (photos / ".lookalike").exists()
    for place in ("store", "store/.lookalike"):
        code, out, _ = call("search", "photos/cats/0.png", "-c", place, "-f")
        assert (code, len(out.splitlines())) == (0, 5)


def test_several_folders_need_a_collection_named(call, photos, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    picture(80).save(other / "80.png")
    code, _, err = call("index", photos, other, cwd=tmp_path)
    assert code == 2
    assert "-c/--collection DIR" in err
    assert not (photos / ".lookalike").exists()
    code, out, _ = call("index", photos, other, "-c", tmp_path / "both", "--json")
    assert (code, json.loads(out)["added"]) == (0, 7)


def test_a_dry_run_of_a_new_folder_leaves_nothing_behind(call, photos):
    code, out, _ = call("index", photos, "--dry-run", "--json")
    assert (code, json.loads(out)["added"], json.loads(out)["embedded"]) == (0, 6, 6)
    assert not (photos / ".lookalike").exists()


def test_a_dry_run_changes_no_setting(call, photos):
    call("index", photos)
    call("index", photos, "--dry-run", "--labels", "none", "--exclude", "dogs")
    code, out, _ = call("index", photos, "--json")
    assert (code, json.loads(out)["unchanged"]) == (0, 6)
    assert json.loads(call("info", "-c", photos, "--json")[1])["labels"] == {"cats": 3, "dogs": 3}


def test_labels_and_exclude_are_remembered(call, photos):
    call("index", photos, "--labels", "none", "--exclude", "dogs")
    code, out, _ = call("index", photos, "--json")
    assert (code, json.loads(out)["unchanged"]) == (0, 3)
    assert json.loads(call("info", "-c", photos, "--json")[1])["labels"] == {}


def test_exclude_adds_no_exclude_clears_and_info_shows(call, photos):
    def excluded():
        return json.loads(call("info", "--json")[1])["exclude"]

    def counts(*words):
        done = json.loads(call("index", *words, "--json")[1])
        return done["added"], done["removed"]

    assert counts(photos) == (6, 0)
    assert "excluded" not in call("info", cwd=photos)[1]
    assert counts("--exclude", "dogs") == (0, 3)
    assert counts("--exclude", "0.png", "--exclude", "dogs") == (0, 1)
    assert excluded() == {".": ["dogs", "0.png"]}
    assert "excluded    dogs, 0.png\n" in call("info")[1]
    assert counts("--dry-run", "--no-exclude") == (4, 0)
    assert counts() == (0, 0)
    assert counts("--no-exclude", "--exclude", "cats") == (3, 2)
    assert excluded() == {".": ["cats"]}
    assert counts("--no-exclude") == (3, 0)
    assert excluded() == {}


def test_named_files_make_a_collection_of_those_files(call, photos):
    code, out, _ = call("index", photos / "cats/0.png", photos / "cats/1.png", "--json")
    assert (code, json.loads(out)["added"]) == (0, 2)
    assert (photos / "cats/.lookalike").is_dir()


def test_a_quoted_glob_makes_a_collection_of_what_it_matches(call, photos):
    code, out, _ = call("index", f"{photos}/**/[1-4].png", "--json")
    assert (code, json.loads(out)["added"]) == (0, 4)
    assert (photos / ".lookalike").is_dir()


def test_quiet_says_nothing(call, photos):
    assert call("index", photos, "--quiet") == (0, "", "")


def test_losing_most_images_is_refused_in_one_line(call, photos):
    call("index", photos)
    shutil.rmtree(photos / "cats")
    (photos / "dogs/3.png").unlink()
    code, out, err = call("index", photos)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--prune" in err
    code, out, _ = call("index", photos, "--prune", "--json")
    assert (code, json.loads(out)["removed"]) == (0, 4)


def test_an_unknown_model_makes_no_collection(call, photos):
    code, _, err = call("index", photos, "--model", "resnet")
    assert (code, err.count("\n")) == (2, 1)
    assert "no model is called 'resnet'" in err
    assert not (photos / ".lookalike").exists()


def test_a_root_that_is_gone_is_refused_until_it_is_given_up(call, photos, tmp_path):
    call("index", "photos", "-c", "store", cwd=tmp_path)
    photos.rename(tmp_path / "unplugged")
    for words in (["photos"], []):
        code, _, err = call("index", *words, "-c", "store")
        assert (code, "is missing (an unplugged drive?)" in err) == (2, True)
    assert call("index", "-c", "store", "--prune", "-q") == (0, "", "")
    assert call("index", "-c", "store", "-q") == (0, "", "")


def test_a_dry_run_refuses_what_the_run_would_refuse(call, photos, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for more in ([], ["--dry-run"]):
        code, _, err = call("index", photos, other, *more)
        assert (code, "-c/--collection DIR" in err) == (2, True)


def test_a_folder_and_one_inside_it_are_one_root(call, photos, tmp_path):
    code, out, _ = call("index", photos / "cats", photos, "-c", tmp_path / "c", "--json")
    assert (code, json.loads(out)["added"]) == (0, 6)


def test_index_without_a_path_makes_a_collection_of_the_folder_one_stands_in(call, photos, tmp_path):
    code, out, _ = call("index", cwd=photos)
    assert (code, "6 added" in out) == (0, True)
    assert (photos / ".lookalike").is_dir()
    code, out, _ = call("index", cwd=photos / "cats")
    assert (code, "6 unchanged" in out) == (0, True)
    assert not (photos / "cats/.lookalike").exists()


def test_index_without_a_path_keeps_the_collection_where_it_was_told_to(call, photos, tmp_path):
    for counts in ("6 added", "6 unchanged"):
        code, out, _ = call("index", "-c", tmp_path / "elsewhere", cwd=photos)
        assert (code, counts in out) == (0, True)
    assert not (photos / ".lookalike").exists()
    assert Collection.open(tmp_path / "elsewhere").roots == (photos,)


@pytest.mark.parametrize("more", [[], ["--json"], ["--dry-run"]])
def test_index_without_a_path_leaves_nothing_where_there_are_no_images(call, tmp_path, more):
    (tmp_path / "bare").mkdir()
    code, out, err = call("index", *more, cwd=tmp_path / "bare")
    assert (code, out) == (2, "")
    assert f"no images in {tmp_path / 'bare'}" in err
    assert list((tmp_path / "bare").iterdir()) == []


def test_index_without_a_path_does_not_take_the_home_or_the_root_of_the_system(call, photos, monkeypatch):
    monkeypatch.setenv("HOME", str(photos))
    for folder in (photos, Path(photos.anchor)):
        code, _, err = call("index", "--dry-run", cwd=folder)
        assert (code, err.count("\n")) == (2, 1)
        assert "`lookalike index .`" in err
    code, out, _ = call("index", ".", cwd=photos)
    assert (code, "6 added" in out) == (0, True)


def test_what_failed_before_is_one_line(call, photos):
    for name in ("a.jpg", "b.jpg"):
        (photos / name).write_bytes(b"no")
    first = call("index", photos)[1]
    assert "2 could not be read:\n  " in first
    assert "as before" not in first
    again = call("index", photos)[1].splitlines()
    assert again[-1] == "2 files fail as before: lookalike info --failures"
    assert not [line for line in again if line.startswith("  ")]
    (photos / "c.jpg").write_bytes(b"")
    (photos / "b.jpg").write_bytes(b"")  # another reason
    third = call("index", photos)[1]
    assert "2 could not be read:\n" in third
    assert "1 file fails as before: lookalike info --failures\n" in third
    document = json.loads(call("index", photos, "--json")[1])
    assert (document["failed"], document["failed_before"]) == (3, 3)


def test_a_clustering_that_was_named_is_shown_by_the_command_that_is_told(call, photos):
    call("index", photos, "--model", "pixels-8-grey", "-q")
    call("cluster", "make", photos, "-k", "2", "-q")
    call("cluster", "edit", photos, "--rename", "0=owls", "-q")
    code, _, err = call("cluster", photos)
    assert (code, "`lookalike cluster show 'kmeans'` shows them" in err) == (2, True)
