"""The same images over the epochs of a run: one contact sheet, or an animated GIF."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from .pictures import text_size, write_text

_GAP = 6  # pixels between pictures
_BACKGROUND, _TEXT = (255, 255, 255), (30, 30, 30)
_COLOURS = 256  # of a GIF's frame


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]], headings: Sequence[str], names: Sequence[str] = (), width: int = 320
) -> np.ndarray:
    """Put pictures side by side, such as an image in each row and an epoch in each column.

    Args:
        rows: rows of (H,W,3) uint8 pictures, of any sizes; all rows have as many.
        headings: text above each column.
        names: text above each row (default: none).
        width: of a column, in pixels; pictures are scaled to it.

    Returns:
        (H,W,3) uint8.
    """
    scaled = [[_scaled(picture, width) for picture in row] for row in rows]
    size = max(11, min(20, width // 16))
    line = text_size("", size)[1]
    tops, below = [], line + _GAP
    for row in scaled:
        below += line if names else 0
        tops.append(below)
        below += max(picture.height for picture in row) + _GAP
    sheet = Image.new("RGB", (_GAP + len(headings) * (width + _GAP), below), _BACKGROUND)
    brush = ImageDraw.Draw(sheet)
    lefts = [_GAP + column * (width + _GAP) for column in range(len(headings))]
    for left, heading in zip(lefts, headings, strict=True):
        write_text(brush, (left, 0), _fitting(heading, size, width), size, _TEXT)
    for index, (top, row) in enumerate(zip(tops, scaled, strict=True)):
        if names:
            write_text(brush, (0, top - line), _fitting(names[index], size, sheet.width), size, _TEXT)
        for left, picture in zip(lefts, row, strict=True):
            sheet.paste(picture, (left, top))
    return np.asarray(sheet)


def animation(
    rows: Sequence[Sequence[np.ndarray]], headings: Sequence[str], seconds: float = 0.8, width: int = 320
) -> bytes:
    """Show the columns of a contact sheet one after the other.

    Args:
        rows: as of `contact_sheet`; the images of a frame stand side by side.
        headings: text above each frame.
        seconds: how long a frame is shown; the last one three times as long.
        width: of an image, in pixels.

    Returns:
        An animated GIF file, which starts anew after its last frame.
    """
    frames = []
    for column, heading in enumerate(headings):
        pictures = [row[column] for row in rows]
        strip = contact_sheet([pictures], [heading, *[""] * (len(pictures) - 1)], width=width)
        frames.append(Image.fromarray(strip).quantize(_COLOURS, dither=Image.Dither.NONE))
    durations = [round(1000 * seconds)] * len(frames)
    durations[-1] *= 3
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, disposal=1, optimize=False
    )
    return buffer.getvalue()


def _scaled(picture: np.ndarray, width: int) -> Image.Image:
    """A picture of this width."""
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    return Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)


def _fitting(text: str, size: int, width: int) -> str:
    """The text, cut where it is wider than its place."""
    kept = text
    while kept and text_size(kept + "..." * (kept != text), size)[0] > width:
        kept = kept[:-1]
    return kept if kept == text else f"{kept}..."
