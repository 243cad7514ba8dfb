"""The lessons run from the first cell to the last, and are kept with what they print and draw."""

import ast
import re
import runpy
from pathlib import Path

import pytest

from pictures import picture

ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "scripts/run_lessons.py"))
LESSONS = sorted((ROOT / "docs/lessons").glob("*.ipynb"))
ON_DIGITS = [lesson for lesson in LESSONS if lesson.stem not in SCRIPT["OF_THE_READER"]]
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)


def kinds(outputs):
    """What each cell gives, cell by cell: text, pictures, tables."""
    return [[(each["output_type"], *sorted(each.get("data", ()))) for each in cell] for cell in outputs]


def code_of(document):
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


def test_these_are_all():
    assert [lesson.stem for lesson in LESSONS] == ["k-means", "kd-tree", "pca-to-t-sne", "your-photos"]
    assert len(ON_DIGITS) == 3


@pytest.mark.parametrize("lesson", ON_DIGITS, ids=lambda lesson: lesson.stem)
def test_a_lesson_runs_and_is_kept_with_what_it_gives(lesson):
    document = SCRIPT["read"](lesson)
    outputs = SCRIPT["run"](document)
    kept = [cell["outputs"] for cell in code_of(document)]
    assert kinds(outputs) == kinds(kept), "run: python scripts/run_lessons.py"
    assert sum("image/png" in kind for cell in kinds(outputs) for kind in cell) >= 5


def test_the_lesson_on_photos_runs_on_any_and_writes_nothing_among_them(tmp_path, monkeypatch):
    photos = tmp_path / "mine"
    for number in range(10):
        (photos / str(number % 2)).mkdir(parents=True, exist_ok=True)
        picture(number).save(photos / str(number % 2) / f"{number}.jpg")
    there = sorted(photos.rglob("*"))
    monkeypatch.chdir(tmp_path)
    document = SCRIPT["read"](ROOT / "docs/lessons/your-photos.ipynb")
    mine = {'FOLDER = "photos"': f"FOLDER = {str(photos)!r}"}
    first = kinds(SCRIPT["run"](document, mine))
    assert sum("image/png" in kind for cell in first for kind in cell) == 3
    assert sum("text/html" in kind for cell in first for kind in cell) >= 6
    assert kinds(SCRIPT["run"](document, mine)) == first  # cells may be run again
    assert sorted(photos.rglob("*")) == there
    assert not any(cell["outputs"] for cell in code_of(document))


@each_lesson
def test_a_lesson_is_a_notebook_of_plain_python(lesson):
    document = SCRIPT["read"](lesson)
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in document["cells"]}) == len(document["cells"])
    assert "".join(document["cells"][0]["source"]).startswith("# ")
    assert "## Now you" in "".join(document["cells"][-1]["source"])
    for cell in code_of(document):
        ast.parse("".join(cell["source"]))  # no magics, which are Jupyter's alone
    assert lesson.stat().st_size < 700_000


def test_the_page_of_lessons_has_them_all():
    page = (ROOT / "docs/lessons.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\(lessons/([\w-]+)\.ipynb\)", page)) == [lesson.stem for lesson in LESSONS]
    assert "lessons.md" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
