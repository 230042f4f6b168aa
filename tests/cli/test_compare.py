"""`gluon-attn compare` on synthetic images: runs, files, the same again, errors before anything is written."""

import contextlib
import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import mxnet as mx
import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs Optuna")

from gluon_attn.checkpoint import CheckpointStore
from gluon_attn.cli import main
from gluon_attn.config.train import RunConfig
from gluon_attn.runs.compare import make_plan
from gluon_attn.runs.options import from_keywords
from gluon_attn.runs.study import storage
from gluon_attn.runs.study.folder import StudyFolder
from gluon_attn.runs.study.processes import shares
from gluon_attn.runs.study.worker import open_trials
from gluon_attn.utils.child_process import child_environment

SMALL = [
    *("--dataset", "synthetic", "--train-images", "32", "--val-images", "40", "--input-size", "8", "-j", "0"),
    *("--model", "cifar_resnet20_v1", "--batch-size", "16", "--num-epochs", "2", "--lr", "0.01", "--save-period", "0"),
]
COMMAND = ["compare", "--attentions", "identity,se", "--seeds", "2", *SMALL]


def read(folder):
    return json.loads((folder / "results.json").read_text())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare") / "study"
    assert main([*COMMAND, "--workers", "2", "--output", str(folder)]) == 0
    return folder


def test_results(study):
    found = read(study)
    assert [method["name"] for method in found["methods"]] == ["plain", "se"]
    assert found["baseline"] == "plain"
    for method in found["methods"]:
        assert [run["seed"] for run in method["runs"]] == [1, 2]
        assert method["accuracy"] == pytest.approx(np.mean([run["last"] for run in method["runs"]]))
        assert method["std"] == pytest.approx(np.std([run["last"] for run in method["runs"]], ddof=1))
    plain, se = found["methods"]
    assert plain["difference"] is None
    assert se["difference"]["mean"] == pytest.approx(se["accuracy"] - plain["accuracy"])
    assert (plain["params"], se["params"]) == (272_474, 274_847)
    assert plain["overhead"] == 1.0
    assert se["latency"] > 0
    with open(study / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["run"], row["attention"], row["seed"]) for row in rows] == [
        ("000", "plain", "1"), ("001", "se", "1"), ("002", "plain", "2"), ("003", "se", "2")
    ]  # fmt: skip


def test_the_page_needs_nothing_from_elsewhere(study):
    text = (study / "report.html").read_text(encoding="utf-8")
    assert "What can be concluded" in text
    assert "se cannot be told apart from plain" in text or "se is " in text
    for word in ("<script", "<link", "<img", "http://", "https://"):
        assert word not in text.replace("http://www.w3.org", "")


def test_a_study_may_be_moved(study, tmp_path, capsys):
    moved = tmp_path / "another name"
    shutil.copytree(study, moved)
    assert main(["report", str(moved), "--output", str(tmp_path / "report.html")]) == 0
    assert main([*COMMAND, "--seeds", "1", "--output", str(moved)]) == 0
    assert "has 2 seeds, from an earlier call: all are shown" in capsys.readouterr().err
    assert [method["runs"] for method in read(moved)["methods"]] == [
        method["runs"] for method in read(study)["methods"]
    ]
    shutil.rmtree(moved / "runs/001")
    assert main([*COMMAND, "--output", str(moved)]) == 1
    assert "runs 001 are not in" in capsys.readouterr().err


def test_a_run_of_a_study_is_that_of_the_training_command(study, run_command, tmp_path):
    options = [*SMALL, "--seed", "2", "--init", "per_tensor", "--attention", "se", "--run-dir", str(tmp_path / "run")]
    threads = {"OMP_NUM_THREADS": str(len(shares(2)[0]))}  # another number adds in another order
    done = run_command("-m", "gluon_attn", "train", *options, env=threads)
    assert done.returncode == 0, done.stderr
    alone, in_study = (mx.nd.load(str(path / "best.params")) for path in (tmp_path / "run", study / "runs/003"))
    assert set(alone) == set(in_study)
    assert all((alone[name] == in_study[name]).asnumpy().all() for name in alone)


