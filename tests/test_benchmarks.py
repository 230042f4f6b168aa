"""The benchmarks cover the whole library; PyTorch is not needed to see that."""

import ast
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import gluon_attn
from gluon_attn import list_attentions
from gluon_attn.convert.library_weights import library_network

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import attention, ean, gpu, horovod, train_step  # noqa: E402
from benchmarks import input as jpeg  # noqa: E402
from benchmarks.lib import loaders, process, schemes, steps  # noqa: E402
from benchmarks.lib.networks import DEPLOYED, NETWORKS, TIMM  # noqa: E402
from benchmarks.lib.torch_names import NAMES  # noqa: E402


def classes(pattern):
    """Names of the classes in the files of benchmarks/lib that fit the pattern."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "benchmarks/lib").glob(pattern)]
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)}


ATTENTIONS = classes("torch_attention/*.py")


def test_what_benchmarks_import_of_each_other_is_there():
    """Also where PyTorch, which the peers need, is not."""
    for path in (ROOT / "benchmarks").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("benchmarks"):
                module = ROOT / node.module.replace(".", "/")
                file = module.with_suffix(".py")
                files = [file] if file.is_file() else sorted(module.glob("*.py"))
                text = "".join(one.read_text(encoding="utf-8") for one in files if one != path)
                for name in (alias.name for alias in node.names):
                    found = (module / f"{name}.py").is_file() or (module / name).is_dir()
                    assert found or re.search(rf"\b{name}\b", text), (path, name)


def test_every_attention_has_a_peer():
    assert set(NAMES) == set(list_attentions()) - {"identity"}
    assert set(NAMES.values()) <= ATTENTIONS


@pytest.mark.parametrize("module", ["deployed", "detection_steps", "loaders", "peer", "search_steps", "steps"])
def test_no_side_starts_with_our_settings(module):
    """Importing gluon_attn sets threads and malloc: PyTorch's process has those of its own users."""
    code = f"import sys, benchmarks.lib.{module}; sys.exit('gluon_attn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("keep_memory", [False, True])
def test_pytorch_keeps_freed_memory_where_it_is_asked_to(keep_memory):
    pytest.importorskip("torch")
    made = f"benchmarks.lib.peer.Torch('eca', [1, 8, 4, 4], {keep_memory})"
    code = f"import sys, benchmarks.lib.peer; {made}; sys.exit(('gluon_attn' in sys.modules) != {keep_memory})"
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, check=False).returncode == 0


def test_the_summary_names_what_is_slower():
    text = attention.summary({"se": [0.5, 0.9], "eca": [0.8, 1.2], "coord": [1.4, 1.0]})
    assert "6 measurements: median ratio 0.95, 4 at or below 1" in text
    assert "cha_atac, triplet: se." in text
    assert "Above 1 at some shape: eca, coord." in text


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in TIMM])
def test_both_sides_train_the_same_network(name):
    row = NETWORKS[name]
    assert row.model in gluon_attn.list_models()
    assert row.module is None or row.module in ATTENTIONS
    pytest.importorskip("torch")
    from benchmarks.lib.torch_nets import network

    size = 32 if row.small else 64
    ours = gluon_attn.get_model(row.model, 10 if row.small else 1000, attention=row.attention, input_size=size)
    ours.initialize()
    count = sum(p.data().size for p in ours.collect_params().values() if p.grad_req != "null")
    assert sum(p.numel() for p in network(name, size).parameters()) == count


@pytest.mark.parametrize("name", TIMM)
def test_a_network_of_timm_is_one_whose_weights_ours_take(name):
    """The tests of parity hold these pairs against each other."""
    row = TIMM[name]
    assert row.model in gluon_attn.list_models()
    assert library_network(f"timm:{row.timm}")
    assert NETWORKS[name] is DEPLOYED[name] is row


class Side:
    """In a peer's place."""

    def __init__(self, module, side, python):
        self.side = side

    def ask(self, order):
        if order == "weights":
            return WEIGHTS[self.side]
        if self.side == "compiled":
            raise RuntimeError("no compiler")
        return {"mxnet": 0.5, "eager": 2.0}[self.side]

    def close(self):
        pass


