"""What one image, category or annotation of COCO's JSON must be, and why it is left out where it is something else.

Such files come from many tools, and single entries are often wrong. One wrong entry must neither end a run nor be
learned from.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .decode import MAX_PIXELS
from .masks import Segments, area, bounds, run_lengths

_NUMBERS = {int, float}
_SLIGHTLY = 0.5  # pixels by which rounding may bring a box outside its image
#: why an annotation of a set with boxes alone is left out where masks are wanted
NO_MASK = "segmentation is missing or empty"


class BadEntry(Exception):
    """An entry that is left out; the message is the reason, without what is special to the entry."""


class ImageEntry(NamedTuple):
    """An image: its id, (h, w) and the path below the folder of images."""

    id: int
    size: tuple[int, int]
    file_name: str


class Annotation(NamedTuple):
    """An annotated object.

    Attributes:
        bbox: x, y, width, height as in the file.
        box: x1, y1, x2, y2 within the image.
        label: index of its category.
        crowd: whether it is a group.
        segments: its mask, or None where masks are not read.
        area: as in the file, or computed.
        changes: what is not taken as in the file.
    """

    bbox: tuple[float, ...]
    box: tuple[float, ...]
    label: int
    crowd: bool
    segments: Segments
    area: float
    changes: tuple[str, ...]


def read_image(entry: Any) -> ImageEntry:
    """Check an entry of "images".

    Raises:
        BadEntry: it is none.
    """
    if not isinstance(entry, dict):
        raise BadEntry("it is no mapping")
    if type(entry.get("id")) is not int or not -(2**63) <= entry["id"] < 2**63:
        raise BadEntry("its id is missing or no whole number")
    name = entry.get("file_name")
    if not isinstance(name, str) or not name or "\0" in name:
        raise BadEntry("file_name is missing or no text")
    size: tuple[Any, ...] = tuple(entry.get(side) for side in ("height", "width"))
    if not _all_numbers(size) or not all(0 < side <= MAX_PIXELS and side == int(side) for side in size):
        raise BadEntry("height and width are missing or no whole numbers above 0")
    height, width = map(int, size)
    if height * width > MAX_PIXELS:
        raise BadEntry(f"it has more than {MAX_PIXELS:,} pixels")
    return ImageEntry(entry["id"], (height, width), name)


def read_annotation(entry: dict[str, Any], size: tuple[int, int], labels: Mapping[Any, int], masks: bool) -> Annotation:
    """Check an entry of "annotations" whose image is known.

    Args:
        entry: the entry.
        size: (h, w) of the image.
        labels: category id -> label.
        masks: whether masks are read, and must be there.

    Raises:
        BadEntry: it cannot be learned from or evaluated with.
    """
    category = entry.get("category_id")
    if type(category) is not int or category not in labels:
        raise BadEntry("its category is not among the categories of the file")
    bbox = _bbox(entry.get("bbox"))
    box, changes = _clipped(bbox, size)
    crowd = entry.get("iscrowd", 0)
    if not isinstance(crowd, int) or crowd not in (0, 1):
        raise BadEntry("iscrowd is neither 0 nor 1")
    if "iscrowd" not in entry:
        changes.append("iscrowd is missing and taken as 0")
    segments: Segments = None
    if masks:
        segments = _segments(entry.get("segmentation"), size, changes)
    given: Any = entry.get("area")
    if type(given) not in _NUMBERS or not _is_finite(given) or given <= 0:
        changes.append("area is missing or wrong and was computed")
        given = area(segments, *size) if masks else bbox[2] * bbox[3]
    return Annotation(bbox, box, labels[category], bool(crowd), segments, float(given), tuple(changes))


def read_categories(entries: Any) -> dict[int, str]:
    """Check "categories".

    Returns:
        id -> name, by ascending ids; the id where there is no name.

    Raises:
        BadEntry: they are none, or contradict each other.
    """
    if not isinstance(entries, list) or not entries:
        raise BadEntry('"categories" is no list, or empty')
    names: dict[int, str] = {}
    for entry in entries:
        if not isinstance(entry, dict) or type(entry.get("id")) is not int:
            raise BadEntry('an entry of "categories" is no mapping with a whole number as id')
        name = entry.get("name", str(entry["id"]))
        if not isinstance(name, str):
            raise BadEntry(f"the name of category {entry['id']} is no text")
        if names.setdefault(entry["id"], name) != name:
            raise BadEntry(f"category {entry['id']} is there twice, as {names[entry['id']]!r} and {name!r}")
    return dict(sorted(names.items()))


def _all_numbers(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= _NUMBERS and all(map(_is_finite, values))


def _is_finite(value: float) -> bool:
    return abs(value) < 1e30  # also of integers that no float can hold


def _bbox(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != 4 or not set(map(type, value)) <= _NUMBERS:
        raise BadEntry("bbox is missing or not four numbers")
    if not _all_numbers(value):
        raise BadEntry("bbox has a number that is not finite")
    if value[2] <= 0 or value[3] <= 0:
        raise BadEntry("bbox has no width or no height")
    return tuple(map(float, value))


def _clipped(bbox: tuple[float, ...], size: tuple[int, int]) -> tuple[tuple[float, ...], list[str]]:
    x, y, w, h = bbox
    whole = (x, y, x + w, y + h)
    box = tuple(min(max(value, 0.0), float(size[1 - k % 2])) for k, value in enumerate(whole))
    # in the precision that boxes are kept in: what is left must have a width and a height there, too
    if np.float32(box[2]) <= np.float32(box[0]) or np.float32(box[3]) <= np.float32(box[1]):
        raise BadEntry("bbox lies outside its image")
    beyond = max(abs(one - other) for one, other in zip(whole, box, strict=True)) > _SLIGHTLY
    return box, ["bbox was clipped to its image"] if beyond else []


def _segments(value: Any, size: tuple[int, int], changes: list[str]) -> Segments:
    if value is None or value == []:
        raise BadEntry(NO_MASK)
    if isinstance(value, dict):
        return _run_lengths(value, size)
    if not isinstance(value, list) or not all(isinstance(part, list) for part in value):
        raise BadEntry("segmentation is neither polygons nor run lengths")
    polygons = [_polygon(part) for part in value if len(part) >= 6]
    if not polygons:
        raise BadEntry("segmentation has no polygon of three or more points")
    if len(polygons) < len(value):
        changes.append("a polygon of fewer than three points was left out")
    height, width = size
    x1, y1, x2, y2 = bounds(polygons, height, width)
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        raise BadEntry("segmentation lies outside its image")
    if min(x1 + width, y1 + height, 2 * width - x2, 2 * height - y2) < 0:  # drawing it would take long
        raise BadEntry("segmentation reaches far outside its image")
    return polygons


def _polygon(values: list[Any]) -> np.ndarray:
    if len(values) % 2 or not _all_numbers(values):
        raise BadEntry("a polygon is no list of x and y, all of them finite numbers")
    return np.array(values, np.float64).reshape(-1, 2)


def _run_lengths(value: dict[str, Any], size: tuple[int, int]) -> Segments:
    try:
        counts = run_lengths(value, *size)
    except ValueError:
        raise BadEntry("segmentation has run lengths that are none or do not fit its image") from None
    if not counts[1::2].any():
        raise BadEntry(NO_MASK)
    return {"size": list(size), "counts": value["counts"]}
