"""Every format and mode becomes the same 8-bit RGB pixels, wherever it is read."""

import io
import logging
import struct
import zlib

import cv2
import numpy as np
import pytest
from image_files import GRAY, HEIGHT, PIXELS, WIDTH, by_opencv, encoded, lossless, lossy, tiff, wide
from photographs import draw_folder
from PIL import Image, ImageFile

from gluon_attn.data import decode as decoding
from gluon_attn.data.crops import center_crop
from gluon_attn.data.decode import FIRST_FRAME, decode
from gluon_attn.data.image_file import read_image
from gluon_attn.data.image_folder import ImageFolder
from gluon_attn.data.image_notes import BadImage, Notes
from gluon_attn.data.photos import PhotoSet
from gluon_attn.data.pixel_modes import TRANSPARENT, to_rgb
from gluon_attn.data.records import RecordFile
from gluon_attn.data.write_records import pack

LOSSLESS, LOSSY = lossless(), lossy()


def read(data):
    """(pixels, what was noted)."""
    said = []
    return decode(data, said.append), said


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_files_are_the_pixels_that_were_written(name):
    data, want = LOSSLESS[name]
    np.testing.assert_array_equal(decode(data), want)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_files_are_what_pillow_makes_of_them(name):
    """CMYK is multiplied in integers by both libraries, which round in different places."""
    data, want = LOSSY[name]
    assert np.abs(decode(data).astype(int) - want).max() <= (name == "cmyk.jpg")


@pytest.mark.parametrize("name", [name for name in LOSSY if name.endswith(("jpg", "jpeg"))])
def test_photographs_are_what_opencv_makes_of_them(name):
    """To the bit, as results of earlier versions depend on it."""
    data = LOSSY[name][0]
    np.testing.assert_array_equal(decode(data), cv2.imdecode(np.frombuffer(data, np.uint8), 1)[..., ::-1])


@pytest.mark.parametrize("orientation", range(10))
def test_photographs_are_turned_as_opencv_turns_them(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(PIXELS), "JPEG", exif=exif)
    np.testing.assert_array_equal(decode(data), cv2.imdecode(np.frombuffer(data, np.uint8), 1)[..., ::-1])


def test_what_is_not_as_in_the_file_is_noted():
    noted = {name: read(data)[1] for name, (data, _) in {**LOSSLESS, **LOSSY}.items()}
    on_white = {name for name, said in noted.items() if TRANSPARENT in said}
    assert on_white == {
        "la.png", "p-alpha.png", "p-key.png", "rgb-key.png", "l-key.png", "rgba.png", "rgba16.png", "rgba.webp",
        "p-key.gif", "la.tif", "rgba.tif",
    }  # fmt: skip
    frames = {name for name, said in noted.items() if FIRST_FRAME in said}
    assert frames == {"animated.png", "animated.webp", "animated.gif", "pages.tif"}
    assert {name for name, said in noted.items() if said} == on_white | frames


