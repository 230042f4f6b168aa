"""EAN's search goes on to the last bit, and is the same in several processes."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import pytest
from small_ean import run, samples

from gluon_attn import get_model
from gluon_attn.runs import ean_search

ROOT = Path(__file__).resolve().parents[2]


RUNNER = Path(sys.executable).with_name("horovodrun")


def test_a_search_goes_on_to_the_last_bit(supernet_run, here, monkeypatch, without_costs):
    """Stopped in the search and in the one to compare with; what was tried before is not tried again."""
    words = f"ean --baselines random --validate-size 1 --replay-from 1 --steps 5 --supernet {supernet_run} --run-dir"
    assert run(words, "whole") == 0
    for name, stop in (("early", ("ean", 2)), ("late", ("random", 3))):
        usual = ean_search.write_text

        def killed(path, text, usual=usual, stop=stop):
            kind, step = stop
            if path.name == f"samples-{kind}.jsonl" and text.count("\n") > 2 * step:
                raise KeyboardInterrupt
            usual(path, text)

        with monkeypatch.context() as patch:
            patch.setattr(ean_search, "write_text", killed)
            assert run(words, name) == 130
        assert not (here / name / "best.json").exists()
        assert run(words, name, "--resume", "auto") == 0
        for kind in ("ean", "random"):
            assert samples(name, kind) == samples("whole", kind)
            assert (here / name / "state" / kind / "arrays.npz").exists()
        assert (here / name / "best.json").read_text() == (here / "whole/best.json").read_text()


def test_more_steps_are_a_longer_search(supernet_run, here, without_costs):
    words = f"ean --supernet {supernet_run} --run-dir"
    assert run(words, "whole", "--steps", 5) == 0
    assert run(words, "part", "--steps", 2) == 0
    assert run(words, "part", "--steps", 5, "--resume", "auto") == 0
    assert samples("part") == samples("whole")


def test_other_weights_are_not_gone_on_with(supernet_run, here, capfd, without_costs):
    shutil.copytree(supernet_run, "supernet")
    words = "ean --steps 2 --run-dir found --supernet supernet"
    assert run(words) == 0
    (weights,) = Path("supernet/checkpoints").iterdir()
    other = get_model("cifar_resnet20_v1", 4, plan=json.loads(Path("supernet/card.json").read_text())["plan"])
    other.initialize(mx.init.Xavier())
    other(mx.nd.zeros((1, 3, 16, 16)))
    other.save_parameters(str(weights / "net.params"))
    assert run("ean --steps 4 --run-dir found --resume auto --supernet", weights / "net.params") == 2
    assert "was started with other weights" in capfd.readouterr().err
    for content in ("[]", "{}", '{"sha256": "a", "times": [null]}'):
        Path("found/supernet.json").write_text(content)
        assert run("ean --steps 4 --run-dir found --resume auto --supernet", weights / "net.params") == 2
        assert "supernet.json is damaged: start a new search" in capfd.readouterr().err


@pytest.mark.skipif(
    importlib.util.find_spec("horovod") is None or not RUNNER.exists(), reason="Horovod is not built: make horovod"
)
def test_two_processes_search_as_one(supernet_run, here, without_costs):
    """Each evaluates its share; the controller of both and of one process is the same, to the last bit."""
    words = f"ean --steps 6 --baselines evolution --supernet {supernet_run} --run-dir"
    assert run(words, "alone") == 0
    command = [RUNNER, "-np", "2", "--gloo", "--network-interface", "lo", sys.executable, ROOT / "search.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [*map(str, command), *words.split(), "together"],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for kind in ("ean", "evolution"):
        assert samples("together", kind) == samples("alone", kind)
    assert (done.stdout + done.stderr).count("best scheme") == 1
