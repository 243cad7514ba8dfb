"""What is there after a power cut: a short share of the campaign `faults.power_cuts`."""

import os

import pytest
from faults.loop_cuts import CannotMountError, cut_on_disk
from faults.power_cuts import cut_by_model
from faults.report import Asked, Report

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the system does not tell")

COMMANDS = ("index first", "judgments", "cluster", "rename", "index refresh")


@pytest.fixture
def report():
    return Report("power_cuts", Asked(0.01, seed=1))


def test_what_was_acknowledged_outlasts_a_power_cut_and_index_makes_the_rest_again(tmp_path, report):
    cut_by_model(report, tmp_path, 10, COMMANDS)
    assert report.faults == []
    assert sum(report.counts.values()) == 10


def test_the_campaign_finds_what_is_not_flushed(tmp_path, report, monkeypatch):
    from lookalike.store import commits

    # Then the model does not know of data that they are on the disk, as if nobody had flushed them in time.
    monkeypatch.setattr(commits, "flush_file", lambda file: None)
    cut_by_model(report, tmp_path, 12, ("index first",))
    assert report.faults


@pytest.mark.disk
def test_the_same_holds_on_a_disk_whose_blocks_are_copied_while_it_is_written_to(tmp_path, report):
    try:
        cut_on_disk(report, tmp_path, 3, ("index first",))
    except CannotMountError as error:
        pytest.skip(str(error))
    assert report.faults == []
    assert report.counts
