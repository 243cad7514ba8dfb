"""Damage to every kind of file of a collection: flipped bits; files cut, emptied, deleted, swapped.

Of a collection that has everything a copy is damaged, and asked all that can be asked of it. Then:

- each answer is that of the whole collection, or one line that names `check --repair`, or of what else can be
  had and said so: never other hits without a word, never a traceback;
- `check` finds each damage that any answer suffered from, and each in a file that counts;
- `check --repair` brings back all that can be derived, whatever was damaged; what cannot be brought back, it
  says; then the collection is asked again, and nothing is answered otherwise without having been said;
- what rots without a new time, size or number is found by `check` alone, and always.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.collection_with_everything import Answers, ask, copy, make, small_indexes
from faults.report import Asked, Report
from lookalike import Collection
from lookalike.results.checking import CheckReport
from lookalike.store.versions import manifests, named_files

KINDS = ("flip", "cut", "empty", "delete", "swap")
N_DAMAGES, N_QUIET = 1_000, 150
_NOT_OURS = ("lock", "lock.json", ".lock")
"""What says who writes: nothing is lost with it."""
_NOTES = ("checksums.txt", "whole.json", "run.json", "latest_version_hint.json", "swept.json")
"""What spares work while it is right, and is not believed otherwise."""
_CANNOT_BE_DERIVED = (
    "said",
    "fields.lance",
    "ours",
    "files.lance",
    "added",
    "training",
    "clusterings",
    "maps",
    "models",
)
"""What people said or brought along, and what chance had a part in."""


@dataclass(frozen=True, slots=True)
class Injury:
    """A damage: its kind, the file in the ``.lookalike`` folder, and where in it."""

    kind: str
    file: str
    at: float = 0.5
    bit: int = 0
    other: str = ""

    def inflict(self, home: Path) -> bool:
        """Damage a copy, whose files are hard links: they are written anew. Tell whether it is damaged."""
        file = home / self.file
        content = file.read_bytes()
        if self.kind == "delete":
            file.unlink()
            return True
        if self.kind == "swap":
            other = home / self.other
            changed = other.read_bytes()
            _write_anew(other, content)
        else:
            changed = self.changed(content)
        _write_anew(file, changed)
        return changed != content

    def changed(self, content: bytes) -> bytes:
        """Return what becomes of the content of a file."""
        if self.kind == "empty" or not content:
            return b""
        at = min(int(self.at * len(content)), len(content) - 1)
        if self.kind == "cut":
            return content[:at]
        return content[:at] + bytes([content[at] ^ (1 << self.bit)]) + content[at + 1 :]

    def __str__(self) -> str:
        where = {
            "swap": f" with {self.other}",
            "flip": f" at {self.at:.4f} bit {self.bit}",
            "cut": f" at {self.at:.4f}",
        }
        return f"{self.kind} {self.file}{where.get(self.kind, '')}"


def _write_anew(file: Path, content: bytes) -> None:
    file.unlink()
    file.write_bytes(content)


def files_of(home: Path) -> list[str]:
    """Return all files in a ``.lookalike`` folder, by their paths in it."""
    found = (each.relative_to(home).as_posix() for each in home.rglob("*") if each.is_file())
    return sorted(each for each in found if each.rpartition("/")[2] not in _NOT_OURS)


def group_of(file: str) -> str:
    """Return what a file is, for the counts: its folder, without names and numbers."""
    parts = file.split("/")
    if len(parts) == 1:
        return parts[0]
    if "vectors" in parts[0] or parts[0] == "said":
        return f"{parts[0]}/{parts[2] if len(parts) > 3 else parts[-1]}"
    if parts[0].endswith(".lance"):
        return f"{parts[0]}/{parts[1] if len(parts) > 2 else parts[-1]}"
    if parts[0] == "indexes":
        return f"indexes/{parts[1].rpartition('grey-')[2]}"
    if parts[0] == "models":
        return "models/*" + "".join(
            Path(file).suffixes[-2:] if file.endswith(".sum") else Path(file).suffixes[-1:]
        )
    return f"{parts[0]}/{parts[-1].partition('-')[0]}"


def injuries(home: Path, n: int, seed: int) -> Iterator[Injury]:
    """Draw damages, so that every kind of file gets its share of each kind."""
    chance = random.Random(seed)
    by_group: dict[str, list[str]] = {}
    for file in files_of(home):
        by_group.setdefault(group_of(file), []).append(file)
    groups = sorted(by_group)
    for number in range(n):
        group = by_group[groups[number % len(groups)]]
        file = chance.choice(group)
        kind = KINDS[(number // len(groups)) % len(KINDS)]
        if kind == "swap":
            ending = Path(file).suffix
            others = [each for each in files_of(home) if each != file and Path(each).suffix == ending]
            if not others:
                kind = "flip"
            else:
                yield Injury(kind, file, other=chance.choice(others))
                continue
        yield Injury(kind, file, chance.random(), chance.randrange(8))


class Campaign:
    """Damages to copies of one collection, and what becomes of each.

    Parameters
    ----------
    place : Path
        A folder to work in.
    report : Report
    options
        Of `collection_with_everything.make`.
    """

    def __init__(self, place: Path, report: Report, **options: Any) -> None:
        self.report = report
        self._place, self._number = place, 0
        self.whole = place / "whole" / "photos"
        make(self.whole, **options)
        ask(self.whole)  # what is made when it is first asked for, is there
        self.expected = ask(self.whole)
        assert not self.expected["told"], self.expected["told"]
        self.home = self.whole / ".lookalike"
        self.counts = files_that_count(self.home)

    def try_out(self, injury: Injury) -> None:
        """Damage a copy, ask, check, repair, ask again; note what is wrong."""
        group = group_of(injury.file)
        try:
            outcome = self._try_out(injury)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.report.faults.append(
                f"{injury}: {type(error).__name__}: {str(error)[:200]} ({where.filename}:{where.lineno})"
            )
            outcome = "traceback"
        self.report.counts[f"{injury.kind} {group}"] += 1
        outcomes = self.report.figures.setdefault("outcomes", {})
        outcomes[outcome] = outcomes.get(outcome, 0) + 1

    def _try_out(self, injury: Injury) -> str:
        photos = self._damaged(injury)
        if photos is None:
            return "nothing changed"
        suffered = self._compare(injury, ask(photos), "asked")
        # What was asked may have mended an index, and moved a version aside.
        photos = self._damaged(injury) or photos
        first = check(photos)
        if suffered and first.is_whole:
            self.report.faults.append(f"{injury}: {suffered} suffered, and check found nothing")
        if first.is_whole:
            return "does not matter"
        repaired = check(photos, repair=True)
        if not repaired.damages:
            self.report.faults.append(f"{injury}: check found it, and its repair did not")
        after = ask(photos)
        wrong = [name for name in self.expected if after.get(name) != self.expected[name]]
        left = check(photos)
        if repaired.is_whole:
            if wrong:
                self.report.faults.append(f"{injury}: all was mended, but {wrong} {_seen(after, wrong)}")
            if not left.is_whole:
                self.report.faults.append(f"{injury}: mended, but check says {left.damages[0]}")
        elif not any(each in injury.file + injury.other for each in _CANNOT_BE_DERIVED):
            self.report.faults.append(
                f"{injury}: it can be derived, and was not mended: {repaired.damages[0]}"
            )
        if not repaired.is_whole:
            return "found, and lost, and said" if wrong else "found, kept as far as anybody sees, and said"
        return "found and mended" if suffered else "found and mended, answered all the same"

    def _damaged(self, injury: Injury) -> Path | None:
        """Make a damaged copy, in a folder that was never looked into; None if nothing is changed."""
        shutil.rmtree(self._place / str(self._number), ignore_errors=True)
        self._number += 1
        photos = self._place / str(self._number) / "photos"
        copy(self.whole, photos)
        return photos if injury.inflict(photos / ".lookalike") else None

    def _compare(self, injury: Injury, answers: Answers, when: str) -> list[str]:
        """Return what is answered otherwise than by the whole collection; note what was not said."""
        otherwise = [
            name for name in self.expected if name != "told" and answers.get(name) != self.expected[name]
        ]
        is_told = any(names_repair(line) for line in answers["told"])
        for name in otherwise:
            answer = answers.get(name, answers.get("open"))
            if isinstance(answer, tuple) and answer[:1] == ("refused",):
                if "\n" in answer[1] or not (is_told or names_repair(answer[1])):
                    self.report.faults.append(f"{injury}: {when} {name}: {answer[1]}")
            elif not is_told and not names_repair(str(answer)) and "cannot be read" not in str(answer):
                self.report.faults.append(
                    f"{injury}: {when} {name}: another answer, and no word: {str(answer)[:200]}"
                )
        return otherwise

    def try_quietly(self, place: Path, injury: Injury) -> None:
        """Flip a bit of a file that keeps its size, time and number: only a check finds it, and it must."""
        file = place / ".lookalike" / injury.file
        facts, content = os.stat(file), file.read_bytes()
        if not content:
            return
        self.report.counts[f"quiet flip {group_of(injury.file)}"] += 1
        _write_in_place(file, injury.changed(content), facts)
        found = check(place)
        _write_in_place(file, content, facts)
        outcomes = self.report.figures.setdefault("quiet", {})
        outcome = "does not matter" if found.is_whole else "found"
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if found.is_whole and injury.file in self.counts:
            self.report.faults.append(f"quiet {injury}: check found nothing")


def files_that_count(home: Path) -> set[str]:
    """Return the files that answers are made of: no older version of a table, and no note of Lance's."""
    import lance

    found = set()
    for file in files_of(home):
        name = file.rpartition("/")[2]
        is_note = name in _NOTES
        if not is_note and ".lance/" not in file and not name.endswith(".sum"):
            found.add(file)
    for table in (each for each in home.rglob("*.lance") if each.is_dir()):
        newest = manifests(table)[0]
        names = [f"_versions/{newest}", *(name for name, _ in named_files(lance.dataset(str(table))))]
        found |= {f"{table.relative_to(home).as_posix()}/{name}" for name in names}
    return found


