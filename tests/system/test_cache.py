"""The cache: what another user could have written is not loaded."""

import os
import tempfile
import types

import platformdirs
import pytest

from lookalike.datasets import locate
from lookalike.embed import load_model
from lookalike.errors import CacheError
from lookalike.system.cache import cache_folder, check_trusted, make_folder, shut
from permissions import NOBODY, as_nobody, folder_for_all

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and modes are POSIX's")
STRANGER = 4_321


@pytest.fixture
def homeless(tmp_path, monkeypatch):
    """A user without a home; gives where temporary files go."""

    def refuse(*_, **__):
        raise RuntimeError("no home")

    monkeypatch.delenv("LOOKALIKE_CACHE", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", refuse)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def default_cache(tmp_path, monkeypatch):
    """The cache in the user's home, with a model in it."""
    monkeypatch.delenv("LOOKALIKE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return filled(tmp_path / "lookalike")


@pytest.fixture
def named_cache(tmp_path, monkeypatch):
    """A cache that the user has named, with a model in it."""
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "shared"))
    return filled(tmp_path / "shared")


def filled(folder):
    make_folder(folder / "models")
    (folder / "models/net.onnx").write_bytes(b"graph")
    (folder / "models/net.onnx").chmod(0o644)
    assert cache_folder() == folder
    return folder


def give(monkeypatch, *paths, uid=STRANGER, gid=None):
    """Let these paths belong to another user, as `os.stat` tells it."""
    stat, given = os.stat, {os.fspath(path) for path in paths}

    def told(path, *more, **options):
        facts = stat(path, *more, **options)
        if not isinstance(path, int) and os.fspath(path) in given:
            names = {name: getattr(facts, name) for name in dir(facts) if name.startswith("st_")}
            gids = {} if gid is None else {"st_gid": gid}
            return types.SimpleNamespace(**{**names, "st_uid": uid, **gids})
        return facts

    monkeypatch.setattr(os, "stat", told)


def test_without_a_home_the_cache_is_a_folder_of_ones_own(homeless):
    folder = cache_folder()
    assert folder == homeless / f"lookalike-cache-{os.geteuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert cache_folder() == folder  # it is there now


@pytest.mark.parametrize("kind", ["link", "file", "open to all", "open to the group"])
def test_without_a_home_what_could_be_planted_is_refused(homeless, kind):
    folder = homeless / f"lookalike-cache-{os.geteuid()}"
    if kind == "link":
        (homeless / "elsewhere").mkdir(0o700)
        folder.symlink_to("elsewhere")
    elif kind == "file":
        folder.touch()
    else:
        folder.mkdir()
        folder.chmod(0o777 if kind == "open to all" else 0o770)
    with pytest.raises(CacheError, match=r"no home.*\nset LOOKALIKE_CACHE to a folder that only you"):
        cache_folder()


