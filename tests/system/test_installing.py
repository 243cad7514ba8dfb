"""What is to be typed to get an extra suits the way this package was installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.system import installing

FOLDER = {"url": "file:///home/ann/look%20alike", "dir_info": {"editable": True}}


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, "pip install 'lookalike[hub]'"),
        (FOLDER, "pip install -e '/home/ann/look alike[hub]'"),
        (FOLDER | {"dir_info": {}}, "pip install '/home/ann/look alike[hub]'"),
        (
            {"url": "https://x.org/l.git", "vcs_info": {"vcs": "git", "commit_id": "1"}},
            "pip install 'lookalike[hub] @ git+https://x.org/l.git'",
        ),
        (
            {"url": "file:///a/lookalike-1-py3-none-any.whl", "archive_info": {}},
            "pip install 'lookalike[hub] @ file:///a/lookalike-1-py3-none-any.whl'",
        ),
    ],
)
def test_the_command_names_where_the_package_came_from(origin, expected):
    assert installing._command("hub", origin) == expected


def test_the_shell_of_windows_knows_double_quotes_only(monkeypatch):
    monkeypatch.setattr("lookalike.system.this_system.WINDOWS", True)
    assert installing._command("hub", None) == 'pip install "lookalike[hub]"'


ASK = "from lookalike.system.installing import install_command; print(install_command('train'))"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('{"url": "file:///elsewhere", "dir_info": {"editable": false}}', "'/elsewhere[train]'"),
        ("rubbish", "'lookalike[train]'"),
        (None, "'lookalike[train]'"),
    ],
)
def test_it_is_read_from_what_the_installation_says(tmp_path, written, expected):
    copy = tmp_path / "site"
    (copy / "lookalike-1.dist-info").mkdir(parents=True)
    (copy / "lookalike-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: lookalike\n")
    if written is not None:
        (copy / "lookalike-1.dist-info" / "direct_url.json").write_text(written)
    (copy / "lookalike" / "system").mkdir(parents=True)
    (copy / "lookalike" / "__init__.py").touch()
    (copy / "lookalike" / "system" / "__init__.py").touch()
    for name in ("installing.py", "this_system.py"):
        source = Path(installing.__file__).with_name(name).read_bytes()
        (copy / "lookalike" / "system" / name).write_bytes(source)
    command = [sys.executable, "-c", ASK]
    found = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True
    )
    assert found.stdout == f"pip install {expected}\n", found.stderr


def test_in_a_clone_it_names_the_clone():
    clone = Path(installing.__file__).resolve().parents[3]
    if not (clone / "pyproject.toml").is_file():
        pytest.skip("these tests run without the clone")
    assert installing.install_command("train") == f"pip install -e '{clone}[train]'"
