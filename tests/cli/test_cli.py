"""The command line as a user meets it: the real program, run."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lookalike
from lookalike import Collection
from lookalike.cli import main
from lookalike.errors import CollectionError, InvalidInputError, ModelError
from lookalike.index import Exact
from lookalike.system.replace_file import replace_file
from permissions import as_nobody, folder_for_all
from pictures import picture

PROGRAM = [sys.executable, "-m", "lookalike"]


def run(*words, cwd=None, **options):
    """Run the program in a process of its own."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", **options.pop("env", {})}
    return subprocess.run(
        [*PROGRAM, *map(str, words)], cwd=cwd, env=environment, capture_output=True, timeout=120, **options
    )


@pytest.fixture
def call(capfdbinary, monkeypatch):
    """Run the command line in this process, which is quicker; give (exit code, output, complaints)."""

    def call_(*words, cwd=None):
        if cwd is not None:
            monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        out, err = capfdbinary.readouterr()
        return left.value.code or 0, out.decode(errors="surrogateescape"), err.decode()

    return call_


def test_the_first_minute_works_as_the_readme_says(photos):
    indexed = run("index", "photos", cwd=photos.parent)
    assert (indexed.returncode, indexed.stderr) == (0, b"")
    assert b"6 added" in indexed.stdout
    found = run("search", "photos/cats/0.png", "-k", "2", cwd=photos.parent)
    assert (found.returncode, found.stderr) == (0, b"")
    lines = found.stdout.decode().splitlines()
    assert len(lines) == 2
    rank, score, label, path = lines[0].split("\t")
    assert (rank, label in ("cats", "dogs"), Path(photos.parent, path).is_file()) == ("1", True, True)
    assert 0 < float(score) < 1
    assert b"images      6" in run("info", cwd=photos).stdout


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
        "passed_over": {"documents": {"count": 1, "names": [".txt"]}},
        "failures": [{"path": "photos/broken.jpg", "reason": document["failures"][0]["reason"]}],
        "notes": [],
    }
    assert "not an image" in document["failures"][0]["reason"]


def test_search_json_has_the_documented_fields_and_relative_paths(call, photos):
    call("index", photos)
    shutil.copy(photos / "cats/1.png", photos / "dogs/copy.png")
    call("index", photos)
    code, out, _ = call("search", "cats/0.png", "--json", "-k", "5", cwd=photos)
    document = json.loads(out)
    assert code == 0
    assert list(document) == ["query", "model", "index", "hits"]
    assert (document["query"], document["model"], document["index"]) == ("cats/0.png", "lite0-int8", "exact")
    assert [hit["rank"] for hit in document["hits"]] == [1, 2, 3, 4, 5]
    for hit in document["hits"]:
        assert list(hit)[:6] == ["rank", "path", "score", "distance", "label", "id"]
        assert (photos / hit["path"]).is_file()
        assert len(hit["id"]) == 16
        assert hit["score"] == pytest.approx(1 - hit["distance"], abs=2e-6)
    (double,) = [hit for hit in document["hits"] if "paths" in hit]
    assert (double["path"], double["paths"]) == ("cats/1.png", ["cats/1.png", "dogs/copy.png"])


def test_several_queries_and_not_are_told_in_json(call, photos):
    call("index", photos)
    code, out, _ = call("search", "cats/0.png", "cats/1.png", "--not", "dogs/3.png", "--json", cwd=photos)
    document = json.loads(out)
    assert code == 0
    assert (document["query"], document["not"]) == (["cats/0.png", "cats/1.png"], ["dogs/3.png"])
    assert len(document["hits"]) == 3


def test_filepath_only_prints_paths_for_other_programs(call, photos):
    call("index", photos)
    code, out, _ = call("search", "cats/0.png", "-f", "-t", "3", cwd=photos)
    assert code == 0
    assert len(out.splitlines()) == 3
    assert all((photos / line).is_file() for line in out.splitlines())


