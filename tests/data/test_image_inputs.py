"""Which images words name: files, folders, patterns, standard input."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gluon_attn.config.data import DataConfig
from gluon_attn.data.factory import open_dataset
from gluon_attn.data.image_inputs import image_inputs, read_inputs
from gluon_attn.utils.errors import UserError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/digits"


class Piped(io.TextIOWrapper):
    """Standard input with these bytes."""

    def __init__(self, data, terminal=False):
        super().__init__(io.BytesIO(data))
        self.terminal = terminal

    def isatty(self):
        return self.terminal


class Closed(Piped):
    """Standard input that cannot be read."""

    def isatty(self):
        raise ValueError("closed")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Images in a folder and below it, other files, a link back, and the folder as the current one."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.png", "a.JPG", "cats/c.png", "cats/deep/d.png", ".hidden/x.png", "__MACOSX/y.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), len(name) * 10, np.uint8)).save(path, "PNG")
    (tmp_path / "photos/notes.txt").write_text("no image")
    (tmp_path / "photos/cats/loop").symlink_to(tmp_path / "photos")
    return tmp_path / "photos"


def names(*words):
    return [one.name for one in image_inputs(words)]


def test_a_folder_has_the_images_in_it_and_below(photos):
    assert names("photos") == [f"photos/{name}" for name in ("a.JPG", "b.png", "cats/c.png", "cats/deep/d.png")]
    assert names(photos / "cats", "photos/b.png")[-1] == "photos/b.png"


def test_patterns_are_for_names_that_no_file_has(photos):
    assert names("photos/*.png", "photos/**/d.*") == ["photos/b.png", "photos/cats/deep/d.png"]
    (photos / "[1].png").write_bytes((photos / "b.png").read_bytes())
    assert names("photos/[1].png") == ["photos/[1].png"]
    assert names("photos/none.png") == ["photos/none.png"]  # told when it is read


def test_an_image_or_paths_come_from_standard_input(photos, monkeypatch):
    data = (photos / "b.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", Piped(data))
    ((one, pixels),) = read_inputs(image_inputs(["-"]))
    assert (one.name, pixels[0, 0, 0]) == ("stdin", 50)
    monkeypatch.setattr(sys, "stdin", Piped(b"photos/b.png\r\n\nphotos/cats/c.png\n"))
    assert names("-") == ["photos/b.png", "photos/cats/c.png"]


def test_what_cannot_be_read_is_left_out_of_many(photos, caplog):
    (photos / "b.png").write_bytes(b"damaged")
    read = list(read_inputs(image_inputs(["photos"])))
    assert len(read) == 3
    assert "left out 1 images: image photos/b.png cannot be read" in caplog.text
    with pytest.raises(UserError, match=r"image photos/b\.png cannot be read"):
        list(read_inputs(image_inputs(["photos/b.png", "photos/a.JPG"])))
    with pytest.raises(UserError, match=r"image photos/b\.png cannot be read"):
        list(read_inputs(image_inputs(["photos/b*"])))


@pytest.mark.parametrize(
    ("word", "piped", "line"),
    [
        ("empty", None, "empty holds no images (.jpg, .jpeg"),
        ("none*.png", None, "no image fits none*.png"),
        ("-", Piped(b"", terminal=True), "nothing comes from standard input: pipe an image into it"),
        ("-", Closed(b"x"), "standard input cannot be read: closed"),
        ("-", Piped(b"\n"), "nothing comes from standard input"),
    ],
)
def test_nothing_is_one_line(photos, monkeypatch, word, piped, line):
    Path("empty").mkdir()
    monkeypatch.setattr(sys, "stdin", piped)
    with pytest.raises(UserError) as error:
        image_inputs([word])
    assert line in str(error.value)


def test_the_examples_are_test_images_of_the_digits():
    test = open_dataset(DataConfig(dataset="digits"), 1).val
    found = list(read_inputs(image_inputs([EXAMPLES])))
    assert [Path(one.name).name for one, _ in found] == [f"{digit}.png" for digit in range(10)]
    for digit, (_, pixels) in enumerate(found):
        assert (test.images[(test.labels == digit).argmax()] == pixels).all()
