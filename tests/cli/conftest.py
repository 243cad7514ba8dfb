"""What the tests of the command line use."""

import pytest

from lookalike.cli import main


@pytest.fixture
def call(capfdbinary, monkeypatch):
    """Run the command line in this process, which is quicker; give (exit code, output, complaints)."""

    def call_(*words, cwd=None):
        if cwd is not None:
            monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        out, err = capfdbinary.readouterr()
        return left.value.code or 0, out.decode(errors="surrogateescape"), err.decode()

    return call_
