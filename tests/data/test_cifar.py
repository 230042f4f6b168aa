"""CIFAR from small files in the real format, and what a user hears about files that are not there or broken."""

import logging
from pathlib import Path

import numpy as np
import pytest

from gluon_attn.config.data import DataConfig
from gluon_attn.data.cifar import NAMES
from gluon_attn.data.factory import open_dataset
from gluon_attn.utils.errors import UserError

FILES = {
    "cifar10": [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"],
    "cifar100": ["train.bin", "test.bin"],
}


def write(folder, name, count=8):
    """Random files in the binary layout (labels, then 3 planes of 32x32); returns file -> (images, labels)."""
    folder.mkdir(exist_ok=True)
    rng, contents = np.random.default_rng(0), {}
    for number, file in enumerate(FILES[name]):
        images = rng.integers(0, 256, (count + number, 32, 32, 3), dtype=np.uint8)
        labels = rng.integers(0, len(NAMES[name].split()), count + number, dtype=np.uint8)
        columns = [labels[:, None], images.transpose(0, 3, 1, 2).reshape(len(labels), -1)]
        if name == "cifar100":
            columns.insert(0, labels[:, None] // 5)  # a coarse label, which must not be the one that is read
        np.concatenate(columns, axis=1).tofile(folder / file)
        contents[file] = images, labels
    return contents


def load(name, folder, **options):
    return open_dataset(DataConfig(dataset=name, data_dir=str(folder), **options), seed=1)


def complaint(name, folder):
    with pytest.raises(UserError) as caught:
        load(name, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(params=["cifar10", "cifar100"])
def name(request):
    return request.param


@pytest.mark.parametrize("inner", [False, True])
def test_all_files_are_read_in_order(tmp_path, name, inner):
    folder = tmp_path / {"cifar10": "cifar-10-batches-bin", "cifar100": "cifar-100-binary"}[name]
    contents = list(write(folder, name).values())
    source = load(name, tmp_path if inner else folder)
    for arrays, parts in ((source.train, contents[:-1]), (source.val, contents[-1:])):
        np.testing.assert_array_equal(arrays.images, np.concatenate([images for images, _ in parts]))
        np.testing.assert_array_equal(arrays.labels, np.concatenate([labels for _, labels in parts]))
    assert source.input_shape == (3, 32, 32)
    assert source.flip is True


def test_names(name):
    names = NAMES[name].split()
    assert len(set(names)) == len(names) == int(name.removeprefix("cifar"))
    assert names == sorted(names)


def test_normalization(tmp_path, name):
    write(tmp_path, name)
    ours, theirs = load(name, tmp_path), load(name, tmp_path, normalization="att-darts")
    assert (ours.mean[0], ours.std[0]) == (0.4914, 0.2023)
    want = {"cifar10": (0.49139968, 0.24703233), "cifar100": (0.5071, 0.2675)}[name]
    assert (theirs.mean[0], theirs.std[0]) == want


def test_files_that_are_not_the_official_ones_are_told(tmp_path, name, caplog):
    write(tmp_path, name)
    with caplog.at_level(logging.WARNING, "gluon_attn"):
        load(name, tmp_path)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert all("not the official data" in line for line in told)
    assert FILES[name][0] in told[0]


@pytest.mark.parametrize("left", [0, 1, 3072, 5000])
def test_truncated_file(tmp_path, name, left):
    write(tmp_path, name)
    broken = tmp_path / FILES[name][-1]
    broken.write_bytes(broken.read_bytes()[:left])
    assert complaint(name, tmp_path).startswith(f"{broken} is truncated")
    assert broken.stat().st_size == left


def test_corrupt_label(tmp_path, name):
    write(tmp_path, name)
    broken = tmp_path / FILES[name][0]
    data = bytearray(broken.read_bytes())
    data[1 if name == "cifar100" else 0] = 200
    broken.write_bytes(data)
    assert complaint(name, tmp_path).startswith(f"{broken} is corrupt: it holds label 200")


def test_missing_file(tmp_path, name):
    write(tmp_path, name)
    (tmp_path / FILES[name][0]).unlink()
    said = complaint(name, tmp_path)
    assert f"{tmp_path} lacks {FILES[name][0]};" in said
    assert "unpack it and pass its folder as option data_dir" in said
    assert not (tmp_path / FILES[name][0]).exists()


def test_missing_folder_is_not_made(tmp_path, name):
    assert "does not exist" in complaint(name, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_file_is_no_folder(tmp_path, name):
    (tmp_path / "file").write_text("x")
    assert "is not a folder" in complaint(name, tmp_path / "file")


def test_a_file_that_cannot_be_opened(tmp_path, name, monkeypatch):
    write(tmp_path, name)

    def refuse(self, path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(f"mxnet.gluon.data.vision.{name.upper()}._read_batch", refuse)
    assert complaint(name, tmp_path) == f"cannot read {tmp_path / FILES[name][0]}: Permission denied"


def test_the_pickled_version_is_refused(tmp_path, name):
    (tmp_path / {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}[name]).mkdir()
    assert "a pickle, not read; get cifar-10" in complaint(name, tmp_path)


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    """Gluon's folder is empty and its server is a port of this machine where nobody listens."""
    monkeypatch.setenv("MXNET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MXNET_GLUON_REPO", "http://127.0.0.1:9/")
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    return tmp_path / "home" / "datasets"


def test_no_network(no_network, name, monkeypatch):
    """Found out by one request; Gluon's own download, which tries six times, is not begun."""
    monkeypatch.delattr("mxnet.gluon.data.vision.datasets.download")
    with pytest.raises(UserError) as caught:
        open_dataset(DataConfig(dataset=name), seed=1)
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(f"cannot download {name} (ConnectionError; is there a network?): get cifar-10")
    assert said.endswith("pass its folder as option data_dir")


def test_a_full_disk(no_network, name, monkeypatch):
    """What Gluon leaves of each of its tries is removed."""

    def fill(url, path, sha1_hash):
        (Path(path) / f"{url.rpartition('/')[2]}.a1b2").write_bytes(b"part")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gluon_attn.data.cifar_files._probe", lambda url: None)
    monkeypatch.setattr("mxnet.gluon.data.vision.datasets.download", fill)
    with pytest.raises(
        UserError, match=rf"^cannot write {name} to .*: No space left on device; make room and try again$"
    ):
        open_dataset(DataConfig(dataset=name), seed=1)
    assert [path.name for path in (no_network / name).iterdir()] == [".lock"]


def test_gluons_folder_is_used_once_filled(no_network, name, monkeypatch):
    """Files whose hash Gluon accepts are read without asking the network."""
    contents = list(write_parents(no_network / name, name).values())
    monkeypatch.setattr("mxnet.gluon.data.vision.datasets.check_sha1", lambda path, sha1: True)
    source = open_dataset(DataConfig(dataset=name), seed=1)
    np.testing.assert_array_equal(source.val.labels, contents[-1][1])


def write_parents(folder, name):
    folder.parent.mkdir(parents=True)
    return write(folder, name)
