"""What the README says can be typed, typed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pictures import picture

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for number, name in enumerate(("beach", "dog", "tree", "house")):
        picture(number).save(tmp_path / f"photos/{name}.jpg")
    labels = {"beach": "outside", "tree": "outside", "dog": "at home", "house": "at home"}
    rows = [f"photos/{name}.jpg,{label}" for name, label in labels.items()]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *rows]))
    return tmp_path


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_every_shell_command_works(folder):
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) > 5
    program = f'lookalike() {{ "{sys.executable}" -m lookalike "$@"; }}\n'
    for command in commands:
        done = subprocess.run(
            ["bash", "-ec", program + command], cwd=folder, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    assert (folder / "result.png").is_file()


def test_every_python_example_runs(folder):
    for number, block in enumerate(blocks("python")):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", block],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"example {number}\n{done.stderr}"
        assert done.stdout


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    for link in links:
        assert (Path(__file__).parents[1] / link).exists(), link


def test_the_make_targets_are_there():
    makefile = (Path(__file__).parents[1] / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"make (\w+)", README)) - {os.devnull}:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
