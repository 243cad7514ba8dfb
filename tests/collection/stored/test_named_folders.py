"""What a collection keeps under names: that its folders outlast a power cut."""

from pathlib import Path

import pytest

from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.collection.stored.maps import StoredMaps
from lookalike.system import flush


@pytest.mark.parametrize("kind", [StoredClusterings, StoredMaps])
def test_the_folder_of_the_first_one_is_named_on_the_disk(kind, tmp_path, monkeypatch):
    flushed = []
    flush_folder = flush.flush_folder
    monkeypatch.setattr(
        flush, "flush_folder", lambda place: (flushed.append(Path(place)), flush_folder(place))
    )
    kept = kind(tmp_path)
    with kept.lock():
        pass
    assert [each.name for each in tmp_path.iterdir()] == [f"{kept.kind}s"]
    assert tmp_path in flushed
