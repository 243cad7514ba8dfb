"""docs/command-line.md says what the commands say of themselves."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts/write_command_line.py"))
PAGE = (ROOT / "docs/command-line.md").read_text(encoding="utf-8")


def test_the_tables_are_those_that_the_commands_give():
    assert SCRIPT["written"](PAGE) == PAGE, "run: python scripts/write_command_line.py"


def test_every_command_that_has_options_has_its_table_and_a_heading():
    tables = re.findall(r"<!-- options of lookalike ([a-z ]+) -->", PAGE)
    assert len(set(tables)) == len(tables)
    assert set(tables) == {words for words in SCRIPT["commands"]() if SCRIPT["tables"](words)} - {
        "cluster delete",  # the argument alone
        "map delete",
    }
    headings = " ".join(re.findall(r"^##+ (.*)$", PAGE, flags=re.MULTILINE))
    for words in SCRIPT["commands"]():
        group, _, command = words.partition(" ")
        assert re.search(rf"lookalike {group}\b", headings), words
        assert command in headings, words


def test_a_row_has_names_value_help_and_default():
    (table,) = SCRIPT["tables"]("search").split("\n\n")[1:2]
    assert "| `-k, -t, --top N` | How many images to find; 10 by default. |" in table.splitlines()