def test_the_same_command_runs_nothing_again_and_more_seeds_run_these(study, capsys):
    def written():
        return {path: path.stat().st_mtime_ns for path in study.glob("runs/*/best.params")}

    before = written()
    assert main([*COMMAND, "--output", str(study)]) == 0
    assert written() == before
    more = [word if word != "2" or COMMAND[i - 1] != "--seeds" else "3" for i, word in enumerate(COMMAND)]
    assert main([*more, "--output", str(study)]) == 0
    assert {path: time_ for path, time_ in written().items() if path in before} == before
    assert len(written()) == 6
    assert main([*COMMAND, "--output", str(study)]) == 0  # fewer seeds than there are: all are shown
    assert [run["seed"] for run in read(study)["methods"][0]["runs"]] == [1, 2, 3]


@pytest.mark.slow  # tests/runs/study/test_workers.py kills one worker of two
def test_a_killed_study_goes_on_and_ends_with_the_same_weights(study, tmp_path):
    """All its processes are killed while runs are made; the same command ends with the weights of the other study."""
    folder = tmp_path / "study"
    command = [sys.executable, "-m", "gluon_attn", *COMMAND, "--output", str(folder), "--workers", "2"]
    process = subprocess.Popen(
        command, env=child_environment(), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and not list(folder.glob("runs/*/checkpoints/epoch-0001/meta.json")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for number in range(4):
        stores = [CheckpointStore(one / f"runs/{number:03d}/checkpoints").newest() for one in (folder, study)]
        assert stores[0][1]["sha256"]["net.params"] == stores[1][1]["sha256"]["net.params"]


def test_ctrl_c_gives_the_runs_back_and_says_how_to_go_on(tmp_path):
    """The signal goes to all processes at once, as that of a terminal does."""
    folder = tmp_path / "study"
    command = [sys.executable, "-m", "gluon_attn", *COMMAND, "--num-epochs", "500", "--output", str(folder)]
    process = subprocess.Popen(
        command, env=child_environment(), start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
    )  # fmt: skip
    until = time.monotonic() + 120
    try:
        while time.monotonic() < until and not list(folder.glob("runs/000/checkpoints/epoch-*/meta.json")):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    assert error.strip().splitlines()[-1] == f"error: interrupted; the same command resumes {folder}"
    assert "Traceback" not in error
    assert out == ""
    with pytest.raises(ProcessLookupError):  # no worker is left
        os.killpg(process.pid, 0)
    assert {state.state for state in open_trials(StudyFolder(folder), None)[1].states()} == {"waiting"}
    assert "Traceback" not in (folder / "workers/1.log").read_text()


def test_a_run_that_fails_is_told_and_the_others_are_compared(tmp_path, capsys):
    command = ["compare", "--attentions", "plain", "--seeds", "1", *SMALL, "--vary", "lr=0.01,1e30"]
    assert main([*command, "--output", str(tmp_path / "study")]) == 0
    text = (tmp_path / "study/report.html").read_text()
    assert "Runs that failed" in text
    assert "run 001: " in text
    assert [method["name"] for method in read(tmp_path / "study")["methods"]] == ["plain, lr 0.01"]
    capsys.readouterr()
    assert main([*command, "--output", str(tmp_path / "study"), "--max-failures", "0"]) == 1
    assert "1 runs of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--attentions", "se,eka"], "unknown attention 'eka'; did you mean eca"),
        (["--attentions", "se,se"], "--attentions has se twice"),
        (["--attentions", "eca,se,SE"], "--attentions has se twice, as se and SE"),
        (["--attentions", "se,plain,identity"], "--attentions has plain twice, as plain and identity"),
        (["--attentions", ","], "--attentions names nothing"),
        (["--attentions", ""], "--attentions names nothing"),
        (["--attentions", "se", "--vary", "lrr=1,2"], "unknown option 'lrr'; did you mean lr"),
        (["--attentions", "se", "--vary", "lr"], "--vary takes OPTION=VALUE,VALUE, got 'lr'"),
        (["--attentions", "se", "--vary", "lr=0.1", "--vary", "optim.lr=0.2"], "optim.lr is varied twice"),
        (["--attentions", "se", "--vary", "lr=fast"], "--lr takes a number"),
        (["--attentions", "se", "--vary", "attention=eca"], "model.attention is varied twice"),
        (["--attentions", "se", "--vary", "foo.bar=1"], "unknown option 'foo.bar'"),
        (["--attentions", "se", "--vary", "lr=0.1,0.1"], "optim.lr has 0.1 twice"),
        (["--attentions", "se", "--vary", "lr=[0.1"], "--vary takes OPTION=VALUE,VALUE, got 'lr=[0.1'"),
        (["--attentions", "se", "--vary", "lr=2020-01-01"], "no option takes datetime.date"),
        (["--attentions", "se", "--vary", "batch_size=-4"], "batch"),
        (["--attentions", "se", "--vary", "seed=1,2"], "--vary cannot vary the seed: --seeds says how many"),
        (["--attentions", "se", "--vary", "run_dir=a,b"], "--run-dir is for single runs"),
        (["--attentions", "se", "--vary", "resume=auto"], "--resume is for single runs"),
        (["--attentions", "se", "--attention", "eca"], "unknown option --attention"),
        (["--attentions", "se", "--max-failures", "-1"], "must be a whole number, 0 or more"),
        (["--attentions", "se", "--vary", "model=nothing,cifar_resnet20_v1"], "unknown model 'nothing'"),
        (["--attentions", "se", "--storage", "postgresql://u:s3cret@127.0.0.1:1/x"], "u:***@127.0.0.1:1/x"),
        (["--attentions", "se", "--storage", "nodatabase://u:s3cret@host/x"], "u:***@host/x"),
        (["--attentions", "se", "--seeds", "0"], "must be a whole number above 0"),
        (["--attentions", "se", "--workers", "0"], "must be a whole number above 0"),
        (["--attentions", "se", "--storage", "nonsense"], "cannot use the storage that --storage names"),
        ([], "the following arguments are required: --attentions"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_nothing_is_written(words, message, tmp_path, capsys):
    assert main(["compare", *words, *SMALL, "--output", str(tmp_path / "study")]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.strip().count("\n") == (1 if "usage" in said.err else 0)
    assert "s3cret" not in said.out + said.err
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ["--attentions", "plain,eca"],
            "is a study with other values of model.attention: name another folder, --output",
        ),
        (["--attentions", "plain,se", "--lr", "0.5"], "is a study with other options (optim.lr)"),
    ],
)
def test_another_study_is_not_mixed_in(study, changes, message, refused):
    refused(["compare", *SMALL, "--seeds", "2", *changes, "--output", str(study)], message)


