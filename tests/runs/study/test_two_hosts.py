"""Two hosts work on one study by running the same command, also when the link of one of them is cut."""

import json
import os
import subprocess
import sys
import time

import postgres
import pytest
from hosts import ROOT, hosts, missing

pytest.importorskip("optuna", reason="needs Optuna")
pytest.importorskip("psycopg2", reason="needs psycopg2")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
    pytest.mark.skipif(postgres.programs() is None, reason="needs PostgreSQL: install Debian's postgresql"),
]
COMMAND = (
    "-m gluon_attn compare --attentions identity,se --seeds 2 --dataset synthetic --train-images 600 --val-images 16 "
    "--classes 4 --input-size 8 --batch-size 20 -j 0 --model cifar_resnet20_v1 --num-epochs 3 --save-period 0"
)
RUNS = ["000", "001", "002", "003"]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    with hosts(2, tmp_path_factory.mktemp("hosts")) as found:
        yield found


@pytest.fixture(scope="module")
def database(two, tmp_path_factory):
    folder = tmp_path_factory.mktemp("postgres")
    for parent in folder.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o111)
    with postgres.server(folder, two.addresses[0], two.inside(0)) as url:
        yield url


def start(two, host, url, folder):
    command = [*two.inside(host), sys.executable, *COMMAND.split(), "--storage", url, "--output", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process):
    out, error = process.communicate(timeout=300)
    assert postgres.PASSWORD not in out + error
    assert "Traceback" not in error
    return process.returncode, out, error.strip().splitlines()[-1]


def check(folder):
    """All runs are done, with every epoch once; returns how often each was begun."""
    found = json.loads((folder / "results.json").read_text())
    assert sorted(f"{run['number']:03d}" for method in found["methods"] for run in method["runs"]) == RUNS
    assert found["failed"] == []
    for name in RUNS:
        lines = (folder / "runs" / name / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line)["epoch"] for line in lines] == [0, 1, 2]
    for file in folder.rglob("*"):
        assert not file.is_file() or postgres.PASSWORD.encode() not in file.read_bytes(), file
    return [(folder / "runs" / name / "log.txt").read_text().count(" epoch 0: ") for name in RUNS]


def test_hosts_share_the_runs_of_a_study(two, database, tmp_path):
    folder = tmp_path / "shared"
    both = [start(two, host, database, folder) for host in (0, 1)]
    done = [finish(process) for process in both]
    assert [code for code, *_ in done] == [0, 0], done
    assert all("cannot be told apart" in out or "se is " in out for _, out, _ in done)
    assert check(folder) == [1, 1, 1, 1]


def test_hosts_with_folders_of_their_own_are_told_what_is_missing(two, database, tmp_path):
    folders = [tmp_path / f"host{host}/own" for host in (0, 1)]
    both = [start(two, host, database, folder) for host, folder in enumerate(folders)]
    done = [finish(process) for process in both]
    made = [{path.parent.name for path in folder.glob("runs/*/best.params")} for folder in folders]
    assert made[0] | made[1] == set(RUNS)
    assert not made[0] & made[1]
    for (code, _, line), mine in zip(done, made, strict=True):
        assert code == 1
        assert "deleted or made on another machine" in line
        assert all(f"{name}" in line for name in set(RUNS) - mine)
    for name in made[1]:
        (folders[1] / "runs" / name).rename(folders[0] / "runs" / name)
    assert finish(start(two, 0, database, folders[0]))[0] == 0
    assert check(folders[0]) == [1, 1, 1, 1]


def test_a_cut_link_loses_nothing(two, database, tmp_path):
    folder = tmp_path / "cut"
    both = [start(two, host, database, folder) for host in (0, 1)]
    until = time.monotonic() + 120
    while time.monotonic() < until and len(list(folder.glob("runs/*/checkpoints/epoch-0001"))) < 2:
        time.sleep(0.02)
    two.link(1, "down")
    try:
        code, _, line = finish(both[1])
        assert code in (1, 2)
        assert line.startswith("error: ")
        assert "cannot use the storage postgresql+psycopg2://study:***@" in line
        assert finish(both[0])[0] == 0
    finally:
        two.link(1, "up")
    check(folder)
    assert finish(start(two, 1, database, folder))[0] == 0
    check(folder)
