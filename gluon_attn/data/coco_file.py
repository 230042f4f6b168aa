"""COCO's JSON file, checked as a whole and entry by entry."""

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..utils.errors import UserError
from ..utils.files import read_json
from ..utils.printable import printable
from .coco_entries import NO_MASK, Annotation, BadEntry, ImageEntry, read_annotation, read_categories, read_image
from .coco_findings import Findings

_LISTS = ("images", "annotations", "categories")


@dataclass(frozen=True)
class CocoFile:
    """What a file holds that can be used.

    Attributes:
        classes: category id -> name; labels count in this order.
        images: the images.
        annotations: those of each image, in the order of the file.
        findings: what was left out or changed, and why.
    """

    classes: dict[int, str]
    images: list[ImageEntry]
    annotations: list[list[Annotation]]
    findings: Findings


def read_coco_file(path: Path, masks: bool, known: tuple[Path, Mapping[int, str]] | None = None) -> CocoFile:
    """Read a JSON file.

    Args:
        path: the file.
        masks: whether masks are read; an annotation without one is left out then.
        known: (other file, its classes), which must be those of this file and give the labels.

    Raises:
        UserError: the file as a whole is wrong, or holds no image or no annotation that can be used.
    """
    content, findings = _content(path), Findings(printable(str(path)))
    classes = _classes(content["categories"], path, known)
    images = _images(content["images"], findings)
    found = _annotations(content["annotations"], images, classes, masks, findings)
    for kind, kept in (("images", len(images)), ("annotations", sum(map(len, found)))):
        if not kept:
            count = len(content[kind])
            because = f": all {count} of its {kind} are wrong ({findings.lines()[0]})" if count else f" in its {kind}"
            hint = "; train faster_rcnn_*, which needs no masks" if findings.only(NO_MASK, count) else ""
            raise UserError(f"{path} has nothing to learn from or evaluate with{because}{hint}")
    return CocoFile(classes, images, found, findings)


def _content(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} is not in COCO's format: it is no mapping with {', '.join(_LISTS)}")
    for key in _LISTS:
        if not isinstance(content.get(key), list):
            state = "no list" if key in content else "missing"
            raise UserError(f'{path} is not in COCO\'s format: "{key}" is {state}')
    return content


def _classes(entries: list[Any], path: Path, known: tuple[Path, Mapping[int, str]] | None) -> dict[int, str]:
    try:
        classes = _told_apart({category: printable(name) for category, name in read_categories(entries).items()})
    except BadEntry as error:
        raise UserError(f"{path} is not in COCO's format: {error}") from None
    if known is None:
        return classes
    other, names = known
    for category, name in classes.items():
        if names.get(category) != name:
            there = repr(names[category]) if category in names else "missing"
            raise UserError(
                f"{path} and {other} have other classes: category {category} is {name!r} in the first and {there} in "
                "the second; give both the same categories"
            )
    return dict(names)


def _told_apart(classes: dict[int, str]) -> dict[int, str]:
    """The classes, with the id behind a name that several of them have: figures and tables go by names."""
    counts = Counter(classes.values())
    return {category: f"{name} ({category})" if counts[name] > 1 else name for category, name in classes.items()}


def _images(entries: list[Any], findings: Findings) -> list[ImageEntry]:
    images: dict[int, ImageEntry] = {}
    for place, entry in enumerate(entries):
        try:
            image = read_image(entry)
            if image.id in images:
                raise BadEntry("its id is that of an earlier image")
            images[image.id] = image
        except BadEntry as error:
            findings.leave_out("image", str(error), _named(entry, place, "images", "file_name"))
    return list(images.values())


def _annotations(
    entries: list[Any], images: list[ImageEntry], classes: Mapping[int, str], masks: bool, findings: Findings
) -> list[list[Annotation]]:
    places = {image.id: place for place, image in enumerate(images)}
    labels = {category: label for label, category in enumerate(classes)}
    found: list[list[Annotation]] = [[] for _ in images]
    bare: set[int] = set()  # images with an annotation that is left out
    seen: dict[int, set[int]] = {}
    for place, entry in enumerate(entries):
        name = _named(entry, place, "annotations", "image_id")
        try:
            number = _image_of(entry, places)
        except BadEntry as error:
            findings.leave_out("annotation", str(error), name)
            continue
        try:
            annotation = read_annotation(entry, images[number].size, labels, masks)
            changes = _check_id(entry, hash((number, annotation.label, annotation.bbox)), seen)
        except BadEntry as error:
            findings.leave_out("annotation", str(error), name)
            bare.add(number)
            continue
        for change in itertools.chain(annotation.changes, changes):
            findings.change(change, name)
        found[number].append(annotation)
    for number in sorted(bare):
        if not found[number]:
            findings.change("an image lost all of its annotations and has no objects", f"image {images[number].id}")
    return found


def _image_of(entry: Any, places: Mapping[int, int]) -> int:
    if not isinstance(entry, dict):
        raise BadEntry("it is no mapping")
    image_id = entry.get("image_id")
    if type(image_id) is not int or image_id not in places:
        raise BadEntry("its image is not among the images")
    return places[image_id]


def _check_id(entry: dict[str, Any], content: int, seen: dict[int, set[int]]) -> tuple[str, ...]:
    """What is told of an annotation's id. Ids are numbered anew: one that is there twice costs no object."""
    if type(entry.get("id")) is not int:
        return ("an id was missing or no whole number and was replaced",)
    if entry["id"] not in seen:
        seen[entry["id"]] = {content}
        return ()
    if content in seen[entry["id"]]:
        raise BadEntry("it is there twice")
    seen[entry["id"]].add(content)
    return ("an id was there twice and was replaced",)


def _named(entry: Any, place: int, where: str, key: str) -> str:
    """An entry for messages: its id and the value of `key`, or its place in the list."""
    if not isinstance(entry, dict) or "id" not in entry:
        return f"number {place} of {where}"
    words = {"images": "image {}, file {}", "annotations": "annotation {} of image {}"}[where]
    return printable(words.format(*(str(entry.get(name))[:80] for name in ("id", key))))
