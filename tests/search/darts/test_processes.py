"""Two processes search together: they end with the same weights and architecture parameters."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

RUNNER = Path(sys.executable).with_name("horovodrun")
ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(
    importlib.util.find_spec("horovod") is None or not RUNNER.exists(), reason="Horovod is not built: make horovod"
)
def test_two_processes_end_with_the_same_parameters(tmp_path):
    command = [str(RUNNER), "-np", "2", "--gloo", sys.executable, str(Path(__file__).with_name("search_worker.py"))]
    done = subprocess.run(
        [*command, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (mx.nd.load(str(tmp_path / f"{rank}.params")) for rank in (0, 1))
    before = mx.nd.load(str(tmp_path / "0.before"))
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_array_equal(first[name].asnumpy(), second[name].asnumpy(), err_msg=name)
    assert all((first[name] != before[name]).sum().asscalar() for name in before)
