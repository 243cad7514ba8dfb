"""A command that is refused: the one line that it says, and that nothing was changed."""

from pathlib import Path

import pytest

from lookalike.cli import main


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("lock", "lock.json")
    }


def fail(capsys, *words):
    """Run a command that fails; return its one line."""
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    lines = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    assert len(lines) == 1
    return lines[0]