WEIGHTS = {"mxnet": 10, "eager": 10}
ORDER = {"name": "resnet50", "batch": 4, "size": 32, "dtype": "float32", "device": "cpu"}


def test_our_step_trains():
    side = steps.MXNet("cifar_resnet20", 2, 32, "float32", "cpu")
    weight = side.trainer.net.output.weight
    before = weight.data().copy()
    side.step()
    assert (weight.data() != before).max().asscalar()
    assert side.weights() == 272474
    with pytest.raises(RuntimeError, match="no float16 here"):
        steps.MXNet("cifar_resnet20", 2, 32, "float16", "cpu")


def test_speeds_and_ratios_of_the_steps(monkeypatch):
    monkeypatch.setattr(train_step, "Peer", Side)
    found = train_step.compare(ORDER, 3)
    assert train_step.cells(found) == ["8.0", "2.0", "no compiler", "4.00", ""]
    monkeypatch.setitem(WEIGHTS, "eager", 11)
    found = train_step.compare(ORDER, 3)
    assert train_step.cells(found) == ["10 parameters", "11 parameters", "no compiler", "", ""]


def test_what_ours_cannot_do_is_not_measured_elsewhere(monkeypatch):
    monkeypatch.setattr(train_step, "Peer", Side)
    found = train_step.compare(ORDER, 3, ("compiled", "mxnet"))
    assert train_step.cells(found, ("compiled", "mxnet")) == ["no compiler", "", ""]


