"""Shared by the tests of commands: calls in this process, which spare Python's and MXNet's start, and a trained run."""

import shlex
from types import SimpleNamespace

import pytest
from networks import digits_run
from small_ean import train_supernet
from tiny_detector import words

from gluon_attn.cli import main, train_coco
from gluon_attn.runs import ean_results


@pytest.fixture
def call(capfd, monkeypatch):
    """Calls an entry point in a folder: `call(train_cifar, "--lr 0.1", folder)`.

    Returns what `subprocess.run` would: `returncode`, `stdout`, `stderr`.
    """

    def run(entry_point, arguments, cwd):
        with monkeypatch.context() as patch:
            patch.chdir(cwd)
            capfd.readouterr()
            code = entry_point(shlex.split(arguments))
        said = capfd.readouterr()
        return SimpleNamespace(returncode=code, stdout=said.out, stderr=said.err)

    return run


@pytest.fixture
def refused(capsys):
    """Checks that `gluon-attn` refuses words: `refused(argv, message)`, one line on stderr and exit code 2."""

    def check(argv, message):
        assert main(argv) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("error: ")
        assert message in captured.err
        assert captured.err.count("\n") == 1

    return check


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run folder of a small network for digits."""
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """That run as symbol and ONNX files in plain/, as an ONNX file that takes raw images in raw/."""
    folder = tmp_path_factory.mktemp("exported")
    assert main(["export", str(run), "--format", "symbol", "onnx", "--output", str(folder / "plain")]) == 0
    assert main(["export", str(run), "--format", "onnx", "--preprocess", "--output", str(folder / "raw")]) == 0
    return folder


@pytest.fixture(scope="module")
def trained(scenes, tmp_path_factory):
    """A run of two epochs of a tiny detector that keeps its checkpoints."""
    folder = tmp_path_factory.mktemp("run") / "whole"
    assert train_coco(words(scenes, "--run-dir", folder, "--keep-checkpoints", 5)) == 0
    return folder


@pytest.fixture(scope="session")
def supernet_run(tmp_path_factory):
    """The run folder of a small supernet of EAN's search."""
    return train_supernet(tmp_path_factory.mktemp("supernet"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def without_costs(monkeypatch):
    """Results of EAN's search without MACs and times, which take a second or more to count and measure."""
    monkeypatch.setattr(ean_results, "_cost", lambda setting, scheme: (1, 2, 3.0))
