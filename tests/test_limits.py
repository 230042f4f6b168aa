"""How near benchmarks are to the processor's limits: what counts, and what the tables say of it."""

import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import ean, gating  # noqa: E402
from benchmarks.lib import limit, peak, peer, search_steps  # noqa: E402
from benchmarks.lib.detection_work import counting, operations  # noqa: E402
from benchmarks.lib.networks import NETWORKS  # noqa: E402
from gluon_attn import get_attention, get_model  # noqa: E402
from gluon_attn.analyze.cost import cost  # noqa: E402
from gluon_attn.analyze.detector_parts import MASKS, ROIS  # noqa: E402
from gluon_attn.detect.inference import filled_up  # noqa: E402
from gluon_attn.models.detection.detector import Graphs  # noqa: E402

MIB = 1 << 20
LIMITS = limit.Limits({"float32": 100e9, "int8": 400e9, "memory-2": 80e9, "memory-64": 20e9})
LINE = "Limits per second: float32 100.0, int8 400.0 G operations; memory 80.0, 20.0 GB within 2, 64 MiB."


def test_the_longer_of_arithmetic_and_memory_is_the_limit():
    assert LIMITS.share(limit.Work(50e9), 1.0) == "50 %"
    assert LIMITS.share(limit.Work(50e9, "int8"), 0.25) == "50 %"
    assert LIMITS.share(limit.Work(50e9, memory=16e9), 1.0) == "80 %"
    assert LIMITS.share(limit.Work(90e9, memory=16e9), 1.0) == "90 %"
    assert LIMITS.share(limit.Work(0), 1.0) == ""


def test_arrays_are_held_against_a_buffer_that_is_not_larger():
    for size, rate in ((1, 80e9), (2, 80e9), (63, 80e9), (64, 20e9), (1000, 20e9)):
        assert LIMITS.share(limit.Work(0, memory=size * MIB), size * MIB / rate * 4) == "25 %", size


def test_what_has_no_limit_has_an_empty_cell():
    assert LIMITS.share(limit.Work(1e9, "bfloat16"), 1.0) == ""
    assert LIMITS.share(limit.Work(1e9, "bfloat16", 1e9), 1.0) == ""
    assert limit.Limits({}).share(limit.Work(1e9, memory=1e9), 1.0) == ""
    assert limit.Limits({}).line() == "Limits per second: not measured, there is no g++."


def test_a_training_pass_is_three_forward_passes_and_each_array_twice():
    assert limit.forward(10, "int8") == limit.Work(20, "int8")
    assert limit.training(10, "bfloat16") == limit.Work(60, "bfloat16")
    assert limit.training(10, elements=5).memory == 2 * 5 * 4  # it and its gradient, in float32


def test_a_table_that_rows_join_keeps_its_limits(tmp_path):
    assert LIMITS.line() == LINE
    table = tmp_path / "t.md"
    table.write_text(f"# Title\n\n{LINE}\n\n| a |\n|---|\n| 1 |\n")
    assert limit.of_table(table).rates == LIMITS.rates
    table.write_text(limit.Limits({}).line())
    assert limit.of_table(table).rates == {}
    table.write_text("# Title\n\n| a |\n|---|\n| 1 |\n")
    with pytest.raises(ValueError, match=r"t\.md has no limits: its rows lack a column"):
        limit.of_table(table)


@pytest.fixture
def program(monkeypatch):
    """In the place of the program that measures: each process says the same."""
    child = types.SimpleNamespace(communicate=lambda: ("memory-8 5\nbfloat16 2e9\nmemory-2 7\nfloat32 1e9\n", ""))
    monkeypatch.setattr(peak.shutil, "which", lambda name: name)
    monkeypatch.setattr(peak.subprocess, "run", lambda *args, **options: None)
    monkeypatch.setattr(peak.subprocess, "Popen", lambda *args, **options: child)
    monkeypatch.setattr(peak.cpu, "flags", lambda host: frozenset())


def test_threads_together_and_in_order(program):
    found = peak.limits.__wrapped__(2)
    assert list(found.items()) == [("float32", 2e9), ("bfloat16", 4e9), ("memory-2", 14), ("memory-8", 10)]


def test_what_amx_computes_has_no_limit(program, monkeypatch):
    monkeypatch.setattr(peak.cpu, "flags", lambda host: frozenset({"amx_bf16", "amx_int8"}))
    found = limit.Limits(peak.limits.__wrapped__(1))
    assert list(found.rates) == ["float32", "memory-2", "memory-8"]
    assert "float32 1.0 G operations (none for bfloat16 and int8, which AMX computes); memory" in found.line()