def test_a_side_answers_with_seconds_values_and_errors(tmp_path):
    (tmp_path / "side.py").write_text(
        "from benchmarks.lib.process import serve\n"
        "class Made:\n"
        "    def __init__(self, value): self.value = 1 / value\n"
        "    def nothing(self): print('no answer')\n"
        "    def weights(self): return 3\n"
        "serve(Made)\n"
    )
    peer = process.Peer("side", PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert peer.ask({"value": 1}) == 0.0
    assert 0 <= peer.ask("nothing") < 60
    assert peer.ask("weights") == 3
    with pytest.raises(RuntimeError, match="ZeroDivisionError: division by zero"):
        peer.ask({"value": 0})
    peer.close()
    assert peer.child.returncode == 0


def test_the_record_side_reads_what_was_drawn(tmp_path):
    jpeg.draw(tmp_path, 4, (100, 75))
    side = loaders.Records(str(tmp_path), 2, 32, 0, True, scaled=True)
    side.epoch()
    assert len(side.loader) == 2
    assert len(loaders.Photographs(tmp_path, 32, True).paths) == 4


def test_why_there_is_no_gpu_is_one_line(monkeypatch):
    monkeypatch.setattr(gpu.runtime, "usable_gpus", list)
    card = {"name": "H100", "why": "compute capability 9.0"}
    for found, reason in ((([card], None), "H100: compute capability 9.0"), (([], "no driver"), "no driver")):
        monkeypatch.setattr(gpu.runtime, "gpus", lambda found=found: found)
        assert gpu.missing() == f"no usable GPU here ({reason}): nothing was measured"
    monkeypatch.setattr(gpu.runtime, "usable_gpus", lambda: [0])
    assert gpu.missing() is None


def test_without_a_gpu_the_program_says_one_line(run_command, tmp_path):
    done = run_command(ROOT / "benchmarks/gpu.py", "--out", tmp_path / "t.md", env={"CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert re.fullmatch(r"no usable GPU here \(.+\): nothing was measured", line)
    assert not (tmp_path / "t.md").exists()


def test_the_table_of_a_gpu(monkeypatch, tmp_path):
    """All but the GPU: one card, both dtypes, no limit of the processor."""
    orders = []
    monkeypatch.setattr(train_step, "Peer", Side)
    monkeypatch.setattr(Side, "ask", lambda self, order: orders.append(order) or 0.5)
    monkeypatch.setattr(gpu.runtime, "usable_gpus", lambda: [0])
    monkeypatch.setattr(gpu.runtime, "gpus", lambda: ([{"name": "Tesla T4", "why": None}], None))
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(__version__="2.13"))
    monkeypatch.setattr("sys.argv", ["gpu", "--out", str(tmp_path / "t.md"), "--sides", "eager", "--", "resnet50"])
    gpu.main()
    assert {(order["device"], order["dtype"]) for order in orders if isinstance(order, dict)} == {
        ("gpu", "float16"), ("gpu", "float32"),
    }  # fmt: skip
    text = (tmp_path / "t.md").read_text()
    assert "Tesla T4, MXNet 1.9.1, PyTorch 2.13 in channels-last" in text
    assert "limit" not in text.lower()
    assert [line.split(" | ")[2] for line in text.splitlines()[-2:]] == ["float16", "float32"]


def test_our_step_takes_the_first_card(monkeypatch):
    import mxnet as mx

    monkeypatch.setattr(mx, "gpu", mx.cpu)
    side = steps.MXNet("cifar_resnet20", 2, 32, "float32", "gpu")
    side.step()
    assert side.images.context == mx.cpu(0)


def test_two_processes_against_one(monkeypatch):
    commands = []

    def start(command, **options):
        commands.append(command)
        two = "-np" in command
        line = (
            f"resnet50_v1b, 2 images, float32{', 2 processes' * two}: {18.0 if two else 10.0} img/s, peak memory 1 GB"
        )
        return types.SimpleNamespace(returncode=0, communicate=lambda: (line, ""))

    monkeypatch.setattr(horovod.subprocess, "Popen", start)
    monkeypatch.setattr(horovod, "launch", lambda: "horovodrun")
    arguments = types.SimpleNamespace(batch_size=2, steps=3, dtype="float32", repeat=2)
    wanted = ("resnet50_v1b", 2, "float32", "10.0", "18.0", "20.0", "0.90", "0.90")
    assert horovod.row("resnet50_v1b", arguments) == wanted
    assert [command[0] == "horovodrun" for command in commands] == [False, True, False, False] * 2
    assert commands[0][-5:] == ["--benchmark-batches", "3", "--dtype", "float32", "--benchmark"]
    failed = types.SimpleNamespace(returncode=1, communicate=lambda: ("", "first\nerror: last\n"))
    monkeypatch.setattr(horovod.subprocess, "Popen", lambda *args, **options: failed)
    assert horovod.row("resnet50_v1b", arguments)[3] == "error: last"


def test_both_sides_of_the_schemes():
    """Our loops run; the other side has as many parameters and the same schemes."""
    searched = ean.sampled_schemes(steps=1)
    ours = schemes.MXNet("dia", 2, 64, 2, searched)
    for work in ("search", "uncached", "step", "plain", "none_connected", "all_connected"):
        getattr(ours, work)()
    assert len({id(x) for x, _ in ours.batches.epoch(0)}) == 2
    pytest.importorskip("torch")
    theirs = schemes.Torch("dia", 2, 64, 1, searched)
    for work in ("search", "uncached", "step"):
        getattr(theirs, work)()
    assert theirs.weights() == ours.weights()
    theirs.draw(searched)
    ours.draw(searched)
    assert theirs.next() == ours.next()


def test_the_ratio_is_to_the_faster_side():
    assert ean.cells({"mxnet": 0.5, "torch": 1.0, "channels-last": 2.0}) == ["2.00", "1.00", "0.50", "2.00"]


@pytest.mark.parametrize("name", [name for name in DEPLOYED if name not in TIMM])
def test_both_sides_export_the_same_network(name):
    row = DEPLOYED[name]
    assert row.model in gluon_attn.list_models()
    assert row.cells is None or row.cells in classes("torch_cells.py") | {"mobilenet"}
    pytest.importorskip("torch")
    from benchmarks.lib.torch_nets import network

    ours = gluon_attn.get_model(row.model, 1000, input_size=64)
    ours.initialize()
    count = sum(p.data().size for p in ours.collect_params().values() if p.grad_req != "null")
    # Att-DARTS's BAM is that of its code, the peer's that of its paper: some norms and biases apart
    slack = 2000 if name == "att_darts_imagenet" else 0
    assert abs(sum(p.numel() for p in network(name, 64).parameters()) - count) <= slack
