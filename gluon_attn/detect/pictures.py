"""Detections drawn over their image: boxes, masks, classes and scores."""

import colorsys
import functools
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..data import rle
from ..utils.files import write_bytes
from ..utils.printable import printable
from .paste import THRESHOLD, paste_all
from .results import Detections

Colour: TypeAlias = tuple[int, int, int]
Rectangle: TypeAlias = tuple[float, float, float, float]
_LEAST = 320  # pixels of the shorter side below which a picture is enlarged, so that its labels are legible ...
_LONGEST = 2048  # ... unless the longer side would be more than this
_TINT = 0.45  # how much of a mask's pixels is its colour
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


def draw(
    image: np.ndarray, found: Detections, class_names: Sequence[str], score: float = 0.5, width: int | None = None
) -> np.ndarray:
    """Draw what was found in an image.

    Args:
        image: (H,W,3) uint8, RGB.
        found: its detections, in its own pixels.
        class_names: name of each label.
        score: those below are left out.
        width: of the picture (default: the image's; a small image is enlarged by a whole factor). Lines and letters
            are drawn in the picture's pixels, so a picture for a contact sheet is drawn in the sheet's width.

    Returns:
        (h,w,3) uint8, RGB.
    """
    shown = found.above(score)
    size = _size(image, width)
    picture = _resized(image, size)
    boxes = shown.boxes * np.tile([size[1] / image.shape[1], size[0] / image.shape[0]], 2).astype(np.float32)
    colours = [colour_of(label) for label in shown.labels]
    thickness = max(1, round(min(size) / 250))
    for mask, colour in reversed(list(zip(_masks(shown, boxes, size), colours, strict=False))):  # the best one on top
        _tint(picture, mask, colour, thickness)
    canvas = Image.fromarray(picture)
    brush = ImageDraw.Draw(canvas)
    frames = [_inside(box, size, thickness) for box in boxes]
    letters = max(12, min(size) // 32)
    texts = [f"{class_names[label]} {share:.2f}" for label, share in zip(shown.labels, shown.scores, strict=True)]
    places = _places(texts, frames, letters, size)
    for frame, colour in reversed(list(zip(frames, colours, strict=True))):
        brush.rectangle(frame, outline=colour, width=thickness)
    for place, text, colour in reversed(list(zip(places, texts, colours, strict=True))):
        _label(brush, place, text, colour, letters)
    return np.array(canvas)


def colour_of(label: int) -> Colour:
    """The colour of a class, RGB: neighbours differ much, none is very dark or very light."""
    hue = (0.58 + 0.61803399 * int(label)) % 1  # the golden ratio spreads any number of classes evenly
    strength, value = (0.85, 0.6, 1.0)[int(label) % 3], (0.95, 0.85, 0.75)[int(label) // 3 % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, strength, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def text_size(text: str, size: int) -> tuple[int, int]:
    """Width and height that a line of text takes, in pixels, with a margin."""
    return int(font(size).getlength(printable(text))) + size // 2, size + size // 3


def write_text(brush: ImageDraw.ImageDraw, place: tuple[float, float], text: str, size: int, colour: Colour) -> None:
    """Write a line of text; `place` is its upper left corner, margin included."""
    middle = (place[0] + size // 4, place[1] + text_size(text, size)[1] / 2)
    brush.text(middle, printable(text), fill=colour, font=font(size), anchor="lm")


@functools.lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings along: Latin, Greek, Cyrillic and Arabic letters."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def png(picture: np.ndarray) -> bytes:
    """A picture (H,W,3) uint8 as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def save_png(picture: np.ndarray, path: Path | str) -> None:
    """Write a picture (H,W,3) uint8 as a PNG file, whole or not at all."""
    write_bytes(path, png(picture))


def _size(image: np.ndarray, width: int | None) -> tuple[int, int]:
    """Height and width of the picture of an image."""
    enlarged = min(-(-_LEAST // min(image.shape[:2])), _LONGEST // max(image.shape[:2]))
    factor = width / image.shape[1] if width else max(1, enlarged)
    return max(1, round(image.shape[0] * factor)), max(1, round(image.shape[1] * factor))


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An image of another height and width; a copy."""
    shrunk = size[0] < image.shape[0]
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA if shrunk else cv2.INTER_NEAREST).copy()


def _masks(found: Detections, boxes: np.ndarray, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """The mask of each detection in a picture, (H,W) bool; `boxes` are theirs in the picture."""
    if found.rles is not None:
        for one in found.rles:
            yield _resized(rle.to_mask(one).astype(np.uint8), size) > 0
    elif found.masks is not None:
        for image in paste_all(found.masks, boxes, size):
            yield image > THRESHOLD


def _tint(picture: np.ndarray, mask: np.ndarray, colour: Colour, thickness: int) -> None:
    """Colour the pixels of a mask, and draw its outline, in place."""
    picture[mask] = np.round((1 - _TINT) * picture[mask] + _TINT * np.array(colour)).astype(np.uint8)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, colour, thickness)


def _inside(box: np.ndarray, size: tuple[int, int], thickness: int) -> Rectangle:
    """A box with its corners in the picture and room for its own line."""
    limit = (size[1] - 1, size[0] - 1)
    left, top = np.clip(box[:2], 0, limit)
    right, bottom = np.clip(box[2:], (left, top), limit)
    return float(left), float(top), float(max(right, left + thickness)), float(max(bottom, top + thickness))


def _places(texts: Iterable[str], frames: Iterable[Rectangle], letters: int, size: tuple[int, int]) -> list[Rectangle]:
    """Where each label goes: above its box, in it or below, the first of them that covers no earlier label."""
    taken: list[Rectangle] = []
    for text, (left, top, _, bottom) in zip(texts, frames, strict=True):
        wide, tall = text_size(text, letters)
        x = max(0.0, min(left, size[1] - wide))
        tried = [(x, min(max(y, 0.0), max(size[0] - tall, 0))) for y in (top - tall, top, bottom, bottom - tall)]
        options = [(x, y, x + wide, y + tall) for x, y in tried]
        taken.append(next((one for one in options if not any(_overlap(one, other) for other in taken)), options[0]))
    return taken


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _label(brush: ImageDraw.ImageDraw, place: Rectangle, text: str, colour: Colour, size: int) -> None:
    """Text on a field of its colour, black or white, whichever is easier to read there."""
    brush.rectangle(place, fill=colour)
    red, green, blue = ((share / 255) ** 2.2 for share in colour)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    write_text(brush, place[:2], text, size, _BLACK if luminance > 0.18 else _WHITE)
