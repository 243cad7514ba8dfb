"""What a run of the tests leaves, and says."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

TESTS = """
import onnxruntime
import pytest

@pytest.mark.parametrize("n", range(9))
def test_skipped(n):
    pytest.skip("no such disk" if n else "no torch")

def test_wrong():
    assert onnxruntime is None
"""


def test_no_test_leaves_an_identifier_and_the_end_is_what_failed(tmp_path):
    # Beside the conftest.py of the project, as any test is.
    (tmp_path / "conftest.py").write_bytes((ROOT / "conftest.py").read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (tmp_path / "test_some.py").write_text(TESTS)
    home = tmp_path / "home"
    home.mkdir()
    own = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "PYTEST_ADDOPTS")
    env = {name: value for name, value in os.environ.items() if name not in own} | {"HOME": str(home)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_some.py"]
    run = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    *_, failed, counts = run.stdout.splitlines()
    assert "skipped: 8 no such disk; 1 no torch" in run.stdout.splitlines()
    assert failed.startswith("FAILED test_some.py::test_wrong")
    assert counts.startswith("1 failed, 9 skipped")
    assert "SKIPPED" not in run.stdout
    assert [file for file in home.rglob("*") if file.is_file()] == []
