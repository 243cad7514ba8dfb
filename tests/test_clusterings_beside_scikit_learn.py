"""Clusterings and measures beside scikit-learn's: a short share of the campaign `faults.clusterings`."""

import numpy as np
import pytest
from faults import clusterings
from faults.clusterings import KINDS, compare, draw
from faults.report import Asked, Report


@pytest.fixture
def report():
    return Report("clusterings", Asked(24 / clusterings.TRIED, seed=11))


def test_what_differs_is_a_tie(report):
    compare(report)
    assert report.faults == []
    assert set(report.counts) == set(KINDS)


def test_the_campaign_finds_a_row_in_the_wrong_cluster(report, monkeypatch):
    from lookalike.cluster import DBSCAN

    fit = DBSCAN.fit

    def wrong(self, X, *others, **named):
        fit(self, X, *others, **named)
        self.labels_ = np.where(np.arange(len(X)) == self.core_sample_indices_[:1].sum(), -1, self.labels_)
        return self

    monkeypatch.setattr(DBSCAN, "fit", wrong)
    monkeypatch.setattr(clusterings, "KINDS", {"DBSCAN": KINDS["DBSCAN"]})
    compare(report)
    assert len(report.faults) > 5


def test_data_of_all_kinds_are_drawn():
    chance = np.random.default_rng(0)
    kinds = {draw(chance).words.split(",")[0] for _ in range(200)}
    assert {"parallel", "lattice", "copies", "far"} <= kinds
