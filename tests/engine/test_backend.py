"""Several processes: what goes over the wire, that they train as one, and that the end of one is said."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon
from photographs import draw_set

from gluon_attn.config.optim import OptimConfig
from gluon_attn.engine import backend
from gluon_attn.engine.optim import make_trainer
from gluon_attn.engine.schedule import Schedule
from gluon_attn.utils.errors import PeerError, UserError
from gluon_attn.utils.optional import require as usual_require

from . import horovod_worker

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("horovod_worker.py")
RUNNER = Path(sys.executable).with_name("horovodrun")

needs_horovod = pytest.mark.skipif(
    importlib.util.find_spec("horovod") is None or not RUNNER.exists(), reason="Horovod is not built: make horovod"
)


class Library:
    """Horovod with a second process that always has the same as this one."""

    Sum = "sum"

    def __init__(self):
        self.sent = []

    def init(self):
        self.started = True

    def rank(self):
        return 1

    def size(self):
        return 2

    def local_rank(self):
        return 1

    def allreduce(self, array, op, name):
        assert op == self.Sum
        return 2 * array

    def grouped_allreduce_(self, arrays, op, name, priority):
        assert op == self.Sum
        self.sent.append([(array.shape, np.dtype(array.dtype).name) for array in arrays])
        for array in arrays:
            array *= 2


@pytest.fixture
def library(monkeypatch):
    library = Library()
    monkeypatch.setenv("HOROVOD_CYCLE_TIME", "1")  # so that what is set goes again
    monkeypatch.setattr(backend, "require", lambda name: library)
    return library


@pytest.mark.parametrize("environ", [{}, {"HOROVOD_SIZE": "1"}, {"OMPI_COMM_WORLD_SIZE": ""}, {"HOROVOD_SIZE": "two"}])
def test_one_process_needs_no_horovod(environ):
    alone = backend.connect(environ)
    assert (type(alone), alone.rank, alone.size, alone.local_rank) == (backend.Backend, 0, 1, 0)
    assert alone.allreduce_sum([1, 2]) == [1, 2]
    alone.barrier()
    assert alone.allreduce("name", 3) == 3


@pytest.mark.parametrize("variable", backend.WORLD_SIZE)
def test_launchers_are_noticed(variable, library):
    found = backend.connect({variable: "2"})
    assert (library.started, found.rank, found.size, found.local_rank) == (True, 1, 2, 1)
    assert found.allreduce_sum([1, 2.5]) == [2, 5]
    array = mx.nd.array([3.0])
    found.allreduce_mean([array])
    assert array.asscalar() == 3
    assert found.allreduce("name", mx.nd.array([3.0])).asscalar() == 6


@pytest.mark.parametrize(("given", "gpus", "wanted"), [(None, 0, "10"), (None, 1, None), ("3", 0, "3")])
def test_on_a_cpu_messages_are_looked_for_less_often(given, gpus, wanted, library, monkeypatch):
    monkeypatch.setenv("HOROVOD_CYCLE_TIME", given or "")
    if given is None:
        monkeypatch.delenv("HOROVOD_CYCLE_TIME")
    monkeypatch.setattr(mx.context, "num_gpus", lambda: gpus)
    backend.Horovod()
    assert os.environ.get("HOROVOD_CYCLE_TIME") == wanted


def test_a_launcher_that_horovod_does_not_know_is_said(library):
    with pytest.raises(UserError, match="4 processes were started but Horovod sees 2: start them with horovodrun"):
        backend.connect({"OMPI_COMM_WORLD_SIZE": "4"})


def test_missing_horovod_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "horovod.mxnet", None)
    monkeypatch.setattr(backend, "require", usual_require)
    with pytest.raises(UserError, match="several processes need Horovod, which make horovod builds"):
        backend.connect({"HOROVOD_SIZE": "2"})


@pytest.mark.parametrize(
    ("address", "message"),
    [("10.0.0.7", None), ("127.0.1.1", "its name box stands for 127.0.1.1; give it its address in the network"),
     (None, "its name box stands for no address; ")],
)  # fmt: skip
def test_a_host_name_that_others_cannot_use_is_said(address, message, library, monkeypatch):
    """Gloo would end the process without an exception."""

    def look_up(name):
        if address is None:
            raise OSError("unknown")
        return address

    monkeypatch.setattr(backend.socket, "gethostname", lambda: "box")
    monkeypatch.setattr(backend.socket, "gethostbyname", look_up)
    for variable, value in (("HOROVOD_SIZE", "2"), ("HOROVOD_LOCAL_SIZE", "2"), ("HOROVOD_CONTROLLER", "gloo")):
        monkeypatch.setenv(variable, value)
    backend.Horovod()  # one host
    monkeypatch.setenv("HOROVOD_LOCAL_SIZE", "1")
    expected = pytest.raises(UserError, match=message) if message else contextlib.nullcontext()
    with expected:
        backend.Horovod()


@pytest.mark.parametrize(
    ("options", "sizes", "dtype"),
    [({}, [2, 2], "float32"), ({"num_groups": 0}, [1] * 4, "float32"), ({"num_groups": 3}, [1, 1, 2], "float32"),
     ({"num_groups": 9}, [1] * 4, "float32"),
     ({"fp16_allreduce": True, "num_groups": 1}, [4], "float16")],
)  # fmt: skip
def test_what_is_sent(options, sizes, dtype, library):
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Dense(2, in_units=3), gluon.nn.BatchNorm(in_channels=2))
    net.initialize()
    trainer = make_trainer(net, OptimConfig(**options), Schedule(OptimConfig(), 1, 1), backend.Horovod())
    with autograd.record():
        loss = net(mx.nd.random.normal(shape=(4, 3))).square().sum()
    loss.backward()
    before = [p.grad().asnumpy() for p in trainer._params if p.grad_req != "null"]
    trainer.allreduce_grads()
    assert [len(group) for group in library.sent] == sizes
    assert {kind for group in library.sent for _, kind in group} == {dtype}
    for grad, p in zip(before, (p for p in trainer._params if p.grad_req != "null"), strict=True):
        np.testing.assert_allclose(p.grad().asnumpy(), 2 * grad, rtol=1e-3 if dtype == "float16" else 1e-6, atol=1e-6)
        assert p.grad().dtype == np.float32


def test_the_end_of_another_process_is_a_training_error(library):
    found = backend.Horovod()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(PeerError, match="another process of this run has ended"), found.peer_failures():
        raise mx.MXNetError("Horovod has been shut down.")
    with pytest.raises(PeerError, match="another process of this run has ended"), found.peer_failures():
        raise mx.MXNetError("Traceback (most recent call last): Connection reset by peer")
    with pytest.raises(mx.MXNetError, match="out of memory"), found.peer_failures():
        raise mx.MXNetError("out of memory")
    with pytest.raises(PeerError, match="the launcher ended this process"), found.peer_failures():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    signal.signal(signal.SIGTERM, before)
    with found.peer_failures():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def horovodrun(*arguments, script=WORKER, cwd=None):
    """Two processes of a script on this machine; the finished `horovodrun`."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    command = [RUNNER, "-np", "2", "--gloo", "--network-interface", "lo", sys.executable, script, *arguments]
    return subprocess.run(
        list(map(str, command)), env=variables, capture_output=True, text=True, timeout=300, check=False, cwd=cwd
    )


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    folder = tmp_path_factory.mktemp("together")
    done = horovodrun("compare", folder)
    assert done.returncode == 0, done.stderr
    return folder