def test_a_file_name_alone_is_a_search(call, photos):
    call("index", photos)
    code, out, _ = call("cats/0.png", "-k", "1", cwd=photos)
    assert (code, len(out.splitlines())) == (0, 1)


def test_include_self_puts_the_query_first(call, photos):
    call("index", photos)
    _, out, _ = call("search", "cats/0.png", "--include-self", "-f", cwd=photos)
    assert out.splitlines()[0] == "cats/0.png"


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_plot_saves_a_picture(call, photos, tmp_path, ending):
    call("index", photos)
    target = tmp_path / f"strip{ending}"
    outside = tmp_path / "outside.png"
    picture(50).save(outside)
    code, _, err = call("search", "cats/0.png", outside, "--not", "dogs/4.png", "--plot", target, cwd=photos)
    assert (code, err) == (0, f"saved {target}\n")
    assert target.stat().st_size > 2000


def test_plot_refuses_what_it_cannot_write_before_it_searches(call, photos, tmp_path):
    call("index", photos)
    for name, message in (("strip.xyz", "saved as one of .png"), ("none/strip.png", "there is no folder")):
        code, out, err = call("search", "cats/0.png", "--plot", tmp_path / name, cwd=photos)
        assert (code, out) == (2, "")
        assert message in err


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


def test_info_lists_every_failure(call, photos):
    (photos / "broken.jpg").write_bytes(b"no")
    (photos / "empty.jpg").touch()
    call("index", photos)
    code, out, _ = call("info", "--failures", cwd=photos)
    assert code == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == ["broken.jpg", "empty.jpg"]
    document = json.loads(call("info", "--json")[1])
    assert (document["images"], document["failed"], document["roots"]) == (6, 2, ["."])


def test_losing_most_images_is_refused_in_one_line(call, photos):
    call("index", photos)
    shutil.rmtree(photos / "cats")
    (photos / "dogs/3.png").unlink()
    code, out, err = call("index", photos)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--prune" in err
    code, out, _ = call("index", photos, "--prune", "--json")
    assert (code, json.loads(out)["removed"]) == (0, 4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search", "missing.jpg"], "there is no file 'missing.jpg'"),
        (["search", "a red car"], "words cannot be searched for"),
        (["search", "notes.txt"], "not an image"),
        (["search", "cats"], "is a folder"),
        (["search", "empty.png"], "the file is empty"),
        (["search", "http://localhost/x.jpg"], "--allow-private"),
        (["search", "http://169.254.169.254/latest"], "--allow-private"),
        (["search", "file:///etc/passwd"], "only http and https"),
        (["search", "cats/0.png", "--not", "missing.jpg"], "there is no file 'missing.jpg'"),
        (["search", "cats/0.png", "-c", "cats"], "there is no collection in"),
        (["index", "missing"], "there is no file or folder"),
        (["index", "missing/*.jpg"], "nothing matches missing/*.jpg"),
        (["index", "--labels", "magic"], "expected folders or none"),
        (["index", "--model", "resnet"], "lite0-int8"),
        (["info", "-c", "cats"], "there is no collection in"),
        (["index", "-c", "typo"], "there is no collection in"),
        (["index", "x" * 300], "there is no file or folder"),
        (["index", "-c", "y" * 300, "."], "cannot make a collection"),
        (["search", "x" * 300], "there is no file"),
        (["search", "cats/0.png", "--plot", "z" * 300 + "/a.png"], "there is no folder"),
        (["reduce", "1000"], "have at most"),
        (["reduce", "0"], "cannot reduce to 0"),
        (["reduce", "nan"], "cannot reduce to nan (n_components): expected a whole number of dimensions"),
        (["reduce", "inf"], "cannot reduce to inf"),
        (["reduce", "1.5"], "or a share of the variance"),
        (["demo", "nonsense"], "neither a folder nor one of"),
    ],
)
def test_a_request_that_cannot_be_met_is_one_helpful_line_and_exit_2(call, photos, words, message):
    call("index", photos)
    (photos / "empty.png").touch()
    code, out, err = call(*words, cwd=photos)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("lookalike: ")
    assert message in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search", "photos/missing.jpg"], "there is no file 'photos/missing.jpg'"),
        (["search", "photos/new/missing"], "there is no file 'photos/new/missing'"),
        (["search", "photos"], "is a folder; expected an image file"),
        (["search", "photos/cats"], "is a folder; expected an image file"),
        (["info", "photos/cats/missing.jpg"], "no such image: photos/cats/missing.jpg: no such file"),
        (["info", "photos/cats"], "photos/cats is a folder; expected an image file"),
        (["search", "missing.jpg"], "there is no file 'missing.jpg', nor a collection near it"),
        (["info", "missing.jpg"], "there is no file 'missing.jpg', nor a collection near it"),
        (["search", "other/missing"], "there is no file 'other/missing', nor a collection near it"),
        (["search", "other"], "the query other is a folder; expected an image file"),
        (["search", "a red car"], "there is no collection in"),
        (["search", "mnist:test/42"], "there is no collection in"),
        (["search", "http://example.org/a.png"], "there is no collection in"),
    ],
)
def test_a_query_from_outside_that_is_no_file_is_named(call, photos, words, message):
    call("index", photos)
    (photos.parent / "other").mkdir()
    code, out, err = call(*words, cwd=photos.parent)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_an_unknown_model_makes_no_collection(call, photos):
    code, _, err = call("index", photos, "--model", "resnet")
    assert (code, err.count("\n")) == (2, 1)
    assert "no model is called 'resnet'" in err
    assert not (photos / ".lookalike").exists()


