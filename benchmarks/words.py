"""Do English words find what they mean, where no model knows text?

- ``nouns``: every noun of Caltech-101's class names that the table knows, and the noun that two words end
with
  where WordNet has the class as a kind of it (a grand piano is a piano), asked on the command line of the
  8,677 photos under numbers for names. P@10 counts a photo right that is of a class at or under the noun, as
  WordNet has it; ``by folder``, only one of the folders that are called so.
- ``unknown``: the nouns of the other class names; whether each gets an error, and no picture.
- ``frequent``: the first 200 and the next 200 concrete nouns of wordfreq's English list: words that WordNet's
makers
  counted as a noun more often than as anything else, whose first sense is an animal, artifact, part of a
  body, food, natural object, person, plant or substance; how many the table knows, by kind.
- ``judged``: 40 of the known ones of the second 200, drawn with seed 21 before they were looked at, and
whether the
  classes are what one means by the word, as read by one person. The rules of the table were made with the
  first 200 in view, not with these.

    apt-get install wordnet-base; pip install wordfreq
    python -m benchmarks words --keep /tmp/caltech

``--keep`` keeps the collection; without wordfreq or WordNet, ``frequent`` is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks import report
from lookalike.vocabulary import find_noun

WORDNET = Path("/usr/share/wordnet")
CONCRETE = {
    "05": "animal",
    "06": "artifact",
    "08": "body",
    "13": "food",
    "17": "object",
    "18": "person",
    "20": "plant",
    "27": "substance",
}
SPELLED = {
    "Faces": "face",
    "Faces_easy": "face",
    "Leopards": "leopard",
    "Motorbikes": "motorbike",
    "airplanes": "airplane",
    "car_side": "car",
    "cougar_body": "cougar",
    "cougar_face": "cougar",
    "crocodile_head": "crocodile",
    "flamingo_head": "flamingo",
    "water_lilly": "water lily",
}
"""What classes are called, whose folders are called otherwise."""

HEADS = {
    "piano": ("grand_piano",),
    "guitar": ("electric_guitar",),
    "ball": ("soccer_ball",),
    "fan": ("ceiling_fan",),
    "sign": ("stop_sign",),
    "cat": ("wild_cat", "cougar_body", "cougar_face", "Leopards"),
    "skate": ("inline_skate",),
    "bill": ("dollar_bill",),
    "lily": ("water_lilly",),
}
UNDER = {"chair": ("windsor_chair",), "wild cat": ("cougar_body", "cougar_face")}
"""Classes that WordNet has under the noun of another."""

JUDGED = {
    **dict.fromkeys(
        [
            *("aircraft", "hat", "bath", "telephone", "mirror", "bottle", "bread", "bowl", "wheel", "truck"),
            *("knife", "cabinet", "orange", "plane", "gate", "plate", "chest", "chair", "fox", "shirt"),
            *("boat", "desk", "pants", "roof", "clock", "fruit", "castle", "valley", "wing", "belt"),
            *("suit", "palace", "clothing", "auto", "tower", "tank", "bird"),
        ],
        True,
    ),
    "ear": False,  # of corn
    "hip": False,  # of a rose
    "landing": False,  # a dock
}


def main(options: list[str] | None = None) -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks words", description=__doc__)
    parser.add_argument("--keep", type=Path, help="where the collection stays")
    parser.add_argument("--model", default="lite0-int8")
    parser.add_argument("--wordnet", type=Path, default=WORDNET)
    asked = parser.parse_args(options or [])
    with tempfile.TemporaryDirectory() as temporary:
        place = asked.keep or Path(temporary)
        classes = numbered(report.caltech101(), place)
        run("index", str(place), "--model", asked.model, "--quiet")
        figures: dict[str, Any] = {"model": asked.model, **ask_all(place, classes)}
    right = sum(JUDGED.values())
    figures["judged"] = {"words": len(JUDGED), "right": right, "share": right / len(JUDGED)}
    figures["frequent"] = frequent(asked.wordnet)
    report.save("words", figures)


def numbered(photos: Path, place: Path) -> dict[str, str]:
    """Link the photos under numbers, in an order that says nothing; return the class of each."""
    files = [file for file in photos.rglob("*.jpg") if file.parent.name != "BACKGROUND_Google"]
    files.sort(key=lambda file: hash_of(file.relative_to(photos).as_posix()))
    place.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(files):
        if not (place / f"{number:05}.jpg").exists():
            (place / f"{number:05}.jpg").symlink_to(file)
    return {f"{number:05}.jpg": file.parent.name for number, file in enumerate(files)}


def hash_of(text: str) -> int:
    """Return a number that is the same on every machine."""
    import zlib

    return zlib.crc32(text.encode())


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "lookalike", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)


def ask_all(place: Path, classes: dict[str, str]) -> dict[str, Any]:
    """Ask for every noun."""
    meant: dict[str, set[str]] = defaultdict(set)
    for folder in set(classes.values()):
        meant[SPELLED.get(folder, folder.replace("_", " "))].add(folder)
    by_folder = {noun: set(folders) for noun, folders in meant.items()}
    for noun, folders in (*HEADS.items(), *UNDER.items()):
        if noun in by_folder or find_noun(noun) is not None:
            meant[noun] |= set(folders)
    known = {noun: folders for noun, folders in meant.items() if find_noun(noun) is not None}
    precise, strict, poor = [], [], {}
    for noun, folders in sorted(known.items()):
        answer = json.loads(run("search", noun, "-c", str(place), "-k", "10", "--json").stdout)
        found = [classes[Path(hit["path"]).name] for hit in answer["hits"]]
        precise.append(sum(each in folders for each in found) / 10)
        strict.append(sum(each in by_folder.get(noun, folders) for each in found) / 10)
        if precise[-1] < 1:
            others = Counter(each for each in found if each not in folders)
            poor[noun] = {"P@10": precise[-1], "others": dict(others)}
    unknown = sorted(set(meant) - set(known))
    answers = [run("search", noun, "-c", str(place), "--json") for noun in unknown]
    return {
        "nouns": {"asked": len(known), "P@10": round(mean(precise), 3), "by folder": round(mean(strict), 3)},
        "below 1": poor,
        "unknown": {"asked": len(unknown), "refused": sum(answer.returncode == 2 for answer in answers)},
    }


def frequent(wordnet: Path) -> dict[str, Any]:
    """Return how many of the most frequent concrete nouns are known."""
    try:
        from wordfreq import top_n_list

        counted = read_counts(wordnet)
    except (ImportError, OSError) as error:
        return {"left out": str(error)}
    nouns = list(concrete_nouns(top_n_list("en", 20_000), wordnet, counted))
    found = {}
    for name, part in (("first 200", nouns[:200]), ("next 200", nouns[200:400])):
        known = Counter(kind for word, kind in part if find_noun(word) is not None)
        found[name] = {
            "known": round(sum(known.values()) / len(part), 3),
            "by kind": {
                kind: f"{known[kind]} of {n}" for kind, n in Counter(kind for _, kind in part).items()
            },
        }
    return found


def read_counts(wordnet: Path) -> Counter[tuple[str, str]]:
    """Return how often each word was counted as each part of speech."""
    counted: Counter[tuple[str, str]] = Counter()
    for line in (wordnet / "cntlist.rev").read_text("latin-1").splitlines():
        key, _, count = line.split()
        word, _, rest = key.partition("%")
        counted[word, rest[0]] += int(count)
    return counted


def concrete_nouns(words: list[str], wordnet: Path, counted: Counter[tuple[str, str]]) -> Any:
    """Yield those of some words that are concrete nouns, and of which kind."""
    kinds = {}
    for line in (wordnet / "data.noun").read_text("latin-1").splitlines():
        kinds[line[:8]] = line[9:11]
    first = {}
    for line in (wordnet / "index.noun").read_text("latin-1").splitlines():
        fields = line.split()
        if not line.startswith(" "):
            first[fields[0]] = fields[6 + int(fields[3])]
    for word in words:
        as_noun = counted[word, "1"]
        if len(word) > 2 and word in first and as_noun > max(counted[word, other] for other in "2345"):
            kind = "18" if word == "person" else kinds[first[word]]
            if kind in CONCRETE:
                yield word, CONCRETE[kind]
