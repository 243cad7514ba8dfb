"""A lock that many share, or one has alone."""

import pytest

from lookalike.system import shared_lock
from lookalike.system.shared_lock import SharedLock

pytest.importorskip("fcntl")


def test_many_share_it_or_one_has_it(tmp_path):
    one, two = SharedLock(tmp_path), SharedLock(tmp_path)
    assert one.share() and two.share()
    assert not one.take()
    two.close()
    assert one.take()
    assert not SharedLock(tmp_path).take()
    one.close()
    assert SharedLock(tmp_path).take()


def test_where_there_is_none_nobody_gets_it(tmp_path, monkeypatch):
    assert not SharedLock(tmp_path / "nowhere").share()
    monkeypatch.setattr(shared_lock, "_fcntl", None)
    lock = SharedLock(tmp_path)
    assert not lock.share() and not lock.take()
    lock.close()
