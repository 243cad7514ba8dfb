"""What a collection keeps under names: that its folders outlast a power cut."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike import Collection
from lookalike.collection.stored import named_folders
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.collection.stored.maps import StoredMaps
from lookalike.errors import StoreDamagedError, StoreResourceError
from lookalike.hints import Hint
from lookalike.system import flush


@pytest.fixture
def photos_clustered(tmp_path) -> Path:
    """The ``.lookalike`` folder of a collection with one clustering."""
    random = np.random.default_rng(0)
    for number in range(6):
        pixels = random.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((64, 64)).save(tmp_path / f"{number}.png")
    with Collection.create(tmp_path, "pixels-8-grey") as made:
        made.sync()
        made.clusterings.make(k=2)
    return tmp_path / ".lookalike"


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


def test_one_that_lost_its_facts_is_damaged_and_one_half_deleted_is_not(photos_clustered, monkeypatch):
    kept = StoredClusterings(photos_clustered)
    facts = photos_clustered / "clusterings/kmeans/clustering.json"
    content = facts.read_bytes()
    facts.unlink()
    assert kept.names() == ["kmeans"]
    with pytest.raises(StoreDamagedError, match=r"clustering\.json is missing") as raised:
        kept.read("kmeans")
    assert raised.value.hint == Hint("repair")
    facts.write_bytes(content)

    def stopped(folder):
        raise OSError("stopped")

    monkeypatch.setattr(named_folders.shutil, "rmtree", stopped)
    with pytest.raises(StoreResourceError):
        kept.delete("kmeans")
    assert kept.names() == []
    assert not any(file.suffix != ".npz" for file in facts.parent.iterdir())
