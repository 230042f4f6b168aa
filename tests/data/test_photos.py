"""Decoding and the two crops."""

import cv2
import numpy as np
import pytest
from photographs import draw_folder, truncate
from PIL import Image

from gluon_attn.data.crops import center_crop, random_resized_crop
from gluon_attn.data.decode import decode
from gluon_attn.data.image_notes import BadImage


@pytest.fixture
def photo():
    """Red rises to the right, green downwards: a pixel tells where it comes from."""
    right, down = np.meshgrid(np.arange(200), np.arange(120))
    return np.stack([right, down, np.zeros_like(right)], axis=2).astype(np.uint8)


def rng(seed=3):
    return np.random.default_rng(seed)


def test_images_are_rgb(tmp_path):
    (path,) = draw_folder(tmp_path, 1)
    np.testing.assert_array_equal(decode(path.read_bytes()), np.asarray(Image.open(path)))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_other_kinds_become_rgb(tmp_path, mode):
    name = tmp_path / ("image.jpg" if mode == "CMYK" else "image.png")
    Image.new("RGB", (7, 5), (204, 204, 204)).convert(mode).save(name)
    image = decode(name.read_bytes())
    assert image.shape == (5, 7, 3)
    np.testing.assert_allclose(image, 204, atol=3)


@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_a_truncated_file_is_bad(tmp_path, photo, ending):
    path = tmp_path / f"image{ending}"
    cv2.imwrite(str(path), photo)
    decode(path.read_bytes())
    truncate(path)
    with pytest.raises(BadImage, match="not a whole JPEG or PNG"):
        decode(path.read_bytes())


@pytest.mark.parametrize("data", [b"", b"GIF", b"\xff\xd8\xff", bytes(1000)])
def test_what_is_no_image_is_bad(data):
    with pytest.raises(BadImage):
        decode(data)


def corners(crop):
    """(left, top, right, bottom) in the photo, to within a pixel or two of scaling."""
    return crop[:, 0, 0].mean(), crop[0, :, 1].mean(), crop[:, -1, 0].mean(), crop[-1, :, 1].mean()


def test_random_crops_keep_to_area_and_ratio(photo):
    draw, shares, ratios = rng(), [], []
    for _ in range(600):
        crop = random_resized_crop(photo, 64, draw)
        assert crop.shape == (64, 64, 3)
        left, top, right, bottom = corners(crop)
        width, height = (right - left) * 65 / 64 + 1, (bottom - top) * 65 / 64 + 1
        shares.append(width * height / (200 * 120))
        ratios.append(width / height)
    assert 0.07 < min(shares) < 0.11
    assert 0.75 < max(shares) < 1
    assert 0.72 < min(ratios) < 0.8
    assert 1.26 < max(ratios) < 1.4
    assert abs(np.mean(np.log(ratios))) < 0.03


def test_random_crops_reach_all_edges(photo):
    draw = rng()
    found = np.array([corners(random_resized_crop(photo, 64, draw)) for _ in range(400)])
    assert (found.min(0)[:2] <= 1).all()
    assert (found.max(0)[2:] >= (198, 118)).all()
    assert (found.max(0)[:2] >= (120, 60)).all()
    assert (found.min(0)[2:] <= (80, 60)).all()


def test_random_crops_follow_the_generator(photo):
    first, again, other = (random_resized_crop(photo, 32, rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(("shape", "kept"), [((20, 400), (20, 27)), ((400, 20), (27, 20)), ((1, 1), (1, 1))])
def test_where_nothing_fits_the_middle_is_taken(shape, kept):
    """At full area no ratio from 3/4 to 4/3 fits into an image of 1:20."""
    strip = np.zeros((*shape, 3), np.uint8)
    y, x = ((side - part) // 2 for side, part in zip(shape, kept, strict=True))
    strip[y : y + kept[0], x : x + kept[1]] = 255
    assert (random_resized_crop(strip, 16, rng(), area=(1, 1)) == 255).all()


def test_evaluation_takes_the_centre_at_seven_eighths(photo):
    """120 pixels are scaled to 128, of which 112 are kept: 105 of the photo's 120."""
    crop = center_crop(photo, 112)
    assert crop.shape == (112, 112, 3)
    np.testing.assert_allclose(corners(crop), (47.5, 7.5, 151.5, 111.5), atol=0.7)


@pytest.mark.parametrize("size", [8, 97, 224, 299])
@pytest.mark.parametrize("shape", [(10, 10), (375, 500), (500, 333), (9, 200)])
@pytest.mark.parametrize("ratio", [0.875, 1.0, 0.5])
def test_evaluation_fits_any_size(size, shape, ratio):
    assert center_crop(np.zeros((*shape, 3), np.uint8), size, ratio=ratio).shape == (size, size, 3)


def test_evaluation_at_its_own_size_changes_nothing(photo):
    square = photo[:64, :64]
    np.testing.assert_array_equal(center_crop(square, 64, ratio=1), square)
    np.testing.assert_array_equal(center_crop(square, 56), square[4:60, 4:60])
