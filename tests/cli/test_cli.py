"""The command line as a user meets it: the real program, run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from running import run, shell

import lookalike
from lookalike import Collection
from lookalike.errors import CollectionError
from lookalike.system.replace_file import replace_file
from permissions import as_nobody, folder_for_all
from pictures import picture


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


def test_info_lists_every_failure(call, photos):
    (photos / "broken.jpg").write_bytes(b"no")
    (photos / "empty.jpg").touch()
    call("index", photos)
    code, out, _ = call("info", "--failures", cwd=photos)
    assert code == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == ["broken.jpg", "empty.jpg"]
    document = json.loads(call("info", "--json")[1])
    assert (document["images"], document["failed"], document["roots"]) == (6, 2, ["."])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search", "missing.jpg"], "there is no file 'missing.jpg'"),
        (["search", "an angry car"], "'angry' is none of the words that are known"),
        (["search", "notes.txt"], "not an image"),
        (["search"], "there is nothing to search for; name an image file, a URL, words, or a filter"),
        (["search", "empty.png"], "the file is empty"),
        (["search", "http://localhost/x.jpg"], "--allow-private"),
        (["search", "http://169.254.169.254/latest"], "--allow-private"),
        (["search", "file:///etc/passwd"], "only http and https"),
        (["search", "cats/0.png", "--not", "missing.jpg"], "there is no file 'missing.jpg'"),
        (["search", "cats/0.png", "-c", "cats"], "there is no collection in"),
        (["index", "missing"], "there is no file or folder"),
        (["index", "missing/*.jpg"], "nothing matches missing/*.jpg"),
        (["index", "--labels", "magic"], "expected folders (the last folder's name)"),
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


def test_a_reader_that_leaves_early_is_no_error(photos):
    run("index", photos)
    command = f"{sys.executable} -m lookalike search cats/0.png -f | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], cwd=photos, capture_output=True, timeout=60
    )
    assert done.stderr == b""


SAYS_WHEN_IT_IS_AT_WORK = """
import sys, time
from lookalike import Collection
from lookalike.cli import main

sync = Collection.sync

def sync_and_say(self, *arguments, report, **options):
    def tell(progress):
        report(progress)
        if progress.phase == "embedding" and progress.done == 3:
            print("at work", flush=True)
            while not options["cancel"].is_cancelled:
                time.sleep(0.01)
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
    n_images = json.loads(run("info", "-c", photos, "--json").stdout)["images"]
    assert 3 <= n_images < 606
    kept = f"{n_images} images are in the collection, and the same command goes on from there"
    assert (process.returncode, out, err) == (130, "", f"lookalike: interrupted; {kept}\n")
    again = json.loads(run("index", photos, "--json").stdout)
    assert again["unchanged"] == n_images
    assert again["added"] + again["unchanged"] == 606


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


def test_models_says_where_those_of_a_collection_are_listed(call):
    code, out, _ = call("models")
    assert (code, out.count("lookalike info\n")) == (0, 1)
