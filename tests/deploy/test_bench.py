import json

import numpy as np
import pytest
from networks import digits_run

from gluon_attn.cli import main
from gluon_attn.deploy import bench, measure
from gluon_attn.utils.errors import UserError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


def test_numbers_of_one_measurement():
    seconds = [number / 1000 for number in range(1, 101)]
    one = bench.summarize("net", {"kind": "run", "precision": "int8", "seconds": seconds}, batch=4, threads=2)
    assert (one.p50, one.p95, one.p99) == pytest.approx((50.5, 95.05, 99.01))
    assert one.images_per_second == pytest.approx(4 * 1000 / 50.5)
    assert (one.kind, one.precision, one.batch, one.threads) == ("run", "int8", 4, 2)


class Counted:
    """A predictor that counts its passes."""

    def __init__(self, card):
        self.card, self.batches = card, []

    def inputs(self, images):
        return images

    def forward(self, inputs):
        self.batches.append(len(inputs))


def test_passes_to_warm_up_do_not_count(run):
    counted = Counted(measure.open_target(str(run)).card)
    assert len(measure.pass_seconds(counted, 3, repeat=4, warm_up=2)) == 4
    assert counted.batches == [3] * 6


def test_what_can_be_measured(run, tmp_path):
    assert measure.open_target(str(run)).kind == "run"
    assert measure.open_target("cifar_resnet20_v1").kind == "network"
    assert measure.card_precision(run) == "float32"
    (tmp_path / "card.json").write_text(json.dumps({"precision": "int8"}))
    assert measure.card_precision(tmp_path) == measure.card_precision(tmp_path / "net.onnx") == "int8"
    with pytest.raises(UserError, match="nowhere does not exist"):
        bench.measure("nowhere", repeat=1)


def test_each_measurement_has_a_process_with_its_threads(run, tmp_path, capsys, monkeypatch):
    seen, start = [], bench.subprocess.run

    def watched(command, env, **options):
        seen.append((json.loads(command[-1])["batch"], env["OMP_NUM_THREADS"]))
        return start(command, env=env, **options)

    monkeypatch.setattr(bench.subprocess, "run", watched)
    words = ["--batch-size", "1", "2", "--threads", "1", "--repeat", "3", "--warm-up", "1"]
    files = ["--output", str(tmp_path / "new" / "found.json"), "--picture", str(tmp_path / "found.png")]
    assert main(["bench", str(run), *words, *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1:5] for line in lines[1:]] == [["run", "float32", "1", "1"], ["run", "float32", "2", "1"]]
    assert seen == [(1, "1"), (2, "1")]
    rows = json.loads((tmp_path / "new" / "found.json").read_text())
    assert all(np.isclose(row["images_per_second"], row["batch"] * 1000 / row["p50"]) for row in rows)
    assert all(row["p50"] <= row["p95"] <= row["p99"] for row in rows)
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "a NAME.xml, or a published network, or a model"),
        (["RUN", "--threads", "0"], "must be a whole number above 0"),
        (["RUN", "--picture", "x.svg"], "must end in .png"),
    ],
)
def test_errors_are_one_line(run, capsys, words, message):
    assert main(["bench", *(str(run) if word == "RUN" else word for word in words)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    (error,) = [line for line in captured.err.splitlines() if not line.startswith("measuring ")]  # told after 10 s
    assert error.startswith("error: ")
