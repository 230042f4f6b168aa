"""Runs whose disk becomes full: one line that names the last checkpoint, and a resumed run that lost nothing."""

import functools
import logging
import re
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from small_disk import PAGE

from gluon_attn.checkpoint import CheckpointStore
from gluon_attn.cli import main, search, train_cifar
from gluon_attn.cli.compare import compare_parser
from gluon_attn.cli.flags import parse
from gluon_attn.config.train import RunConfig
from gluon_attn.engine.tracking import TensorBoard
from gluon_attn.runs import ean_results, ean_search
from gluon_attn.runs.compare import make_plan
from gluon_attn.runs.study.folder import StudyFolder
from gluon_attn.runs.study.launch import begin
from gluon_attn.utils import log
from gluon_attn.utils.errors import WriteError

DATA = "--dataset synthetic --train-images 32 --val-images 16 --classes 3 --input-size 8 --batch-size 8 -j 0"
RUN = f"{DATA} --model cifar_resnet20_v1 --num-epochs 3 --lr 0.02 --run-dir run --save-period 1"
CELLS = f"{DATA} --epochs 2 --draw-every 0 --operations none,skip_connect --nodes 1 --init_ch 4 --layers 3"
STUDY = (
    "--attentions identity,se --seeds 1 --dataset synthetic --train-images 32 --val-images 16 --input-size 8 -j 0 "
    "--batch-size 16 --model cifar_resnet20_v1 --num-epochs 1 --save-period 0"
)
SUPERNET = f"{DATA} --model cifar_resnet20_v1 --attention sge --num-epochs 1 --hold-out 4 --run-dir supernet"


@pytest.fixture
def train(call):
    return functools.partial(call, train_cifar)


@pytest.fixture
def full_after(small_disk, monkeypatch):
    """`full_after(pages)`: after the first checkpoint the disk has so many pages; `full_after(None)`: there is room."""

    def set_limit(pages):
        save = CheckpointStore.save
        if pages is None:
            small_disk.limit(4096)
            monkeypatch.undo()
            return

        def and_limit(*arguments):
            folder = save(*arguments)
            small_disk.limit(pages)
            return folder

        monkeypatch.setattr(CheckpointStore, "save", and_limit)

    return set_limit


