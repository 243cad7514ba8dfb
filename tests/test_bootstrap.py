"""The Makefile and scripts/ on machines that lack something, tried on a project of one line."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pip = pytest.importorskip("pip")  # what is brought into the environments below

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("make") is None, reason="needs make and a POSIX shell"
)

# What the scripts may find on PATH: no apt-get, uv, virtualenv, pip3 or other Python.
TOOLS = ("sh", "make", "awk", "cat", "cp", "cut", "grep", "mkdir", "mktemp", "rm", "sed", "tr")

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "lookalike"
version = "1"
requires-python = ">=3.11"

[project.optional-dependencies]
dev = ["pytest"]
"""

# Builds an editable wheel with nothing but the standard library, so that no network is needed.
BACKEND = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    files = {
        "lookalike.py": "def main(): print('shown')",
        "lookalike-1.dist-info/METADATA": "Metadata-Version: 2.1\\nName: lookalike\\nVersion: 1\\n"
                                          "Provides-Extra: dev\\nRequires-Dist: pytest; extra == 'dev'\\n",
        "lookalike-1.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "lookalike-1.dist-info/entry_points.txt": "[console_scripts]\\nlookalike = lookalike:main\\n",
    }
    files["lookalike-1.dist-info/RECORD"] = "".join(f"{name},,\\n" for name in files)
    with zipfile.ZipFile(folder + "/lookalike-1-py3-none-any.whl", "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
    return "lookalike-1-py3-none-any.whl"

build_wheel = build_editable
"""

# The scripts ask a stand-in for the Python behind it, which would be without the quirk: it names itself.
STAND_IN = """#!/bin/sh
case "$*" in
    *_base_executable*) echo "$0"; exit ;;
    {quirk}
esac
exec "{python}" "$@"
"""
# Debian without python3-venv and python3-pip.
WITHOUT_ENSUREPIP = """
    "-m venv .venv") echo "The virtual environment was not created: ensurepip is not available."; exit 1 ;;
    "-m pip "* | "-m virtualenv "*) echo "No module named $2" >&2; exit 1 ;;
"""
OLD = """
    *version*) case "$*" in *sys.exit*) exit 1 ;; esac; echo 3.9.2; exit ;;
"""
# What is left by a tool that makes an environment, or brings pip into one.
BRINGS_PIP = """#!/bin/sh
"{python}" -m venv --without-pip .venv
.venv/bin/python -c '
import shutil, sysconfig
shutil.copytree("{pip}", sysconfig.get_path("purelib") + "/pip")'
"""


def lay_out(folder):
    """Copy the Makefile and the scripts, and put a tiny project and a bare PATH around them."""
    project = folder / "project"
    shutil.copytree(ROOT / "scripts", project / "scripts")
    shutil.copy(ROOT / "Makefile", project)
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "backend.py").write_text(BACKEND)
    (folder / "bin").mkdir()
    for tool in TOOLS:
        (folder / "bin" / tool).symlink_to(shutil.which(tool))
    return project


@pytest.fixture
def project(tmp_path):
    return lay_out(tmp_path)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    project = lay_out(tmp_path_factory.mktemp("installed"))
    put(project, "python3", quirk=WITHOUT_ENSUREPIP)
    put(project, "uv", BRINGS_PIP)
    ran = make(project, "demo")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("shown\n")
    return project


def put(project, name, script=STAND_IN, quirk=""):
    """Put a program on the project's PATH; as it stands, a Python that is this one save for a quirk."""
    path = project.parent / "bin" / name
    path.write_text(script.format(python=sys._base_executable, pip=Path(pip.__file__).parent, quirk=quirk))
    path.chmod(0o755)


