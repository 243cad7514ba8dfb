"""Two processes that write to a collection beside threads that search it: the campaign, short."""

import pytest
from faults.crowd import differences, short

from lookalike import Collection
from pictures import picture


def test_every_answer_is_true_and_the_rows_are_those_of_one_that_was_left_alone(tmp_path):
    record = short(tmp_path, seconds=2.5)
    assert record.faults == []
    assert sum(record.counts[f"writer: {what}"] for what in ("prune", "sync")) >= 1
    assert record.counts["snapshots checked"] >= 1
    assert sum(map(len, record.seconds.values())) > 5


@pytest.fixture
def photos(tmp_path):
    """Three pictures, indexed."""
    for number in range(3):
        (tmp_path / "photos/a").mkdir(parents=True, exist_ok=True)
        picture(number).save(tmp_path / "photos/a" / f"{number}.png")
    made = Collection.create(tmp_path / "photos", model="pixels-8-grey")
    made.sync()
    return made


def test_what_is_alike_does_not_differ(photos, tmp_path):
    assert differences(photos, tmp_path / "anew") == []


@pytest.mark.parametrize("table", ["files", "images", "thumbnails"])
def test_a_row_that_is_missing_is_found_out(photos, tmp_path, table):
    rows = getattr(photos._store, table)
    key = rows.schema.names[0]
    rows.delete(rows.read([key])[key].to_pylist()[:1])
    found = differences(photos, tmp_path / "anew")
    assert any(f"{table}.lance: 1 rows lack" in each for each in found)
