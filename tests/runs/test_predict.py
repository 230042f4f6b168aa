"""Predictions of image files of every format and mode, as users call it."""

import numpy as np
import pytest
from image_files import lossless, lossy
from networks import digits_run
from PIL import Image

import gluon_attn  # noqa: F401 - before MXNet
from gluon_attn.data.decode import FIRST_FRAME
from gluon_attn.data.pixel_modes import TRANSPARENT
from gluon_attn.runs.predict import predict
from gluon_attn.utils.errors import UserError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


def test_each_format_and_mode_is_predicted_as_its_8_bit_rgb_copy(run, tmp_path, caplog):
    files = {**lossless(), **lossy()}
    paths, copies = [], []
    for name, (data, pixels) in files.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
        copies.append(tmp_path / f"copy of {name}.png")
        Image.fromarray(pixels).save(copies[-1])
    found, wanted = predict(paths, run, top=10), predict(copies, run, top=10)
    assert caplog.messages == [TRANSPARENT, FIRST_FRAME]
    assert len({row["classes"][0]["probability"] for row in wanted}) > 5  # the network tells the pictures apart
    for name, one, other in zip(files, found, wanted, strict=True):
        if name == "cmyk.jpg":  # see test_decode
            for first, second in zip(one["classes"], other["classes"], strict=True):
                assert first["probability"] == pytest.approx(second["probability"], abs=0.02)
        else:
            assert one["classes"] == other["classes"], name


def test_a_file_whose_range_is_unknown_is_one_line(run, tmp_path):
    Image.fromarray(np.full((8, 8), 300.0, np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(UserError, match=r"image .*float\.tif cannot be read: its float32 pixels go from 300 to 300"):
        predict([tmp_path / "float.tif"], run)


def test_the_home_folder(run, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    Image.new("RGB", (9, 9)).save(tmp_path / "black.png")
    (answer,) = predict(["~/black.png"], run, top=1)
    assert answer["image"] == "~/black.png"