@needs_horovod
@pytest.mark.parametrize("variant", horovod_worker.VARIANTS)
def test_two_processes_train_as_one_with_the_whole_batch(variant, together):
    alone = horovod_worker.train(backend.Backend(), **horovod_worker.VARIANTS[variant])
    first, second = (mx.nd.load(str(together / f"{variant}-{rank}.params")) for rank in (0, 1))
    tolerance = 2e-2 if variant == "half" else 1e-4
    for name, param in alone.net._collect_params_with_prefix().items():
        np.testing.assert_array_equal(first[name].asnumpy(), second[name].asnumpy())
        np.testing.assert_allclose(first[name].asnumpy(), param.data().asnumpy(), rtol=tolerance, atol=tolerance / 10)
    histories = [json.loads((together / f"{variant}-{rank}.json").read_text()) for rank in (0, 1)]
    for record, other, expected in zip(*histories, alone.history, strict=True):
        for key in set(expected) - {"seconds", "data_seconds", "images_per_second"}:
            assert record[key] == other[key]
            assert record[key] == pytest.approx(expected[key], rel=tolerance), key


@needs_horovod
@pytest.mark.parametrize("variant", ["plain", "one by one"])
def test_gradients_are_those_of_one_process_with_the_whole_batch(variant, together):
    """Of the first update, where the weights are the same: to 1e-5 of the largest."""
    alone = horovod_worker.gradients(backend.Backend(), **horovod_worker.VARIANTS[variant])
    for rank in (0, 1):
        for name, found in mx.nd.load(str(together / f"{variant}-{rank}.grads")).items():
            wanted = alone[name].asnumpy()
            assert np.abs(found.asnumpy() - wanted).max() <= 1e-5 * np.abs(wanted).max(), name


