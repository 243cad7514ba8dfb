"""Power cuts at any moment of any command: what was acknowledged is there, and `index` makes the rest again.

Twice: by a model of what is flushed, which drops any part of what is not (`faults.unflushed`); and where root
can mount one, on a disk of ext4 in a file, which is copied as it is while commands run, and mounted again
(`faults.loop_cuts`). After each cut the collection opens, all that was acknowledged is there, and `index`
ends with the rows of an undisturbed run.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from faults.loop_cuts import CannotMountError, cut_on_disk
from faults.power_cut_scenes import Fact, Rows, Story, copy_pictures, faults, quicken, undisturbed
from faults.report import Asked, Report
from faults.unflushed import Disk, watching

N_CUTS = 300  # by the model
N_CUTS_ON_DISK = 100


def main(options: Sequence[str] = ()) -> int:
    """Run it; return 1 if anything was found."""
    asked = Asked.read("power_cuts", options)
    report = Report("power_cuts", asked)
    quicken()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model").mkdir()
        cut_by_model(report, Path(folder) / "model", asked.of(N_CUTS))
        try:
            cut_on_disk(report, Path(folder) / "disk", asked.of(N_CUTS_ON_DISK))
        except CannotMountError as error:
            report.skip("a disk of ext4", str(error))
    return report.end()


def cut_by_model(report: Report, folder: Path, n_cuts: int, only: Sequence[str] = ()) -> None:
    """Cut the power at `n_cuts` moments, about as many in each command; note what is wrong.

    Parameters
    ----------
    report : Report
    folder : Path
        Where to work; it is empty.
    n_cuts : int
    only : sequence of str
        Names of commands, for who does not want all of them; the first has to be ``index first``.
    """
    home = folder / "home"
    home.mkdir()
    chance = random.Random(report.asked.seed)
    facts: list[Fact] = []
    story = Story(home, facts.append, report.asked.seed)
    chapters = [chapter for chapter in story.chapters() if not only or chapter[0] in only]
    expected: Rows = {}
    for name, before, command in chapters:
        before()
        disk, n_before = Disk(home), len(facts)
        if name.startswith("index"):
            expected = undisturbed(home, folder / "undisturbed" / home.name)
        cuts = _Cuts(disk, folder / "cuts", facts, -(-n_cuts // len(chapters)), chance)
        with watching(disk, cuts.moment):
            command()
            cuts.moment()
        disk.close()
        for place, known in cuts.taken:
            copy_pictures(home, place)
            is_indexed = ["indexed"] in known[n_before:]
            for fault in faults(place, known, expected, is_indexed):
                report.faults.append(f"{name}, {place.parent.name} of {cuts.n_moments}: {fault}")
            report.counts[name] += 1
            shutil.rmtree(place.parent)


class _Cuts:
    """Copies of what the disk may hold, at some of the moments at which it is asked, as many as are wanted.

    As nobody knows how many moments there will be, those that come later replace earlier ones by chance.
    """

    def __init__(
        self, disk: Disk, folder: Path, facts: list[Fact], n_wanted: int, chance: random.Random
    ) -> None:
        self.disk, self.folder, self.n_wanted, self.chance = disk, folder, n_wanted, chance
        self.n_moments = 0
        self.taken: list[tuple[Path, list[Fact]]] = []
        self._facts = facts

    def moment(self) -> None:
        """Cut the power here, maybe."""
        self.n_moments += 1
        at = len(self.taken) if len(self.taken) < self.n_wanted else self.chance.randrange(self.n_moments)
        if at >= self.n_wanted:
            return
        place = self.folder / f"{self.n_moments:05}" / self.disk.root.name  # which names the root
        place.parent.mkdir(parents=True)
        self.disk.cut(place, self.chance)
        cut = place, list(self._facts)
        if at < len(self.taken):
            shutil.rmtree(self.taken[at][0].parent)
            self.taken[at] = cut
        else:
            self.taken.append(cut)
