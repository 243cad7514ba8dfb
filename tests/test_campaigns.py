"""The campaigns of ``make faults``: that they are there, and how they are asked for and told of."""

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from faults import report
from faults.__main__ import NAMES, main

ROOT = Path(__file__).parents[1]


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(report, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(report, "ENDED", [])
    return tmp_path / "results"


@pytest.mark.parametrize("name", NAMES)
def test_every_campaign_is_there_and_described(name):
    if not (ROOT / "faults" / f"{name}.py").exists():
        pytest.skip("it is still to come")
    assert callable(importlib.import_module(f"faults.{name}").main)
    assert f"| `{name}` |" in (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_a_campaign_that_is_not_there_is_said_to_be_none(capsys):
    assert main(["floods"]) == 2
    assert "there is no campaign 'floods'; there are: power_cuts, " in capsys.readouterr().err


def test_a_report_counts_aloud_and_is_written(results, capsys):
    made = report.Report("floods", report.Asked(0.5, 3))
    made.counts["wet"] += 2
    made.faults.append("a page is wet")
    made.counts["dry"] += 1
    made.skip("a river", "there is none")
    assert made.end() == 1
    written = json.loads((results / "floods.json").read_text(encoding="utf-8"))
    assert (written["tried"], written["n_faults"], written["share"]) == (3, 1, 0.5)
    assert written["machine"]["cores"] >= 1
    told = capsys.readouterr().err
    assert "FAULT a page is wet" in told
    assert "a river is left out, there is none" in told
    assert report.table(report.ENDED).splitlines()[1].split()[:3] == ["floods", "3", "1"]


def test_a_smaller_share_does_not_take_the_place_of_a_larger_one(results):
    for share in (0.5, 0.1):
        report.Report("floods", report.Asked(share)).end()
    assert report.read("floods")["share"] == 0.5


def test_minutes_become_the_share_that_took_so_long(results):
    results.mkdir()
    for name, share, seconds in (("floods", 1, 5400), ("droughts", 0.5, 900)):
        document = {"share": share, "seconds": seconds}
        (results / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    assert report.Asked.read("floods", ["--minutes", "9"]).share == pytest.approx(0.1)
    assert report.share_in(["floods", "droughts"], 12) == pytest.approx(0.1)
    assert report.share_in(["droughts"], 1000) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to be caught")
def test_a_campaign_that_is_ended_takes_its_folder_along(tmp_path):
    code = (
        "import sys, tempfile, time\n"
        "from faults import report\n"
        "report.end_as_interrupted()\n"
        "with tempfile.TemporaryDirectory(dir=sys.argv[1]):\n"
        "    print(flush=True)\n"
        "    time.sleep(60)\n"
    )
    words = [sys.executable, "-c", code, tmp_path]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.readline()
    assert list(tmp_path.iterdir())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert list(tmp_path.iterdir()) == []
