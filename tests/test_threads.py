"""Compiled operators with two threads: the workers of `make test` have one each, so a process of its own has two."""

from pathlib import Path

import pytest

from gluon_attn import runtime

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.skipif(runtime.report().threads.value != "1", reason="tests/nn runs with several threads here")
def test_operators_with_two_threads(run_command):
    variables = {"OMP_NUM_THREADS": "2", "PYTEST_XDIST_WORKER": None, "PYTEST_ADDOPTS": None}
    done = run_command("-m", "pytest", "-x", "-m", "not slow", "tests/nn", cwd=ROOT, env=variables, timeout=600)
    assert done.returncode == 0, done.stdout[-5000:]
