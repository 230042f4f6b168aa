"""Random crops of photographs: only what a crop needs is decoded, at a part of its size where that is asked for."""

import dataclasses

import cv2
import numpy as np
import pytest
from image_files import encoded
from PIL import Image
from record_batches import PLAIN, epoch

from gluon_attn.config.data import DataConfig
from gluon_attn.data import decode as decoding
from gluon_attn.data.crops import center_crop, random_resized_crop
from gluon_attn.data.decode import decode
from gluon_attn.data.factory import build, open_dataset
from gluon_attn.data.image_notes import BadImage
from gluon_attn.data.photos import PhotoSet
from gluon_attn.utils.errors import UserError

#: files whose rows come in order, and others
IN_ORDER, OTHERS = ("4:4:4", "4:2:2", "4:2:0"), ("progressive", "restarts")


def photo(height=150, width=200, seed=1):
    """A smooth picture in which no two rows are alike."""
    noise = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return Image.fromarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))


def jpeg(image, **options):
    return encoded(image, "JPEG", quality=92, **options)


def jpeg_of(kind):
    """A file of one of the two kinds, or of a mode of Pillow's."""
    if kind == "restarts":
        return cv2.imencode(".jpg", np.asarray(photo()), [cv2.IMWRITE_JPEG_RST_INTERVAL, 5])[1].tobytes()
    if kind in (*IN_ORDER, "progressive"):
        return jpeg(photo(), **({"progressive": True} if kind == "progressive" else {"subsampling": kind}))
    return jpeg(photo().convert(kind))


class Files(list):
    """Encoded images, each of class 0."""

    def read(self, number):
        return self[number], 0

    def name(self, number):
        return f"image {number}"


def taken(files, size, seed=3, **options):
    images, _, errors = PhotoSet(Files(files), 1, size, **{"crop": random_resized_crop, **options}).take(
        range(len(files)), np.random.default_rng(seed)
    )
    return images, errors


@pytest.fixture
def sizes(monkeypatch):
    """Heights of all that OpenCV decodes."""
    heights = []

    def imdecode(*arguments):
        pixels = original(*arguments)
        heights.append(None if pixels is None else len(pixels))
        return pixels

    original = cv2.imdecode
    monkeypatch.setattr("cv2.imdecode", imdecode)
    return heights


