"""Shared by the tests of commands: a command as a call in this process, which spares it Python's and MXNet's start."""

import shlex
from types import SimpleNamespace

import pytest


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