@needs_horovod
def test_float16_messages_differ_and_statistics_are_averaged(together):
    plain, half = (mx.nd.load(str(together / f"{name}-0.params")) for name in ("plain", "half"))
    assert any((plain[name] != half[name]).sum().asscalar() for name in plain)
    assert [json.loads((together / f"average-{rank}.json").read_text()) for rank in (0, 1)] == [[0.5, 5.0]] * 2


@needs_horovod
def test_train_imagenet_in_two_processes(tmp_path):
    """Each reads its half of the records; process 0 alone writes and speaks."""
    draw_set(tmp_path, train=24, val=11)
    options = (
        "--use-rec --model resnet18_v1b --input-size 32 --batch-size 4 -j 1 --num-epochs 2 --run-dir run --sync-bn"
    )
    done = horovodrun(*options.split(), "--data-dir", tmp_path, script=ROOT / "train_imagenet.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("epoch 1: train loss") == 1
    records = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [0, 1]
    assert [round(11 * record["val_accuracy"], 4) % 1 for record in records] == [0, 0]  # of all test images
    assert (tmp_path / "run/best.params").is_file()


SMALL = (
    "--dataset synthetic --train-images 64 --val-images 33 --classes 4 --input-size 16 --batch-size 8 -j 1 "
    "--model cifar_resnet20_v1 --attention eca --lr 0.02 --lr-mode cosine --num-epochs 3 --run-dir run"
)


@needs_horovod
def test_repeated_images_in_two_processes(tmp_path):
    """The copies of an image go to different processes (`tests/data/test_loader.py`); each changes its own."""
    more = "--num-epochs 1 --aug-repeats 2 --aa rand-m7-mstd0.5-inc1 --drop-path 0.1 --ema 0.9 --bce-loss"
    done = horovodrun(*SMALL.split(), *more.split(), script=ROOT / "train_cifar.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (record,) = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert np.isfinite([record["train_loss"], record["val_loss"]]).all()
    assert round(33 * record["val_accuracy"], 4) % 1 == 0  # of all test images
    assert (tmp_path / "run/best.params").is_file()


@needs_horovod
@pytest.mark.parametrize("flag", ["--no-sync-bn", "--sync-bn"])
def test_a_dead_process_ends_the_job_which_another_number_goes_on_with(flag, tmp_path):
    done = horovodrun("die", tmp_path, *SMALL.split(), flag)
    assert done.returncode != 0
    assert "the last checkpoint is run/checkpoints/epoch-0001" in done.stdout + done.stderr
    assert "Traceback (most recent call last)" not in done.stdout
    assert len((tmp_path / "run/log.txt").read_text().split("epoch 0: train loss")) == 2

    arguments = [sys.executable, ROOT / "train_cifar.py", "--run-dir", "run", "--resume", "auto"]
    alone = subprocess.run(list(map(str, arguments)), cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert alone.returncode == 0, alone.stderr
    assert "started by 2 process(es), resumed by 1" in alone.stderr
    records = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [0, 1, 2]