@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", [*IN_ORDER, *OTHERS, "L", "CMYK"])
def test_first_rows_are_those_of_the_whole_image(kind, reduction, sizes, capfd):
    data = jpeg_of(kind)
    whole = decode(data, reduction=reduction)
    for rows in range(1, 151):
        first = decode(data, reduction=reduction, rows=rows)
        needed = -(-rows // reduction)
        np.testing.assert_array_equal(first[:needed], whole[:needed])
    fewer = [height for height in sizes if height < len(whole)]
    assert bool(fewer) == (kind not in OTHERS)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", [*IN_ORDER, *OTHERS])
def test_a_truncated_file_is_bad_wherever_the_crop_is(kind):
    data = jpeg_of(kind)
    for share in (0.5, 0.9, 0.99):
        with pytest.raises(BadImage):
            decode(data[: int(len(data) * share)], rows=1)


@pytest.mark.parametrize("kind", IN_ORDER)
def test_damage_is_read_or_refused_as_in_the_whole_image(kind):
    data, random = jpeg_of(kind), np.random.default_rng(7)
    for _ in range(40):
        damaged = bytearray(data)
        for place in random.integers(0, len(data), 3):
            damaged[place] ^= 1 << int(random.integers(8))
        try:
            whole = decode(bytes(damaged))
        except BadImage:
            with pytest.raises(BadImage):
                decode(bytes(damaged), rows=40)
        else:
            np.testing.assert_array_equal(decode(bytes(damaged), rows=40)[:40], whole[:40])


def test_too_many_pixels_are_refused_before_any_row_is_decoded(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 150 * 200 - 1)
    monkeypatch.setattr("cv2.imdecode", lambda *_: pytest.fail("decoded"))
    assert decoding.jpeg_size(jpeg(photo())) is None
    with pytest.raises(BadImage, match="200x150 are more than"):
        decode(jpeg(photo()), rows=16)


def test_crops_are_those_of_whole_images_also_beside_broken_ones(sizes):
    """To the bit, with the same random numbers: an image that cannot be read draws none."""
    exif = Image.Exif()
    exif[0x0112] = 6
    good = [jpeg(photo(seed=seed)) for seed in range(12)]
    good += [jpeg(photo(), exif=exif), encoded(photo(), "PNG"), jpeg(photo(), progressive=True), jpeg(photo(9, 400))]
    files = [good[0][:900], *good[:7], good[7][:-40], b"no image", *good[7:]]
    images, errors = taken(files, 32)
    assert min(height for height in sizes if height) < 150
    random = np.random.default_rng(3)
    want = [random_resized_crop(decode(data), 32, random) for data in good]
    np.testing.assert_array_equal(images, want)
    assert [error.split(":")[0] for error in errors] == ["image 0", "image 8", "image 9"]


def test_a_header_of_another_size_than_the_pixels(monkeypatch):
    monkeypatch.setattr("gluon_attn.data.photos.jpeg_size", lambda data: (1500, 2000))
    data = jpeg(photo())
    want = random_resized_crop(decode(data), 32, np.random.default_rng(3))
    for scaled in (False, True):
        np.testing.assert_array_equal(taken([data], 32, scaled=scaled)[0], [want])


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_scaled_crops_show_the_same(orientation):
    """The places are within half a pixel of a part of the size; a smooth picture hardly tells them apart."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    smooth = photo(48, 64).resize((640, 480), Image.Resampling.BICUBIC)
    files = [jpeg(smooth, exif=exif)] * 20
    exact, scaled = (taken(files, 32, scaled=scaled)[0].astype(int) for scaled in (False, True))
    assert (exact != scaled).any()
    assert abs((scaled - exact).mean()) < 0.2
    assert np.abs(scaled - exact).mean() < 4


def test_scaled_decoding_takes_the_largest_reduction(monkeypatch):
    """Crops of 8 to 100 % of 480x640 have sides from about 120 to 640."""
    seen = []
    original = decoding._imdecode
    monkeypatch.setattr(decoding, "_imdecode", lambda data, by: seen.append(by) or original(data, by))
    data = jpeg(photo(480, 640))
    for size, factors in ((40, {2, 4, 8}), (224, {1, 2}), (256, {1})):
        seen.clear()
        taken([data] * 60, size, scaled=True)
        assert set(seen) == factors, size
    seen.clear()
    taken([data] * 20, 40)
    taken([data] * 20, 40, crop=center_crop, scaled=True)
    assert set(seen) == {1}


@pytest.fixture
def folder(tmp_path):
    for part, name in (("train", "a"), ("train", "b"), ("val", "a"), ("val", "b")):
        place = tmp_path / part / name
        place.mkdir(parents=True)
        for number in range(4):
            (place / f"{number}.jpg").write_bytes(jpeg(photo(seed=number)))
        encoded_png = encoded(photo(seed=9), "PNG")
        (place / "png.png").write_bytes(encoded_png)
    return tmp_path


def options(folder, **more):
    given = {"input_size": 16, "batch_size": 5, "num_workers": 0, **PLAIN, **more}
    return DataConfig(dataset="imagenet_folder", data_dir=str(folder), **given)


def test_the_option_changes_training_images_alone(folder, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(4)))
    exact, scaled = (build(options(folder, scaled_decode=on), 1) for on in (False, True))
    assert (exact.scaled_decode, scaled.scaled_decode) == (False, True)
    first, second = (epoch(data.train) for data in (exact, scaled))
    assert not np.array_equal(first[0][0], second[0][0])
    for one, other in zip(epoch(exact.val), epoch(scaled.val), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    threads = epoch(build(options(folder, scaled_decode=True, num_workers=3), 1).train)
    for one, other in zip(second, threads, strict=True):
        np.testing.assert_array_equal(one[0], other[0])


@pytest.mark.parametrize("split", [{"val_share": 0.5}, {"hold_out": 2}])
def test_images_split_off_for_evaluation_are_decoded_exactly(folder, split):
    exact, scaled = (open_dataset(options(folder, scaled_decode=on, **split), 1).val for on in (False, True))
    numbers = range(len(exact))
    np.testing.assert_array_equal(exact.take(numbers, None)[0], scaled.take(numbers, None)[0])


def test_the_option_needs_photographs():
    with pytest.raises(UserError, match=r"on cifar10: leave it out \(it is for imagenet_rec, imagenet_folder\)$"):
        DataConfig(dataset="cifar10", scaled_decode=True)


def test_the_log_says_so(folder):
    from gluon_attn.runs.announcement import loaders_text

    data = build(options(folder, scaled_decode=True), 1)
    said = ", JPEG files to train on decoded at a part of their size"
    assert loaders_text(data).endswith(said)
    assert said not in loaders_text(dataclasses.replace(data, scaled_decode=False))