def test_without_a_compiler_there_are_no_limits(monkeypatch):
    monkeypatch.setattr(peak.shutil, "which", lambda name: None)
    assert peak.limits.__wrapped__(1) == {}


@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
def test_the_program_measures():
    found = peak.limits.__wrapped__(1)
    assert {"memory-2", "memory-64"} <= set(found)
    assert all(rate > 1e7 for rate in found.values())


def test_sides_count_the_multiply_adds_of_their_batch(monkeypatch):
    monkeypatch.setitem(search_steps.SEARCHES, "small", ("att-darts", {"channels": 2, "layers": 3}, 2))
    assert peer.MXNet("se", [3, 32, 6, 6]).macs() == 3 * cost(get_attention("se", 32), (32, 6, 6)).macs > 0
    side = search_steps.MXNet("small", 2)
    assert side.macs() == 2 * cost(side.trainer.net, (3, 32, 32)).macs > 0
    assert limit.network_macs(NETWORKS["cifar_resnet20"], 32) == cost(get_model("cifar_resnet20_v1", 10)).macs


def test_a_random_scheme_has_half_of_the_attention():
    none, everything = (cost(get_model("dia_fbresnet50", 1000, input_size=64, scheme=bit * 16), (3, 64, 64)).macs
                        for bit in "01")  # fmt: skip
    found = ean.whole_passes("dia", 4, 64, 2)
    assert found["uncached"].operations == 2 * 2 * 4 * (none + everything) / 2
    assert found["step"].operations == 6 * 4 * (none + everything) / 2


def test_gates_have_the_column(monkeypatch):
    monkeypatch.setattr(gating.limit, "measured", lambda: limit.Limits({"memory-2": 1.0}))
    row = gating.measure("channel_gate", (2, 4, 6, 6), 1)
    assert len(row) == len(gating.HEADER)
    assert row[-1].endswith(" %")
    assert LINE.partition(":")[0] in gating.heading(1)


@pytest.fixture(scope="module")
def detector():
    return get_model("mask_rcnn_fpn_resnet18_v1b", 2, fpn_channels=16, box_width=16, mask_widths=(16,))


def test_operations_of_a_detector_are_those_of_its_graphs(detector):
    counted, rois = cost(detector, (3, 64, 64)), {"box_head": ROIS, "mask_head": MASKS}
    assert operations(detector, (64, 64), 1, rois) == 2 * counted.macs
    assert operations(detector, (64, 64), 1, rois, ()) == 6 * counted.macs
    none = {"box_head": 0, "mask_head": 0}
    assert operations(detector, (64, 64), 2, none) == 2 * operations(detector, (64, 64), 1, none)
    stem = next(row.macs for row in counted.parts if row.name == "stem")
    assert operations(detector, (64, 64), 1, rois, {"stem"}) == 6 * counted.macs - 4 * stem > 0


def test_the_other_side_of_detection_needs_no_mxnet(run_command):
    """It takes sizes from our side's file, in an environment with torchvision alone."""
    here = "import sys; sys.modules.update(mxnet=None, gluon_attn=None); import benchmarks.lib.detection_steps"
    done = run_command("-c", here)
    assert done.returncode == 0, done.stderr


def test_rois_that_fill_up_do_not_count():
    boxes = np.arange(11 * 5, dtype="float32").reshape(11, 5)
    graphs, found = counting(Graphs(None, lambda *inputs: "box", lambda *inputs: "mask"))
    assert graphs.box_head("map", *filled_up(boxes, np.zeros(11, "float32"))) == "box"
    assert graphs.mask_head("map", boxes[:3], np.zeros(3)) == "mask"
    assert graphs.mask_head("map", boxes[:4], np.zeros(4)) == "mask"
    assert found == {"box_head": 11, "mask_head": 7}


@pytest.mark.parametrize(("size", "kernel"), [(8, 23), (16, 23), (40, 9), (5, 3), (1, 7), (6, 1)])
def test_taps_beside_the_map_do_not_count(size, kernel):
    met = np.convolve(np.ones(size), np.ones(kernel))[kernel // 2 : kernel // 2 + size]
    assert limit.taps_inside(size, kernel) == pytest.approx(met.sum() / (size * kernel), rel=1e-12)