def make(project, *words, **environment):
    """Run make with no network, no settings of this machine's pip, and the few tools above."""
    plain = {"PATH": str(project.parent / "bin"), "HOME": str(project.parent), "PIP_CONFIG_FILE": os.devnull}
    unreachable = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    return subprocess.run(
        ["make", *words],
        cwd=project,
        env=plain | unreachable | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def complaint(ran):
    """Return the one line on standard error that is not make's own."""
    assert ran.returncode != 0
    (line,) = [line for line in ran.stderr.splitlines() if not line.startswith("make: ***")]
    return line


def test_every_target_is_explained(project):
    explained = [line.split()[1] for line in make(project).stdout.splitlines()]
    assert explained == ["help", "demo", "test", "check", "bench", "faults", "docs", "clean"]


def test_installed_project_only_runs(installed):
    make(installed, "demo")
    os.utime(installed / "pyproject.toml")  # a new date, as from a checkout of another branch and back
    again = make(installed, "demo")
    assert (again.stdout, again.stderr) == ("shown\n", "")


def test_changed_requirements_are_installed(installed):
    (installed / "pyproject.toml").write_text(PYPROJECT + "# changed\n")
    assert "Installing lookalike into .venv" in make(installed, "demo").stdout
    assert make(installed, "demo").stdout == "shown\n"


def test_changed_kernels_are_compiled_without_pip(installed):
    native = installed / "src" / "lookalike" / "native"
    native.mkdir(parents=True)
    (installed / "hatch_build.py").write_text("open('compiled', 'w').close()\n")
    for source in ("one", "another"):
        (native / "sums.cpp").write_text(source)
        said = make(installed, "demo").stdout
        assert "Compiled the kernels anew" in said
        assert "Installing" not in said
        (installed / "compiled").unlink()
        assert make(installed, "demo").stdout == "shown\n"


def test_without_a_network_it_says_so_in_one_line_and_what_was_installed_still_runs(installed):
    line = complaint(make(installed, "test"))
    assert "pip cannot reach a package index" in line
    assert "PIP_INDEX_URL" in line
    assert not (installed / ".venv" / ".installed-dev").exists()
    assert make(installed, "demo").stdout.endswith("shown\n")


def test_moved_folder_gets_a_new_environment(project):
    put(project, "python3", quirk=WITHOUT_ENSUREPIP)
    put(project, "uv", BRINGS_PIP)
    assert "Making .venv" in make(project, ".venv/.ready").stdout
    assert make(project, ".venv/.ready").stdout == ""
    moved = project.rename(project.with_name("moved"))
    assert "Making .venv" in make(moved, ".venv/.ready").stdout


def test_environment_that_was_left_unfinished_is_made_again(project):
    put(project, "python3", quirk=WITHOUT_ENSUREPIP)
    assert complaint(make(project, ".venv/.ready"))
    put(project, "uv", BRINGS_PIP)
    assert make(project, ".venv/.ready").returncode == 0
    assert not (project / ".venv" / ".unfinished").exists()


@pytest.mark.parametrize("tool", ["pip3", "uv", "virtualenv"])
def test_without_ensurepip_another_tool_helps(project, tool):
    put(project, "python3", quirk=WITHOUT_ENSUREPIP)
    put(project, tool, BRINGS_PIP)
    ran = make(project, ".venv/.ready")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_without_ensurepip_or_any_other_tool_one_line_names_the_fix(project):
    put(project, "python3", quirk=WITHOUT_ENSUREPIP)
    line = complaint(make(project, "demo"))
    assert "ensurepip is missing" in line
    assert "install uv or virtualenv" in line


def test_old_python_is_named_with_what_is_needed(project):
    put(project, "python3", quirk=OLD)
    assert complaint(make(project, "test")) == (
        "lookalike needs Python 3.11 or newer; python3 is 3.9.2. Name another: make PYTHON=python3.11 test"
    )


def test_newer_python_beside_an_old_one_is_taken(project):
    put(project, "python3", quirk=OLD)
    put(project, "python3.12", quirk=WITHOUT_ENSUREPIP)
    put(project, "uv", BRINGS_PIP)
    assert "bin/python3.12)" in make(project, ".venv/.ready").stdout


def test_python_that_does_not_run_is_named(project):
    put(project, "python3")
    assert "python3.99 does not run" in complaint(make(project, "PYTHON=python3.99", "demo"))


@pytest.mark.parametrize(
    ("printed", "advice"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        ("WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by", "cannot reach"),
        ("ERROR: Package 'x' requires a different Python: 3.15.0 not in '<3.15'", "3.15.0 not in '<3.15'"),
        (
            "WARNING: Retrying (Retry(total=4)) after\nERROR: No matching distribution found for a>=9",
            "no a>=9 for",
        ),
        ("  ERROR: Failed building wheel for lxml\nFailed to build lxml", "lxml could not be built here"),
        (
            "  lookalike's kernels do not compile: a.cpp:1:1: error: x\nFailed to build lookalike",
            "kernels do not compile: a.cpp:1:1: error: x",
        ),
        ("ERROR: Exception:\nTraceback\n  File\nValueError: odd\n", "pip says: ValueError: odd"),
        ("note: x\nERROR: Something new", "pip says: Something new"),
        ("", "pip failed"),
    ],
)
def test_failures_of_pip_are_told_apart(printed, advice):
    explained = runpy.run_path(str(ROOT / "scripts" / "install.py"))["explain"](printed)
    assert advice in explained
    assert "\n" not in explained
