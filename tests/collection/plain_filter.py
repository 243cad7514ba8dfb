"""What a filter means, said once more in plain Python, a place and an image at a time."""

import math

from random_collection import CLUSTER_NAMES

from lookalike.dates import read_period
from lookalike.geography import EARTH_RADIUS
from lookalike.query.facts import fold


def passes(image, where, root):
    """Tell whether an image passes: it meets what is asked of it, and lies where all the rest is met."""
    is_met = any(place_meets(image, file, where, root) for file in image.files)
    return (
        is_met and image_meets(image, where) and not any(passes(image, each, root) for each in where.excluded)
    )


def image_meets(image, where):
    said, width, height = image.said, image.width, image.height
    numbers = {
        "size": min(width, height),
        "width": width,
        "height": height,
        "megapixels": width * height / 1e6,
        "aspect": width / height,
        "sharpness": image.sharpness,
        "rating": said.rating,
        "date": said.taken,
    }
    for name, number in numbers.items():
        low, high = getattr(where, f"min_{name}"), getattr(where, f"max_{name}")
        if (low is not None or high is not None) and number is None:
            return False
        if (low is not None and number < low) or (high is not None and number > high):
            return False
    shape = "landscape" if width > height * 1.05 else "portrait" if height > width * 1.05 else "square"
    cluster = image.cluster
    asked = [
        (where.shapes, shape in where.shapes),
        (where.formats, image.format in where.formats),
        (where.cameras, any(fold(word) in fold(said.camera or "") for word in where.cameras)),
        (where.keywords, {*map(fold, where.keywords)} & {*map(fold, said.keywords)}),
        (where.ids, image.id in where.ids),
        (where.sets, image.sets & {*where.sets}),
        (where.clusters, any(cluster == each.number for each in where.clusters)),
        (where.polygon, where.polygon and image.point and goes_around(where.polygon.points, image.point)),
        (where.near, where.near and is_near(said, *where.near)),
    ]
    return all(is_met for is_asked, is_met in asked if is_asked)


def place_meets(image, file, where, root):
    label = image.label_by_hand or file.label
    names = {label, CLUSTER_NAMES.get(image.cluster)}
    path = f"{root}/{file.path.removeprefix('r:')}"
    asked = [
        (where.splits, file.split in where.splits),
        (where.labels, names & {*where.labels}),
        (where.folders, any(path.startswith(f"{folder}/") for folder in where.folders)),
        (where.tags, {*map(fold, where.tags)} & {*map(fold, file.tags or ())}),
    ]
    fields = all(field_meets(getattr(file, each.name), each) for each in where.asked_of_fields)
    return fields and all(is_met for is_asked, is_met in asked if is_asked)


def field_meets(value, asked):
    if value is None:
        return False
    if asked.name == "tags":
        return bool({fold(str(word)) for word in asked.values} & {*map(fold, value)})
    if asked.name == "shop":
        return fold(value) in {fold(word if isinstance(word, str) else f"{word:g}") for word in asked.values}
    if asked.name == "sold":
        ends = [read_period("it", word if isinstance(word, str) else f"{word:g}") for word in asked.values]
        if asked.values:
            return any(each.first <= value <= each.last for each in ends)
        return (asked.min is None or value >= read_period("it", asked.min).first) and (
            asked.max is None or value <= read_period("it", asked.max).last
        )
    if asked.values:
        return value in asked.values
    return (asked.min is None or value >= asked.min) and (asked.max is None or value <= asked.max)


def is_near(said, latitude, longitude, radius):
    if said.latitude is None:
        return False
    one, other = math.radians(latitude), math.radians(said.latitude)
    along = math.radians(said.longitude - longitude)
    chord = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(along / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1, math.sqrt(chord))) <= radius


def goes_around(corners, point):
    """Add up the angles under which a point sees the edges: an outline that goes around it makes turns."""
    x, y = point
    turned = 0.0
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        angle = math.atan2(y2 - y, x2 - x) - math.atan2(y1 - y, x1 - x)
        turned += (angle + math.pi) % (2 * math.pi) - math.pi
    return round(turned / (2 * math.pi)) % 2 == 1