def test_a_damaged_collection_is_one_line(call, photos):
    call("index", photos)
    (photos / ".lookalike/collection.json").write_text("{")
    for words in (["index"], ["info"], ["search", "cats/0.png"]):
        code, out, err = call(*words, cwd=photos)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "damaged" in err


def test_the_version_and_the_help_are_there(call):
    assert call("--version")[:2] == (0, f"lookalike {lookalike.__version__}\n")
    for words in ([], ["index"], ["search"], ["info"], ["demo"]):
        code, out, _ = call(*words, "--help")
        assert code == 0
        assert "Usage" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["serach", "x"], "no such command 'serach'. Did you mean 'search'? `lookalike --help` says what"),
        (["--colour"], "no such option: --colour"),
        (["search", "x", "--formt"], "--format"),
        (["train", "finetun"], "Did you mean 'finetune'? `lookalike train --help` says what there is"),
        (["reduce"], "missing argument 'N'; `lookalike reduce --help` says what there is"),
        (["cluster", "--name"], "option '--name' requires an argument"),
        (["info", "--jsn"], "no such option: --jsn"),
        (["map", "--max-tiles", "many"], "invalid value for '--max-tiles': "),
        (["map", "--max-tiles", "0"], "invalid value for '--max-tiles': "),
        (["bench", "extra"], "unexpected extra argument"),
    ],
)
def test_words_that_no_command_takes_are_one_line(call, tmp_path, words, message):
    code, out, err = call(*words, cwd=tmp_path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("lookalike: ")
    assert message in err


def test_no_words_at_all_print_the_help(call, tmp_path):
    for words in ([], ["train"]):
        _, out, err = call(*words, cwd=tmp_path)
        assert "Usage: lookalike" in out
        assert err == ""


def test_characters_that_no_font_has_are_told_once_a_picture(call, photos, monkeypatch):
    (photos / "cats").rename(photos / "日本")
    call("index", photos)
    words = ["search", "日本/0.png", "--plot", "out.png"]
    monkeypatch.setattr("lookalike.plots.style.fonts", lambda: ["DejaVu Sans"])
    code, _, err = call(*words, cwd=photos)
    saved, told = err.splitlines()
    assert (code, saved) == (0, "saved out.png")
    assert told.startswith("lookalike: out.png has � in place of characters that no font here has: 日 本; ")
    _, out, err = call("search", "dogs/3.png", "--label", "dogs", "--plot", "out.png", "--json", cwd=photos)
    assert (len(json.loads(out)["hits"]), err) == (2, "saved out.png\n")


def test_a_reader_that_leaves_early_is_no_error(photos):
    run("index", photos)
    command = f"{sys.executable} -m lookalike search cats/0.png -f | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], cwd=photos, capture_output=True, timeout=60
    )
    assert done.stderr == b""


