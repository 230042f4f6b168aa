"""One image file as the input of a network."""

import numpy as np
import pytest
from PIL import Image

from gluon_attn.data.image_file import read_image
from gluon_attn.utils.errors import UserError


def test_any_kind_of_image_becomes_rgb_of_the_size(tmp_path):
    halves = np.zeros((4, 6, 3), np.uint8)
    halves[:, 3:] = (10, 20, 30)
    Image.fromarray(halves).save(tmp_path / "rgb.png")
    assert np.array_equal(read_image(tmp_path / "rgb.png", 4, 6), halves)
    assert read_image(tmp_path / "rgb.png", 8, 2).shape == (8, 2, 3)
    Image.fromarray(halves[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(read_image(tmp_path / "grey.png", 4, 6), halves[..., :1].repeat(3, axis=2))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.fromarray(halves).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "turned.png", 6, 4), np.rot90(halves, -1))


def test_a_truncated_image_is_named(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:150])
    with pytest.raises(UserError, match=r"image .*cut\.png cannot be read"):
        read_image(tmp_path / "cut.png", 4, 4)


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(UserError, match=r"image .*none\.png does not exist"):
        read_image(tmp_path / "none.png", 4, 4)