def test_notes_are_logged_once(caplog):
    note = Notes()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            decode(LOSSLESS["rgba.png"][0], note)
    assert [record.getMessage() for record in caplog.records] == [TRANSPARENT]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All files as two classes: as they are, and as 8-bit RGB PNG files of the same names."""
    root = tmp_path_factory.mktemp("formats")
    for kind in ("copies", "files"):
        (root / kind).mkdir()
    for name, (data, _) in {**LOSSLESS, **LOSSY}.items():
        (root / "files" / name).write_bytes(data)
        by_pillow = np.asarray(Image.fromarray(decode(data)))
        Image.fromarray(by_pillow).save(root / "copies" / f"{name}.png")
    return root


def test_training_evaluation_records_and_prediction_see_the_same_pixels(folder, tmp_path):
    count = len(LOSSLESS) + len(LOSSY)
    assert pack(folder, tmp_path / "all") == (2 * count, [])
    sets = [PhotoSet(files, 2, 32, center_crop) for files in (ImageFolder(folder), RecordFile(tmp_path / "all.rec"))]
    (from_files, labels, errors), (from_records, _, _) = (images.take(range(2 * count), None) for images in sets)
    assert (errors, labels.tolist()) == ([], [0] * count + [1] * count)
    np.testing.assert_array_equal(from_files, from_records)
    np.testing.assert_array_equal(from_files[:count], from_files[count:])
    for path in (folder / "files").iterdir():
        copy = folder / "copies" / f"{path.name}.png"
        np.testing.assert_array_equal(read_image(path, 16, 24), read_image(copy, 16, 24))


def test_drawn_photographs_as_pillow_reads_them(tmp_path):
    for path in draw_folder(tmp_path, 6):
        np.testing.assert_array_equal(decode(path.read_bytes()), np.asarray(Image.open(path)))


@pytest.mark.parametrize("name", ["rgb.jpg", "rgb.png", "rgba.png", "rgb.tif", "rgba.webp", "p.gif", "rgb.bmp"])
@pytest.mark.parametrize("share", [0.3, 0.67])
def test_a_truncated_file_is_bad(name, share, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as GluonCV leaves it
    data = {**LOSSLESS, **LOSSY}[name][0]
    with pytest.raises(BadImage):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize("data", [b"", b"GIF", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0", bytes(1000), b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_bad(data):
    with pytest.raises(BadImage):
        decode(data)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pytest puts them on again
@pytest.mark.parametrize("name", [*LOSSLESS, *LOSSY])
def test_any_damage_is_bad_or_read(name):
    """Bits flipped anywhere: pixels, or one line, but never another error."""
    data = {**LOSSLESS, **LOSSY}[name][0]
    random, said = np.random.default_rng(7), [""]
    for _ in range(8):
        damaged = bytearray(data)
        for place in random.integers(0, len(data), 3):
            damaged[place] ^= 1 << int(random.integers(8))
        try:
            decode(bytes(damaged))
        except BadImage as error:
            said.append(str(error))
    assert not any("\n" in line for line in said)


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        (PIXELS[..., 0].astype("<f4") * 1.5, 3, r"float32 pixels go from [\d.]+ to 3\d\d"),
        (PIXELS[..., 0].astype("<f4") / 200, 3, r"float32 pixels go from [\d.]+ to 1\.\d+, not from 0 to 1"),
        (PIXELS[..., 0].astype("<f4") / 255 - 0.5, 3, r"float32 pixels go from -0\.\d+ to 0"),
        (np.full((HEIGHT, WIDTH), np.nan, "<f4"), 3, "float32 pixels go from nan to nan"),
        (PIXELS[..., 0].astype("<i4") * 257, 2, r"int32 pixels go from \d+ to \d+, not from 0 to 255: save it with 8"),
        (PIXELS[..., 0].astype("<i4") - 100, 2, r"int32 pixels go from -\d+ to \d+"),
    ],
)
def test_pixels_of_unknown_range_are_not_guessed(values, kind, reason):
    with pytest.raises(BadImage, match=reason):
        decode(tiff(values, 32, kind))


def test_one_level_above_white_is_white():
    values = (GRAY / 255).astype("<f4")
    values[GRAY == 255] = 1.0005
    np.testing.assert_array_equal(decode(tiff(values, 32, 3))[..., 0], GRAY)


def test_sixteen_bits_of_older_pillow():
    """Before version 11 the mode was I."""
    image = Image.fromarray(wide(GRAY).astype(np.int32), "I")
    image.format = "PNG"
    np.testing.assert_array_equal(to_rgb(image)[..., 1], GRAY)


def test_sixteen_bits_with_a_transparent_color():
    deep = wide(GRAY)
    data = encoded(Image.fromarray(deep), "PNG")
    key = struct.pack(">I4sH", 2, b"tRNS", int(deep[3, 4]))
    data = data[:33] + key + struct.pack(">I", zlib.crc32(key[4:])) + data[33:]
    pixels, said = read(data)
    want = np.where(deep == deep[3, 4], 255, GRAY)
    np.testing.assert_array_equal(pixels, np.repeat(want[..., None], 3, axis=2))
    assert said == [TRANSPARENT]


@pytest.mark.parametrize("name", ["rgb.jpg", "rgb.png", "rgba.png", "rgb.bmp", "rgb.webp", "p.gif", "rgb.tif"])
def test_too_many_pixels_are_refused_before_they_are_decoded(name, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", WIDTH * HEIGHT - 1)
    for library in ("cv2.imdecode", "PIL.ImageFile.ImageFile.load"):
        monkeypatch.setattr(library, lambda *_: pytest.fail("decoded"))
    with pytest.raises(BadImage, match=rf"{WIDTH}x{HEIGHT} are more than 539 pixels"):
        decode({**LOSSLESS, **LOSSY}[name][0])


def test_a_bomb_is_one_line(tmp_path, run_command):
    """Pillow warns of half as many pixels, too."""
    code = f"""
from gluon_attn.data.image_file import read_image
from gluon_attn.utils.errors import UserError
for name in ("large.png", "large.tif", "half.tif"):
    try:
        read_image("{tmp_path}/" + name, 4, 4)
    except UserError as error:
        print(error)
"""
    Image.new("1", (13_400, 13_400)).save(tmp_path / "large.png")
    for name, side in (("large", 19_000), ("half", 9_600)):
        Image.new("1", (side, side)).save(tmp_path / f"{name}.tif", compression="group4")
    done = run_command("-c", code)
    assert done.stdout.count("\n") == done.stdout.count("more than 178,956,970 pixels") == 2
    assert done.stderr == ""


def test_a_size_is_read_behind_odd_segments():
    """Fill bytes and bytes between segments are allowed, as are sizes that a thumbnail in a segment has."""
    data = LOSSY["rgb.jpg"][0]
    thumbnail = b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data
    odd = data[:2] + thumbnail + b"\xff\xff" + b"\xff\xfe\0\2" + data[2:]
    header = decoding.jpeg_header(odd)
    assert (header.width, header.height) == (WIDTH, HEIGHT)
    np.testing.assert_array_equal(decode(odd), decode(data))


def test_rgb16_high_bytes_are_what_opencv_trained_with():
    data = by_opencv(".png", wide(PIXELS))
    np.testing.assert_array_equal(decode(data), cv2.imdecode(np.frombuffer(data, np.uint8), 1)[..., ::-1])
    assert Image.open(io.BytesIO(data)).mode == "RGB"
