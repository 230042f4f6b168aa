"""Contact sheets and animations."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from gluon_attn.detect import sheets


def pictures(rows=2, columns=3):
    """One gray a picture, of two shapes."""
    shapes = [(40, 80, 3), (90, 60, 3)]
    return [[np.full(shapes[i % 2], 40 * i + 20 * j + 10, np.uint8) for j in range(columns)] for i in range(rows)]


def test_a_sheet_has_every_picture_in_its_place():
    sheet = sheets.contact_sheet(pictures(), ["epoch 1", "epoch 2", "epoch 3"], ["one", "two"], width=100)
    assert sheet.shape[1] == 6 + 3 * 106
    for i, height in enumerate((50, 150)):
        for j in range(3):
            value = 40 * i + 20 * j + 10
            found = (sheet[:, 6 + 106 * j : 106 + 106 * j] == value).all(2)
            assert found.all(1).sum() == height, (i, j)


def test_long_and_strange_texts():
    sheet = sheets.contact_sheet(pictures(1, 1), ["x" * 500], ["\udcff\n$y$" * 50], width=60)
    assert sheet.shape[1] == 72
    with pytest.raises(ValueError, match="zip"):
        sheets.contact_sheet(pictures(1, 2), ["only one"])


def test_an_animation():
    """The images of a frame stand side by side, and the last frame stays."""
    data = sheets.animation(pictures(), ["a", "b", "c"], seconds=0.5, width=100)
    file = Image.open(io.BytesIO(data))
    assert (file.format, file.n_frames, file.info["loop"]) == ("GIF", 3, 0)
    frames = list(ImageSequence.Iterator(file))
    assert {frame.size[0] for frame in frames} == {6 + 2 * 106}


def test_its_frames_are_the_columns():
    file = Image.open(io.BytesIO(sheets.animation(pictures(1), ["a", "b", "c"], seconds=0.5, width=100)))
    durations, grays = [], []
    for frame in ImageSequence.Iterator(file):
        durations.append(frame.info["duration"])
        grays.append(frame.convert("RGB").getpixel((50, frame.size[1] - 20)))
    assert durations == [500, 500, 1500]
    assert grays == [(10,) * 3, (30,) * 3, (50,) * 3]


def test_one_frame_and_equal_frames():
    """Equal frames are kept or joined by Pillow; the file is one either way."""
    row = [np.full((40, 80, 3), 90, np.uint8)] * 2
    assert Image.open(io.BytesIO(sheets.animation([row[:1]], ["a"]))).n_frames == 1
    assert Image.open(io.BytesIO(sheets.animation([row], ["a", "a"]))).n_frames in (1, 2)
