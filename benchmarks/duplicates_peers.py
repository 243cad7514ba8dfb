"""Pairs by other tools, for `duplicates`; run by a Python that has them: FILES.json OUT.json.

Written are, by name of the tool, rows of two numbers of files and how far apart they are. Tools that are not
installed are left out.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path


def main() -> None:
    files = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = {}
    for name, work in (("imagededup PHash", by_imagededup), ("PDQ", by_pdq), ("fastdup", by_fastdup)):
        try:
            found[name] = work(files)
        except ImportError:
            continue
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


def by_imagededup(files):
    from imagededup.methods import PHash

    hasher = PHash(verbose=False)
    with tempfile.TemporaryDirectory() as folder:
        names = linked(files, folder)
        codes = hasher.encode_images(image_dir=folder)
        pairs = hasher.find_duplicates(encoding_map=codes, max_distance_threshold=12, scores=True)
    number = {name: i for i, name in enumerate(names)}
    return [
        (number[one], number[other], int(away))
        for one, others in pairs.items()
        for other, away in others
        if number[one] < number[other]
    ]


def by_pdq(files):
    import cv2
    import numpy as np
    import pdqhash

    codes = []
    for file in files:
        image = cv2.imread(file)
        code = None if image is None else pdqhash.compute(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))[0]
        codes.append(np.zeros(256, np.uint8) if code is None else code)
    bits = np.array(codes, np.float32) * 2 - 1
    rows = []
    for i in range(len(bits) - 1):
        away = (256 - bits[i + 1 :] @ bits[i]) / 2
        rows += [(i, int(i + 1 + j), float(away[j])) for j in np.flatnonzero(away <= 96) if codes[i].any()]
    return rows


def by_fastdup(files):
    import fastdup

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        names = linked(files, folder)
        fastdup.run(input_dir=folder, work_dir=out, nearest_neighbors_k=2, threshold=0.8)
        number = {name: i for i, name in enumerate(names)}
        with (Path(out) / "similarity.csv").open(newline="") as file:
            rows = [
                (number[Path(row["from"]).name], number[Path(row["to"]).name], 1 - float(row["distance"]))
                for row in csv.DictReader(file)
            ]
    return list({tuple(sorted(row[:2])): (*sorted(row[:2]), row[2]) for row in rows}.values())


def linked(files, folder):
    names = []
    for i, file in enumerate(files):
        names.append(f"{i:06}{Path(file).suffix}")
        try:
            os.link(file, Path(folder, names[-1]))
        except OSError:
            shutil.copyfile(file, Path(folder, names[-1]))
    return names


if __name__ == "__main__":
    main()