def test_without_a_home_a_folder_of_another_user_is_refused(homeless, monkeypatch):
    (homeless / f"lookalike-cache-{STRANGER}").mkdir(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    with pytest.raises(CacheError, match="not a folder that only you can write to"):
        cache_folder()


def test_ones_own_files_and_those_of_root_are_trusted(default_cache, monkeypatch):
    check_trusted(default_cache / "models/net.onnx")
    give(monkeypatch, default_cache / "models", default_cache / "models/net.onnx", uid=0)
    check_trusted(default_cache / "models/net.onnx")


@pytest.mark.parametrize("place", ["", "models", "models/net.onnx"])
def test_what_belongs_to_another_user_is_not_loaded(default_cache, monkeypatch, place):
    give(monkeypatch, default_cache / place)
    with pytest.raises(CacheError, match=rf"belongs to another user, number {STRANGER}\nset LOOKALIKE_CACHE"):
        check_trusted(default_cache / "models/net.onnx")


@pytest.mark.parametrize("place", ["", "models", "models/net.onnx"])
def test_what_all_may_write_to_is_not_loaded(default_cache, named_cache, place):
    for cache in (default_cache, named_cache):
        path = cache / place
        path.chmod(path.stat().st_mode | 0o002)
    with pytest.raises(CacheError, match="all users may write to it\nafter `chmod go-w`"):
        check_trusted(named_cache / "models/net.onnx")


def test_what_another_group_may_write_to_is_not_loaded(default_cache, monkeypatch):
    file = default_cache / "models/net.onnx"
    file.chmod(0o664)
    check_trusted(file)  # this user's own group: many systems give each user one
    give(monkeypatch, file, uid=os.geteuid(), gid=STRANGER)
    with pytest.raises(CacheError, match=f"group {STRANGER} may write to it"):
        check_trusted(file)


def test_the_owner_of_a_named_cache_is_trusted_and_nobody_else(named_cache, monkeypatch):
    file = named_cache / "models/net.onnx"
    give(monkeypatch, named_cache, named_cache / "models", file)
    check_trusted(file)
    monkeypatch.undo()
    monkeypatch.setenv("LOOKALIKE_CACHE", str(named_cache))
    give(monkeypatch, file)
    with pytest.raises(CacheError, match="another user"):
        check_trusted(file)


def test_the_group_that_shares_a_named_cache_is_trusted(named_cache, monkeypatch):
    file = named_cache / "models/net.onnx"
    named_cache.chmod(0o775)
    give(monkeypatch, file, gid=named_cache.stat().st_gid)
    check_trusted(file)


def test_in_a_sticky_folder_for_all_only_ones_own_counts(named_cache, monkeypatch):
    named_cache.chmod(0o1777)
    file = named_cache / "models/net.onnx"
    check_trusted(file)
    give(monkeypatch, named_cache / "models", gid=STRANGER)
    with pytest.raises(CacheError, match="another user"):
        check_trusted(file)


def test_what_lies_outside_of_the_cache_was_named_by_the_user(default_cache, tmp_path):
    (tmp_path / "mine.onnx").touch()
    (tmp_path / "mine.onnx").chmod(0o666)
    check_trusted(tmp_path / "mine.onnx")


def test_a_umask_of_0_leaves_a_cache_that_is_trusted(tmp_path, monkeypatch):
    before = os.umask(0)
    try:
        monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
        file = tmp_path / "cache/models/net.onnx"
        make_folder(file.parent)
        file.write_bytes(b"graph")
        shut(file)
    finally:
        os.umask(before)
    check_trusted(file)


def test_a_planted_model_is_not_loaded(named_cache):
    load_model("lite0")
    (built,) = (named_cache / "models").glob("lite0-*.onnx")
    load_model("lite0")
    built.chmod(0o666)
    with pytest.raises(CacheError, match=f"{built} is not loaded"):
        load_model("lite0")


def test_a_planted_data_set_is_not_read(named_cache, monkeypatch):
    monkeypatch.delenv("LOOKALIKE_DATA", raising=False)
    (named_cache / "datasets/digits").mkdir(parents=True)
    assert locate.find("digits") == named_cache / "datasets/digits"
    (named_cache / "datasets/digits").chmod(0o777)
    with pytest.raises(CacheError, match="digits is not loaded"):
        locate.find("digits")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_root_loads_nothing_from_the_home_of_another_user_unless_it_is_named(monkeypatch):
    with folder_for_all() as home:
        monkeypatch.delenv("LOOKALIKE_CACHE", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(home))
        cache = filled(home / "lookalike")
        for path in (cache, cache / "models", cache / "models/net.onnx"):
            os.chown(path, NOBODY, NOBODY)
        with pytest.raises(CacheError, match=rf"number {NOBODY}\n.* or to {cache} if you trust"):
            check_trusted(cache / "models/net.onnx")
        with as_nobody():
            check_trusted(cache / "models/net.onnx")
        monkeypatch.setenv("LOOKALIKE_CACHE", str(cache))
        check_trusted(cache / "models/net.onnx")