SAYS_WHEN_IT_IS_AT_WORK = """
import sys
from lookalike import Collection
from lookalike.cli import main

sync = Collection.sync

def sync_and_say(self, *arguments, report, **options):
    def tell(progress):
        report(progress)
        if progress.step == "embedding" and progress.done == 3:
            print("at work", flush=True)
    return sync(self, *arguments, report=tell, **options)

Collection.sync = sync_and_say
main(sys.argv[1:])
"""


def test_an_interrupt_keeps_what_was_done_and_exits_130(photos, tmp_path):
    for number in range(100, 700):
        picture(number, side=300).save(photos / f"{number}.png")
    process = subprocess.Popen(
        [sys.executable, "-c", SAYS_WHEN_IT_IS_AT_WORK, "index", str(photos)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "lookalike: interrupted; what was done is kept\n")
    document = json.loads(run("info", "-c", photos, "--json").stdout)
    assert 3 <= document["images"] < 606
    again = json.loads(run("index", photos, "--json").stdout)
    assert again["unchanged"] == document["images"]
    assert again["added"] + again["unchanged"] == 606


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


def test_odd_file_names_do_not_drive_the_terminal(call, photos):
    (photos / "cats/0.png").rename(photos / "cats/tab\tred\x1b[31m.png")
    call("index", photos)
    _, out, _ = call("search", "cats/1.png", cwd=photos)
    assert "\x1b" not in out
    assert {line.count("\t") for line in out.splitlines()} == {3}


OUTPUTS = {  # of a shell: the exit codes that make sense, and how many lines of complaint
    ">&-": ({0}, 0),
    "> /dev/full": ({2}, 1),
    "> /dev/full 2>&1": ({2}, 0),
    "| true": ({0, 141}, 0),
    "2>&1 | true": ({0, 141}, 0),
    "2>&-": ({0}, 0),
    "2> /dev/full": ({0}, 0),
    "<&- >&- 2>&-": ({0}, 0),
}


def shell(command, cwd):
    """Run a line of bash in which `lookalike` is the program."""
    line = f"set -o pipefail; {command.replace('lookalike', f'{sys.executable} -m lookalike')}"
    return subprocess.run(["bash", "-c", line], cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.mark.skipif(os.name != "posix", reason="shells and devices of POSIX")
@pytest.mark.parametrize(
    "words",
    [
        "search cats/0.png",
        "search cats/0.png --json",
        "info",
        "--help",
        "search --help",
        "train --help",
        "--version",
        "models --json",
    ],
)
def test_an_output_that_is_closed_or_full_is_no_traceback(call, photos, words):
    call("index", photos)
    for redirection, (codes, n_lines) in OUTPUTS.items():
        done = shell(f"lookalike {words} {redirection}", photos)
        assert done.returncode in codes, redirection
        assert done.stderr.count("\n") == n_lines, redirection
        if n_lines:
            assert done.stderr == "lookalike: standard output: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="shells and devices of POSIX")
def test_a_complaint_that_cannot_be_made_leaves_the_exit_code(photos):
    for redirection in ("2>&-", "2> /dev/full"):
        done = shell(f"lookalike info nonsense {redirection}", photos)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.skipif(os.name != "posix", reason="shells and devices of POSIX")
def test_what_is_for_standard_error_never_gets_into_a_json_document(call, photos):
    call("index", photos)
    done = shell("lookalike map -o map.png --json --method pca 2>&-", photos)
    assert done.returncode == 0
    json.loads(done.stdout)


@pytest.mark.skipif(os.name != "posix", reason="shells and devices of POSIX")
def test_a_file_does_not_get_the_number_of_a_stream_that_was_closed(photos, tmp_path):
    code = (
        "from lookalike.cli.console import hold_streams\n"
        "import os; hold_streams(); hold_streams()\n"
        "number = os.open('out', os.O_CREAT | os.O_WRONLY)\n"
        "os.write(number, str(number).encode())"
    )
    subprocess.run(["bash", "-c", f'{sys.executable} -c "{code}" <&- >&- 2>&-'], cwd=tmp_path, check=True)
    assert (tmp_path / "out").read_text() == "3"


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_an_output_file_that_is_a_pipe_stays_one(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        replace_file(pipe, b"all of it")
        assert reader.stdout.read() == b"all of it"
    assert pipe.is_fifo()


def test_a_working_directory_that_is_gone_is_one_line(photos, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir {gone}; {sys.executable} -m lookalike info"
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=gone, capture_output=True, text=True, timeout=60, env=environment
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("lookalike: ")


def test_nothing_is_sent_or_kept_by_the_runtime(photos, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    done = run("index", photos, env={"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "CI": ""})
    assert (done.returncode, done.stderr) == (0, b"")
    kept = {path.relative_to(home).parts[:2] for path in home.rglob("*") if path.is_file()}
    assert kept == {("cache", "lookalike")}


def test_reduce_makes_a_model_to_search_with(call, photos):
    call("index", photos)
    code, out, _ = call("reduce", "3", "-c", photos, "--json")
    assert (code, json.loads(out)) == (0, {"model": "lite0-int8+pca3"})
    code, out, _ = call("search", "cats/0.png", "--model", "lite0-int8+pca3", "--json", cwd=photos)
    assert (json.loads(out)["model"], len(json.loads(out)["hits"])) == ("lite0-int8+pca3", 5)
    code, out, _ = call("reduce", "0.5", "-q")
    assert (code, out) == (0, "")


def test_reduce_draws_the_variance_of_the_components(call, photos):
    call("index", photos, "--model", "pixels-8-grey")
    code, out, err = call("reduce", "2", "--plot", "scree.svg", "--dark", cwd=photos)
    assert (code, err) == (0, "saved scree.svg\n")
    assert "kept: 2," in (photos / "scree.svg").read_text()
    # What cannot be drawn makes no model either.
    code, out, err = call("reduce", "3", "--plot", "scree.txt", cwd=photos)
    assert (code, out) == (2, "")
    assert "a figure is saved as one of" in err
    collection = Collection.open(photos)
    assert collection.pca("pixels-8-grey+pca2").n_components_ == 2
    with pytest.raises(ModelError, match="pixels-8-grey\\+pca3"):
        collection.pca("pixels-8-grey+pca3")
    with pytest.raises(InvalidInputError, match="pixels-8-grey is not reduced by PCA"):
        collection.pca("pixels-8-grey")


def test_bench_compares_the_indexes_on_the_collection(call, photos):
    call("index", photos, "--model", "pixels-8-grey")
    code, out, err = call("bench", "-c", photos, "--plot", photos / "bench.png", cwd=photos)
    assert (code, err) == (0, f"saved {photos / 'bench.png'}\n")
    lines = out.splitlines()
    assert lines[0] == "5 images of pixels-8-grey, 64 dimensions, euclidean; 1 query, k = 5"
    assert lines[1].split() == [
        "index",
        "asked",
        "recall@5",
        "one",
        "by",
        "one",
        "in",
        "batch",
        "build",
        "size",
    ]
    assert lines[2].split()[:3] == ["exact", "1", "1.0000"]
    assert all(len(line) <= 80 for line in lines if "left out" not in line)
    assert lines[-1] == "Here, a search uses exact unless told otherwise."
    assert (photos / "bench.png").stat().st_size > 1_000


def test_bench_json_is_one_document(call, photos):
    call("index", photos, "--model", "pixels-8-grey")
    code, out, err = call(
        "bench", "-c", photos, "-k", 2, "--index", "exact", "--index", "kmeans-tree", "--recall", 0.9,
        "--recall", 1, "--queries", 2, "--json",
    )  # fmt: skip
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert {key: document[key] for key in ("model", "metric", "dimension", "images", "queries", "k")} == {
        "model": "pixels-8-grey", "metric": "euclidean", "dimension": 64, "images": 4, "queries": 2, "k": 2,
    }  # fmt: skip
    assert (document["auto"], document["left_out"], document["cores"] > 0) == ("exact", [], True)
    exact, tree = document["indexes"]
    assert set(exact) == {"index", "build_seconds", "bytes", "points"}
    assert [point["asked"] for point in exact["points"]] == [1]
    assert [point["asked"] for point in tree["points"]] == [0.9, 1]
    point = {"asked", "recall", "queries_per_second", "batch_queries_per_second", "queries"}
    assert set(tree["points"][0]) == point
    assert set(document["fastest"]) == {"index", *point}


class Borrowed(Exact):
    """A kind whose library is missing."""

    kind = "borrowed"

    def build(self, vectors, ids=None):
        raise InvalidInputError("install it with: pip install 'lookalike[borrowed]'")


def test_bench_says_which_index_cannot_be_had(call, photos, monkeypatch):
    from lookalike.index import kinds

    borrowed = kinds.IndexKind("borrowed", f"{__name__}:Borrowed", "another library's")
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, borrowed))
    call("index", photos, "--model", "pixels-8-grey")
    code, out, _ = call("bench", "-c", photos, "-q", "--index", "borrowed", "--index", "exact")
    assert code == 0
    assert out.splitlines()[-1] == (
        "borrowed is left out: install it with: pip install 'lookalike[borrowed]'"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--index", "faiss"], "there is no index 'faiss'"),
        (["--recall", "1.5"], "recall is 1.5; expected above 0 and at most 1"),
        (["--queries", "6"], "the number of queries is 6; expected 1 to 5"),
        (["--model", "lite2"], "no image of the collection"),
        (["--plot", "bench.txt"], "bench.txt: a figure is saved as"),
        (["--query-split", "test"], "no image of the collection in"),
        (["--gallery-split", "dev"], "the split is 'dev'; expected train or test"),
    ],
)
def test_bench_refuses_in_one_line_what_cannot_be(call, photos, words, complaint):
    call("index", photos, "--model", "pixels-8-grey")
    code, out, err = call("bench", "-c", photos, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"lookalike: {complaint}")


def test_bench_of_one_image_or_none_says_what_is_missing(call, photos, tmp_path):
    (tmp_path / "one").mkdir()
    shutil.copy(photos / "cats/0.png", tmp_path / "one")
    call("index", tmp_path / "one", "--model", "pixels-8-grey")
    code, _, err = call("bench", "-c", tmp_path / "one")
    assert (code, err) == (
        2,
        "lookalike: the number of vectors is 1; expected at least 2: one to find, one to ask for\n",
    )
    (tmp_path / "none").mkdir()
    call("index", tmp_path / "none", "--model", "pixels-8-grey")
    code, _, err = call("bench", "-c", tmp_path / "none")
    assert (code, "holds no images" in err) == (2, True)


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


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_collection_that_may_not_be_read_says_so():
    with folder_for_all() as folder:
        picture(0).save(folder / "a.png")
        Collection.create(folder, "pixels-8-grey").sync()
        place = folder / ".lookalike"
        place.chmod(0)
        try:
            for at in (folder, place):
                with as_nobody(), pytest.raises(CollectionError, match=r"cannot read .*Permission denied"):
                    Collection.open(at)
        finally:
            place.chmod(0o755)
