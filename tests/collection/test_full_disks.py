"""A disk that is full, read-only, out of handles or failing, at many moments of a sync and of a search."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults.failing_calls import FailingCalls, can_fail

from pictures import picture

FAULTS = ("ENOSPC wcml on", "EIO ws once", "EROFS wcmlu on", "EMFILE co on")
"""What fails, which calls, and whether once or from then on; see `faults.failing_calls`."""

# In one process, as only one that begins with the library has its calls fail; it says what was wrong.
CAMPAIGN = """
import errno, json, random, shutil, sys, warnings
from pathlib import Path
from faults.failing_calls import FOR_GOOD, FailingCalls, Fault
from faults.worlds import items
from lookalike import Collection
from lookalike.errors import LookalikeError

place, n_moments = Path(sys.argv[1]), int(sys.argv[2])
calls, chance = FailingCalls(place / "calls"), random.Random(0)

def sync(world):
    with Collection.open(world / "photos") as photos:
        return photos.sync(jobs=1, commit_seconds=0)

def hits(world):
    with Collection.open(world / "photos") as photos:
        return len(photos.search(world / "photos" / "00.png", k=20).hits)

def world(name):
    return Path(shutil.copytree(place / "pristine", place / "worlds" / name))

before = items(place / "pristine")
undisturbed = world("undisturbed")
calls.set()
sync(undisturbed)
counted, after = calls.counted(), items(undisturbed)

def try_at(name, kinds, number, first):
    one = world(f"{name}-{kinds}-{number}-{first}")
    calls.set(Fault(getattr(errno, name), kinds, first, number))
    said = ""
    try:
        sync(one)
    except LookalikeError as error:
        said = f"{error}; {error.hint or 'NO HINT'}"
    n_failed = calls.n_failed()
    calls.set()
    found = items(one)
    lost = [
        item
        for item in before.keys() | after.keys() | found.keys()
        if item[0] not in ("failures", "added") and found.get(item) not in (before.get(item), after.get(item))
    ]
    n_hits, n_there = hits(one), sum(kind == "files" for kind, _ in found) - 1
    sync(one)
    ended = items(one) == after
    left = [path.name for path in one.rglob("*") if path.name.endswith(".part") or path.name.startswith(".")]
    left.remove(".lookalike")
    if lost or n_hits != n_there or not ended or left or "NO HINT" in said or not (said or n_failed <= 1):
        return [[first, said, lost[:3], n_hits, n_there, ended, left]]
    return []

wrong = {}
for fault in sys.argv[3:]:
    name, kinds, lasting = fault.split()
    n = sum(counted[kind] for kind in kinds)
    moments = sorted(chance.sample(range(n), min(n, n_moments)))
    number = FOR_GOOD if lasting == "on" else 1
    wrong[fault] = [each for first in moments for each in try_at(name, kinds, number, first)]
print(json.dumps(wrong))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A collection of 12 pictures, of which one is gone since, one is another, and three are new."""
    folder = tmp_path_factory.mktemp("disks")
    photos = folder / "pristine" / "photos"
    photos.mkdir(parents=True)
    for number in range(12):
        picture(number, 24).save(photos / f"{number:02}.png")

    from lookalike import Collection

    with Collection.create(photos, "pixels-8-grey") as collection:
        collection.sync()
    (photos / "11.png").unlink()
    picture(50, 24).save(photos / "10.png")
    for number in range(20, 23):
        picture(number, 24).save(photos / f"{number:02}.png")
    return folder


@pytest.fixture(scope="module")
def wrong(place) -> dict[str, list]:
    """What was wrong after each of `FAULTS`."""
    calls = FailingCalls(place / "calls")
    words = [sys.executable, "-c", CAMPAIGN, place, 4, *FAULTS]
    done = subprocess.run(
        list(map(str, words)),
        cwd=Path(__file__).parents[2],
        env={**os.environ, **calls.environment(place / "worlds"), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not can_fail(), reason="Linux and gcc are needed")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_disk_that_refuses_takes_nothing_along_and_the_next_sync_goes_on(wrong, fault):
    assert wrong[fault] == []
