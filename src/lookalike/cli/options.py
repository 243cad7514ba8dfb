"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CollectionOption = Annotated[
    Path | None,
    typer.Option(
        "-c",
        "--collection",
        metavar="DIR",
        help="The folder that holds the collection's .lookalike. By default it is looked for here and above.",
        show_default=False,
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        help="Which of the collection's models, by name or ONNX file; its own by default.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else there.")
]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print no progress and no summary.")]
DarkOption = Annotated[bool, typer.Option("--dark", help="Draw pictures on dark paper.")]
DeviceOption = Annotated[
    str,
    typer.Option(
        metavar="DEVICE",
        help="Where the network runs: cpu, cuda, openvino or coreml. By default an Nvidia GPU that"
        " ONNX Runtime can use, else the processor.",
        show_default=False,
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        "-j",
        "--jobs",
        min=1,
        help="Images in work at once; by default the number of cores.",
        show_default=False,
    ),
]
