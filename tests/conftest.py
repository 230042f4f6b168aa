"""Shared by all tests: the runtime is prepared before MXNet loads, each test has its own random streams."""

import gc
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from small_disk import mounted

# Threads that wait let others run: on a shared machine spinning makes tests many times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
if "PYTEST_XDIST_WORKER" in os.environ:  # several workers share the cores: one thread each
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import gluon_attn  # noqa: F401 - must come before MXNet
from gluon_attn.utils.seed import seed_all

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_finish():
    """Python looks for cycles less often, and not in modules and tests.

    Networks are many thousands of objects: to look after every 700 new ones takes a third of the time of building them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def pytest_runtest_logfinish():
    """Free the networks of a test, which are cycles, if it made many objects."""
    if any(gc.get_count()[1:]):
        gc.collect()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Where commands of a module draw their digit-scenes."""
    return tmp_path_factory.mktemp("scenes") / "set"


@pytest.fixture(autouse=True)
def seed(request):
    """Seeds Python, NumPy and MXNet from the test's name, or from the variable that a failure shows."""
    own = os.environ.get("GLUON_ATTN_TEST_SEED")
    value = int(own) if own else zlib.crc32(request.node.nodeid.encode())
    print(f"GLUON_ATTN_TEST_SEED={value}")
    seed_all(value)
    return value


@pytest.fixture
def every_dtype(monkeypatch):
    """oneDNN computes bfloat16 on any processor, slowly; float16 goes as long as nothing multiplies matrices."""
    monkeypatch.setattr("gluon_attn.engine.trainer.usable_dtype", lambda dtype, *_: dtype)


@pytest.fixture
def small_disk(tmp_path):
    """A `SmallDisk`, unmounted at the end."""
    with mounted(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def run_command(tmp_path):
    """Runs Python with some arguments in its own process: `run_command("-m", "gluon_attn", ...)`.

    Returns the finished process: `returncode`, `stdout`, `stderr`. `env` adds variables (None removes one),
    `cwd` defaults to `tmp_path`, `timeout` is in seconds.
    """

    def run(*arguments, env=None, cwd=tmp_path, timeout=300, **options):
        variables = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT), **(env or {})}
        variables = {name: value for name, value in variables.items() if value is not None}
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=variables, cwd=cwd, timeout=timeout, capture_output=True, text=True, check=False, **options,
        )  # fmt: skip

    return run
