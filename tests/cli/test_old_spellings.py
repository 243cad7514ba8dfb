"""What was an option before it was a command goes on working, and says how it is spelled now."""

import json
import shlex

import pytest

from lookalike import Collection

# What was typed; the line that is told; and what is there before, by commands of their own.
SPELLINGS = {
    "cluster --try -k 2,3": "lookalike cluster try -k 2,3",
    "cluster --list": "lookalike cluster list",
    "cluster --list --json": "lookalike cluster list --json",
    "cluster --name kmeans": "lookalike cluster show kmeans",
    "cluster --name kmeans --plot p.png --dark": "lookalike cluster show kmeans --plot p.png --dark",
    "cluster --plot p.png": "lookalike cluster show --plot p.png",
    "cluster --rename 0=owls --rename 1=cats": "lookalike cluster edit --rename 0=owls --rename 1=cats",
    "cluster --name kmeans --merge 0,1": "lookalike cluster edit kmeans --merge 0,1",
    "cluster --move cats/0.png=1 -q": "lookalike cluster edit --move cats/0.png=1 -q",
    "cluster --assign": "lookalike cluster edit --assign",
    "cluster --name kmeans --export out --as symlink": (
        "lookalike cluster export kmeans --to out --as symlink"
    ),
    "cluster --delete --name kmeans": "lookalike cluster delete kmeans",
    "map --list": "lookalike map list",
    "map --new --method pca -o m.png": "lookalike map make --method pca -o m.png",
    "map --new --method pca -o m.png --style tiles --max-tiles 4 --dark": (
        "lookalike map make --method pca -o m.png --style tiles --max-tiles 4 --dark"
    ),
    "map --delete --name pca": "lookalike map delete pca",
}


@pytest.fixture
def made(call, photos):
    """The photos with clusters and a map."""
    assert call("index", photos, "--model", "pixels-8-grey", "-q", cwd=photos)[0] == 0
    assert call("cluster", "make", "-k", "2", "-q")[0] == 0
    assert call("map", "make", "--method", "pca", "-q")[0] == 0
    return photos


@pytest.mark.parametrize("before", SPELLINGS)
def test_an_old_spelling_works_and_says_the_new_one(call, made, before):
    now = SPELLINGS[before]
    code, out, err = call(*shlex.split(before), cwd=made)
    *drawn, told = err.splitlines()
    assert code == 0
    assert told.startswith("lookalike: `lookalike ")
    assert told.endswith(f"is the old spelling of `{now}`")
    assert all(line.startswith("saved ") for line in drawn)
    if "-q" not in before:
        assert out


@pytest.mark.parametrize(
    "before",
    [each for each in SPELLINGS if not any(word in each for word in ("export", "delete", "new", "merge"))],
)
def test_the_new_spelling_prints_what_the_old_one_did(call, made, before):
    old = call(*shlex.split(before), cwd=made)
    again = call(*shlex.split(SPELLINGS[before])[1:])
    assert (again[0], len(again[1])) == (0, len(old[1]))
    if "try" not in before:  # which says how many seconds it took
        assert again[1] == old[1]
    assert "old spelling" not in again[2]


def test_clusters_are_made_shown_and_exported_at_once_as_before(call, made):
    code, out, err = call("cluster", "-k", "3", "--name", "three", "--export", "three.json", "--as", "json")
    assert (code, out.splitlines()[-1]) == (0, "exported 6 images to three.json")
    assert "`lookalike cluster export three --to three.json --as json`" in err
    assert "kmeans" in (made / "three.json").read_text()
    code, out, err = call("cluster", "--name", "three", "--export", "three.csv", "--json")
    assert (code, json.loads(out)["name"]) == (0, "three")
    assert (made / "three.csv").is_file()


def test_an_export_that_cannot_be_is_refused_before_clusters_are_made(call, made):
    code, out, err = call("cluster", "-k", "3", "--name", "three", "--export", "cats")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "three" not in Collection.open(made).clusterings


def test_what_cannot_be_done_gets_no_second_line(call, made):
    for words in ("cluster --name none --rename 0=x", "cluster --delete --name none", "map --delete"):
        code, out, err = call(*words.split(), cwd=made)
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_the_line_of_another_collection_names_it(call, made, tmp_path):
    err = call("cluster", "-c", "photos", "--list", cwd=tmp_path)[2]
    assert err.endswith("`lookalike cluster list -c photos`\n")
