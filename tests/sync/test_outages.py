"""Disks that drop out at any moment of any kind of run: the campaign `faults.outages`, in short."""

import pytest
from faults.failing_reads import HOWS, FailingReads
from faults.outages import KINDS, try_moment

from lookalike.images.finding.scan import find_again


@pytest.mark.parametrize(
    ("kind", "how", "seed"),
    [(kind, list(HOWS)[number % len(HOWS)], number) for number, kind in enumerate(KINDS)],
)
def test_no_image_leaves_and_the_next_run_makes_up_for_it(kind, how, seed, tmp_path):
    assert try_moment(tmp_path / "world", KINDS[kind], how, seed) == []


@pytest.mark.parametrize("how", HOWS)
def test_files_of_the_folder_and_nothing_else_cannot_be_read(how, tmp_path):
    (tmp_path / "photos").mkdir()
    inside, outside = tmp_path / "photos" / "a", tmp_path / "b"
    for file in (inside, outside):
        file.write_bytes(b"content")
    with FailingReads(tmp_path / "photos", how, after=1, lasting=1)():
        assert inside.read_bytes() == b"content"
        if HOWS[how] is None:
            assert inside.read_bytes() == b"con"
        else:
            with pytest.raises(OSError) as caught:
                inside.read_bytes()
            assert caught.value.errno == HOWS[how]
        assert (inside.read_bytes(), outside.read_bytes()) == (b"content", b"content")
    assert inside.read_bytes() == b"content"


def test_a_disk_that_drops_out_between_two_looks_at_a_file_is_a_failure_of_it(tmp_path):
    (tmp_path / "photos").mkdir()
    failing = FailingReads(tmp_path / "photos", "EIO", after=1, looks=True)
    with failing():
        found = find_again(tmp_path / "photos", ["gone.png"])
    assert list(found.failures) == ["gone.png"] and "disk" in found.failures["gone.png"]
    assert find_again(tmp_path / "photos", ["gone.png"]).failures == {}