def _write_in_place(file: Path, content: bytes, facts: os.stat_result) -> None:
    with file.open("rb+") as stream:
        stream.write(content)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def names_repair(line: str) -> bool:
    """Tell whether a line says how to mend a collection."""
    return any(words in line for words in ("check(repair=True)", "check_at(", "check --repair"))


def _seen(answers: Answers, names: Sequence[str]) -> str:
    return "; ".join(f"{name}: {str(answers.get(name, answers.get('open')))[:120]}" for name in names[:2])


def check(photos: Path, repair: bool = False) -> CheckReport:
    """Check a collection, with indexes of few vectors."""
    import warnings

    with small_indexes(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Collection.check_at(photos, above=False, repair=repair)


def main(options: Sequence[str]) -> int:
    """Run the campaign."""
    asked = Asked.read("damages", options)
    report = Report("damages", asked)
    place = Path(tempfile.mkdtemp(prefix="damages-"))
    try:
        campaign = Campaign(place, report)
        for injury in injuries(campaign.home, asked.of(N_DAMAGES), asked.seed):
            campaign.try_out(injury)
        quiet = place / "quiet" / "photos"
        shutil.copytree(campaign.whole, quiet)
        ask(quiet)
        for injury in injuries(quiet / ".lookalike", asked.of(N_QUIET), asked.seed + 1):
            flip = Injury("flip", injury.file, injury.at, injury.bit)
            campaign.try_quietly(quiet, flip)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return report.end()