def pages(*files):
    return sum(-(-path.stat().st_size // PAGE) for path in files)


def names(folder):
    """Names of all below a folder, without those of TensorBoard, which hold the time."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if "tfevents" not in path.name)


def assert_resumed_alike(whole, resumed):
    """The resumed run has all that `whole` has, which was never stopped."""
    assert names(resumed) == names(whole)
    for file in ("best.params", "checkpoints/epoch-0003/net.params", "checkpoints/epoch-0003/optimizer.params"):
        assert (resumed / file).read_bytes() == (whole / file).read_bytes()
    assert len((resumed / "metrics.jsonl").read_text().splitlines()) == 3


def test_a_training_ends_with_its_last_checkpoint_and_resumes(train, small_disk, full_after, tmp_path):
    assert train(RUN, tmp_path).returncode == 0
    whole = tmp_path / "run"
    checkpoint = pages(*(whole / "checkpoints/epoch-0003").iterdir())
    periodic = pages(*list((whole / "params").iterdir())[:1])
    for room, file in (
        (0, "metrics.jsonl"),
        (periodic + checkpoint // 2, "checkpoints/epoch-0002"),
        (periodic + checkpoint - 1, "checkpoints/epoch-0002"),
    ):
        full_after(room)
        done = train(f"{RUN} --resume auto", small_disk.room)
        assert done.returncode == 1, done.stderr
        *_, line = done.stderr.splitlines()
        old = "the old file is unchanged" if file == "metrics.jsonl" else "nothing was left there"
        expected = f"cannot write run/{file}: No space left on device; {old}"
        assert line == f"error: {expected}; the last checkpoint is run/checkpoints/epoch-0001"
        assert "Traceback" not in done.stderr
        assert not [path for path in names(small_disk.room) if "/." in path and not path.endswith("/.lock")]
        full_after(None)
        if room != periodic + checkpoint - 1:
            for path in sorted(small_disk.room.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
    assert train(f"{RUN} --resume auto", small_disk.room).returncode == 0
    assert_resumed_alike(whole, small_disk.room / "run")


def test_a_gradient_search_ends_with_its_last_checkpoint(call, small_disk, full_after):
    full_after(5)
    done = call(search, f"att-darts {CELLS} --attentions se --run-dir run", small_disk.room)
    assert done.returncode == 1, done.stderr
    *_, line = done.stderr.splitlines()
    assert line.startswith("error: cannot write run/")
    assert line.endswith("; the last checkpoint is run/checkpoints/epoch-0001")
    full_after(None)
    assert call(search, "att-darts --run-dir run --resume auto", small_disk.room).returncode == 0
    assert len((small_disk.room / "run/metrics.jsonl").read_text().splitlines()) == 2


def test_a_search_for_connections_loses_no_step(call, small_disk, tmp_path, monkeypatch):
    monkeypatch.setattr(ean_results, "_cost", lambda setting, scheme: (1, 2, 3.0))
    assert call(search, f"ean-supernet {SUPERNET}", tmp_path).returncode == 0
    words = "ean --steps 4 --images 8 --supernet supernet --run-dir"
    assert call(search, f"{words} whole", tmp_path).returncode == 0
    save = ean_search.save_search

    def and_limit(searcher, folder):
        save(searcher, folder)
        if searcher.steps == 2:
            small_disk.limit(1)

    monkeypatch.setattr(ean_search, "save_search", and_limit)
    found = small_disk.room / "found"
    done = call(search, f"{words} {found}", tmp_path)
    assert done.returncode == 1, done.stderr
    *_, line = done.stderr.splitlines()
    assert line.startswith(f"error: cannot write {found}/s")  # samples or state
    assert re.search(r"is unchanged; .*state", line)
    small_disk.limit(1000)
    monkeypatch.setattr(ean_search, "save_search", save)
    assert call(search, f"{words} {found} --resume auto", tmp_path).returncode == 0
    assert (found / "samples-ean.jsonl").read_text() == (tmp_path / "whole/samples-ean.jsonl").read_text()


@pytest.mark.parametrize("room", [0, 1, 12])
def test_a_study_that_cannot_begin_is_one_line_and_begins_when_there_is_room(small_disk, capsys, room):
    pytest.importorskip("optuna", reason="needs Optuna")
    words = ["compare", *STUDY.split(), "--output", str(small_disk.room / "study")]
    small_disk.limit(room)
    assert main(words) == 2
    error = capsys.readouterr().err.strip()
    assert re.search(r"study\.yaml: No space left|study\.db: database or disk is full|study.*: No space left", error), (
        error
    )
    assert error.count("error: ") == 1
    assert "Traceback" not in error
    assert not (small_disk.room / "study/runs").exists()
    small_disk.limit(4096)
    plan = begin_only(words[1:])
    assert plan.seeds == (1,)
    assert (small_disk.room / "study/study.db").is_file()


def begin_only(argv):
    """Begin the comparison that a command line means, and run nothing."""
    given = {}
    options = parse(compare_parser(), argv, RunConfig, own=given)
    plan = make_plan(options, given["attentions"].split(","), given["seeds"], {})
    return begin(StudyFolder(given["output"]), plan)


@pytest.mark.slow
def test_a_study_whose_disk_becomes_full_goes_on_when_there_is_room(small_disk, capfd):
    pytest.importorskip("optuna", reason="needs Optuna")
    words = ["compare", *STUDY.split(), "--num-epochs", "40", "--output", str(small_disk.room / "study")]
    threading.Thread(target=fill, args=(small_disk,), daemon=True).start()
    assert main(words) in (1, 2)
    *_, line = capfd.readouterr().err.strip().splitlines()
    assert re.match(r"error: cannot .*(: No space left on device|: database or disk is full)", line), line
    assert line.endswith(f"the same command resumes {small_disk.room}/study")
    assert not list(small_disk.room.glob("study/results.*"))
    small_disk.limit(8192)
    assert main(words) == 0
    assert capfd.readouterr().err.count("Traceback") == 0
    assert sorted(path.name for path in small_disk.room.glob("study/r*")) == [
        "report.html", "results.csv", "results.json", "runs"
    ]  # fmt: skip
    for number in range(2):
        assert len((small_disk.room / f"study/runs/{number:03d}/metrics.jsonl").read_text().splitlines()) == 40


def fill(disk):
    """Leave no room as soon as a run of a study has a checkpoint."""
    until = time.monotonic() + 120
    while time.monotonic() < until and not list(disk.room.glob("study/runs/*/checkpoints/epoch-0002")):
        time.sleep(0.01)
    disk.limit(0)


def test_a_log_on_a_full_disk_is_one_warning(small_disk, capsys):
    log.to_terminal()
    handler = log.to_file(small_disk.room / "log.txt")
    small_disk.limit(1)
    for number in range(200):
        log.get_logger().log(logging.WARNING, "message %d%s", number, "." * 90)
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("message ")]
    log.close(handler)
    assert said == [f"cannot write {small_disk.room}/log.txt: No space left on device; it lacks what follows"]


def test_events_on_a_full_disk_end_the_run(small_disk):
    pytest.importorskip("tensorboardX")
    callback = TensorBoard(small_disk.room)
    callback.start(SimpleNamespace(epoch=0))
    small_disk.limit(0)
    with pytest.raises(WriteError, match=f"cannot write to {small_disk.room}: No space left on device"):
        callback.epoch_end(None, {"epoch": 0, **{f"val_{number}": 0.5 for number in range(300)}})
    callback.stop(None)


def test_output_on_a_full_disk_is_one_line():
    """/dev/full takes nothing."""
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "gluon_attn", "models"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: cannot write the output: No space left on device; make room and try again\n"
