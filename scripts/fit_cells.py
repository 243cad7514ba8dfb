"""Fit the whitening of cells on pictures that are nobody's test, and write it into the package.

    python scripts/fit_cells.py CIFAR

CIFAR is the folder ``cifar-10-batches-py``; the pictures are those of ``whitening_pictures.txt``, as for
``fit_whitening.py``, which says how they were chosen and what they count. Afterwards the sha256 that is
printed belongs in ``lookalike/embed/sides/cells.py``. The file depends on the machine in its last bits.
"""

from __future__ import annotations

import argparse
import hashlib
import io
from pathlib import Path

import numpy as np
from fit_whitening import CLIPART, MODEL, PHOTOS, PICTURES, read_cifar

from lookalike.embed import fit_image, get_model, read_packaged
from lookalike.embed.efficientnet_lite import build_depths
from lookalike.embed.quantize import BOUNDS, quantize
from lookalike.embed.runtime import Compute, open_session
from lookalike.embed.sides import cells
from lookalike.embed.whitening import Part
from lookalike.images.decode import decode, from_pixels


def main() -> None:
    """Fit it, and write it where it is looked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("cifar", type=Path, metavar="CIFAR", help="the folder cifar-10-batches-py")
    tiny = read_cifar(parser.parse_args().cifar)
    model = get_model(MODEL)
    graph = build_depths(read_packaged(model.weights), ("cells",))
    session, _ = open_session(quantize(graph, BOUNDS[model.architecture]), MODEL, Compute())
    rows, sources = [], []
    for line in PICTURES.read_text().splitlines():
        source, name = line.split(" ", 1)
        sources.append(source)
        if source == "clipart":
            picture = decode((CLIPART / name).read_bytes(), name, model.decode_side).image
        else:
            picture = from_pixels(tiny[name]).image
        rows.append(session.run(["cells"], {"images": fit_image(picture, model)[None]})[0][0])
    is_drawing = np.repeat([source == "clipart" for source in sources], cells.N_CELLS)
    weights = np.where(is_drawing, 1 / is_drawing.sum(), PHOTOS / (~is_drawing).sum())
    arrays = {}
    for (name, _, kept, _), part in zip(cells.PARTS, cells.split(np.stack(rows)), strict=True):
        fitted = Part.fit(part, weights, kept)
        arrays |= {f"{name}_{kind}": getattr(fitted, kind) for kind in ("mean", "axes", "steps")}
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    file = Path(cells.__file__).with_name(cells.FILE)
    file.write_bytes(stream.getvalue())
    print(f"{file}: {len(stream.getvalue()):,} bytes, sha256 {hashlib.sha256(stream.getvalue()).hexdigest()}")


if __name__ == "__main__":
    main()