def test_a_folder_with_other_files_is_left_alone(tmp_path, refused):
    (tmp_path / "mine.txt").write_text("mine")
    refused([*COMMAND, "--output", str(tmp_path)], "holds other files (mine.txt): name an empty folder, --output")


@pytest.mark.parametrize(
    "text",
    ["", "version: 1\n", "- 1\n", "version: 9\n", "version: 1\nspace: [values]\noptions: []\nseeds: 3\n", "\0\1"],
)
def test_a_damaged_plan_is_named(text, tmp_path, refused):
    (tmp_path / "study.yaml").write_text(text)
    refused([*COMMAND, "--output", str(tmp_path)], "study.yaml")
    assert (tmp_path / "study.yaml").read_text() == text


def test_what_a_killed_writer_left_is_no_other_study(tmp_path):
    (tmp_path / ".study.yaml.abc").mkdir()
    (tmp_path / ".study.yaml.abc/.gluon_attn-scratch").touch()
    plan = make_plan(from_keywords(RunConfig, {"dataset": "digits"}), ["se"], 1, {})
    assert StudyFolder(tmp_path).begin(plan) == plan


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "garbage"])
def test_a_damaged_database_is_named_and_left_as_it_is(study, damage, tmp_path, refused):
    folder = tmp_path / "study"
    shutil.copytree(study, folder)
    file = folder / "study.db"
    content = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes({"empty": b"", "cut": content[:9000], "garbage": bytes(range(256)) * 40}[damage])
    before = (folder / "results.json").read_bytes()
    refused([*COMMAND, "--output", str(folder)], "study.db")
    assert (folder / "results.json").read_bytes() == before
    file.write_bytes(content)  # put back, the study is as it was
    assert {state.state for state in open_trials(StudyFolder(folder), None)[1].states()} == {"done"}


def test_a_locked_database_is_named(study, monkeypatch, refused):
    monkeypatch.setattr(storage, "SQLITE_WAIT", 1)
    with contextlib.closing(sqlite3.connect(study / "study.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused([*COMMAND, "--output", str(study)], "study.db: database is locked")
