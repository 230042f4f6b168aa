"""Several hosts: they train and search as processes on one do, and a cut link loses nothing that a checkpoint has."""

import shutil
import time

import pytest
from hosts import ROOT, hosts, missing

from gluon_attn.checkpoint import read_meta
from gluon_attn.utils.files import epochs, sha256

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

TRAIN = ROOT / "train_cifar.py"
DIGITS = "--dataset digits --batch-size 64 -j 0 --log-interval 1"
NETWORK = (
    "--save-period 0 --no-summary --model atac_cifar_resnet --blocks 1 --act-type relu --num-epochs 2 --run-dir run"
)
ENDED = "error: nothing comes from host {} any more; the last checkpoint is {}"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    with hosts(2, tmp_path_factory.mktemp("hosts")) as found:
        yield found


@pytest.fixture(scope="module")
def one_host(two, tmp_path_factory):
    """The folder in which two processes on one host trained."""
    folder = tmp_path_factory.mktemp("one")
    finish(two.launch(folder, TRAIN, *DIGITS.split(), *NETWORK.split(), on=(0, 0)))
    return folder


def finish(launcher):
    output, _ = launcher.communicate(timeout=400)
    assert launcher.returncode == 0, output


def cut_in_second_epoch(two, folder, *words, **variables):
    """Start training on both hosts and cut the link of the second; the seconds until both sides had ended.

    The message of the host that is cut off is in its file: it cannot reach the launcher.
    """
    launcher = two.launch(folder, *words, **variables)
    try:
        wait(lambda: "epoch 1 batch 2/" in text(folder / "0.err") or launcher.poll() is not None, 300)
        assert launcher.poll() is None, launcher.communicate()
        two.link(1, "down")
        begin = time.monotonic()
        wait(lambda: launcher.poll() is not None and not two.processes(1), 100)
        return time.monotonic() - begin
    finally:
        launcher.kill()
        launcher.communicate()
        two.link(1, "up")


def wait(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)


def text(path):
    return path.read_text() if path.exists() else ""


def check_ends(two, folder, checkpoint):
    """Both sides named the checkpoint, ended with 1 and left nothing half-written."""
    for rank in (0, 1):
        line = text(folder / f"{rank}.err").splitlines()[-1]
        assert line == ENDED.format(two.addresses[1 - rank], checkpoint)
        assert text(folder / f"{rank}.code") == "1\n"
    assert [path for path in (folder / "run").rglob(".*") if path.name != ".lock"] == []
    for path in epochs(folder / "run/checkpoints"):
        read_meta(path)


def same_results(folder, other):
    for name in ("best.params", "checkpoints/epoch-0002/net.params", "checkpoints/epoch-0002/optimizer.params"):
        assert sha256(folder / "run" / name) == sha256(other / "run" / name), name


def test_a_cut_link_ends_both_sides_and_training_goes_on(two, one_host, tmp_path):
    """Resumed on two hosts it ends with the weights of two processes on one host that nothing stopped."""
    words = (TRAIN, *DIGITS.split(), *NETWORK.split())
    seconds = cut_in_second_epoch(two, tmp_path, *words, HOROVOD_GLOO_TIMEOUT_SECONDS="9")
    assert seconds < 30
    check_ends(two, tmp_path, "run/checkpoints/epoch-0001")
    finish(two.launch(tmp_path, *words, "--resume", "auto"))
    assert "resuming after epoch 0 of run" in text(tmp_path / "0.err")
    same_results(tmp_path, one_host)


@pytest.mark.slow
def test_with_the_usual_timeout_and_resumed_on_one_host(two, one_host, tmp_path):
    words = (TRAIN, *DIGITS.split(), *NETWORK.split())
    assert cut_in_second_epoch(two, tmp_path, *words) < 60
    check_ends(two, tmp_path, "run/checkpoints/epoch-0001")
    shutil.copytree(tmp_path / "run", tmp_path / "other/run")
    finish(two.launch(tmp_path, *words, "--resume", "auto", on=(0, 0)))
    same_results(tmp_path, one_host)
    finish(two.launch(tmp_path / "other", *words, "--resume", "auto", on=(0,)))
    assert "started by 2 process(es), resumed by 1" in text(tmp_path / "other/0.err")
    assert [path.name for path in epochs(tmp_path / "other/run/checkpoints")] == ["epoch-0001", "epoch-0002"]


SPACE = "--init_ch 4 --layers 3 --nodes 1 --operations none,skip_connect,max_pool_3x3 --location no_attention"
SUPERNET = (
    "ean-supernet --dataset synthetic --train-images 64 --val-images 32 --classes 4 --input-size 16 -j 0 --hold-out 4 "
    "--model cifar_resnet20_v1 --attention sge --batch-size 16 --num-epochs 1 --save-period 0 --run-dir supernet"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "results"),
    [(f"att-darts {DIGITS} {SPACE} --epochs 2 --draw-every 0", ("genotype.json", "checkpoints/epoch-0002/net.params")),
     ("ean --steps 3 --baselines evolution --supernet supernet", ("samples-ean.jsonl", "samples-evolution.jsonl"))],
)  # fmt: skip
def test_searches_find_the_same(words, results, two, tmp_path):
    if words.startswith("ean"):
        finish(two.launch(tmp_path, ROOT / "search.py", *SUPERNET.split(), on=(0,)))
    for name, on in (("apart", (0, 1)), ("together", (0, 0))):
        finish(two.launch(tmp_path, ROOT / "search.py", *words.split(), "--run-dir", name, on=on))
    for name in results:
        assert sha256(tmp_path / "apart" / name) == sha256(tmp_path / "together" / name), name
