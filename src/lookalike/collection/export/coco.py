"""Images and their labels as COCO has them: images, categories, and an annotation of the whole of each image.

https://cocodataset.org/#format-data. An image is one of its files, the first; its numbers are from 1, and
``lookalike_id`` is its id here. What has no label has no annotation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lookalike.collection.export.groups import group_of
from lookalike.collection.export.rows import Export
from lookalike.system.file_names import storable


def write_coco(export: Export, file: Path) -> None:
    """Write the document."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    categories: dict[str, int] = {}
    seen: set[str] = set()
    at = {image: row for image, _, row in export.located()}
    for row in export.rows():
        if row["id"] in seen:
            continue
        seen.add(row["id"])
        number, width, height = len(images) + 1, row["width"], row["height"]
        images.append(
            {
                "id": number,
                "file_name": storable(row["path"]),
                "width": width,
                "height": height,
                "date_captured": row["taken"],
                "lookalike_id": row["id"],
            }
        )
        group = group_of(export, at[int(row["id"], 16)], row["label"], row["split"])
        if group is not None:
            category = categories.setdefault(group, len(categories) + 1)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": category,
                    "bbox": [0, 0, width, height],
                    "area": width * height,
                    "iscrowd": 0,
                }
            )
    document = {
        "info": {"description": "exported by lookalike"},
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": number, "name": storable(name), "supercategory": ""} for name, number in categories.items()
        ],
    }
    file.write_text(json.dumps(document), encoding="utf-8")
