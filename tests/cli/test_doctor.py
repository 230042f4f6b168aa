"""`gluon-attn doctor` on this machine and on made-up ones."""

import importlib.machinery
import json
import sys

import pytest

from gluon_attn import runtime
from gluon_attn.cli import doctor, main
from gluon_attn.runs import mxnet_probe
from gluon_attn.utils import cpu, cuda
from gluon_attn.utils.optional import EXTRAS

GOOD = {
    "problem": None,
    "isa": "Intel AVX2",
    "version": "1.9.1",
    "features": ["OPENMP"],
    "results": {"cpu(0)": 0.5},
    "kernels": None,
}


@pytest.fixture
def quick(monkeypatch):
    """Answers of the parts that start processes."""
    monkeypatch.setattr(doctor, "run_trial", lambda gpus: GOOD)
    monkeypatch.setattr(runtime, "gpus", lambda: ([], "no driver"))


def test_it_proves_that_mxnet_works(run_command):
    result = run_command("-m", "gluon_attn", "doctor", "--json")
    found = json.loads(result.stdout)
    assert result.returncode == 0
    assert found["ok"] is True
    assert found["trial"]["convolution"]["value"] == "works"
    assert "OPENMP" in found["versions"]["MXNet features"]["note"]
    assert found["processor"]["oneDNN uses"]["value"] != "unknown"
    assert found["processor"]["threads"]["value"].isdecimal()
    assert found["processor"]["compiled operators"]["value"] in ("ready", "not used")


@pytest.mark.parametrize("why", [None, "no C++ compiler"])
def test_compiled_operators_are_ready_or_it_says_why_not(quick, monkeypatch, capsys, why):
    monkeypatch.setattr(doctor, "run_trial", lambda gpus: {**GOOD, "kernels": why})
    main(["doctor", "--json"])
    row = json.loads(capsys.readouterr().out)["processor"]["compiled operators"]
    assert row["value"] == ("not used" if why else "ready")
    assert row["note"] == why or not why


def test_the_table_is_aligned(quick, capsys):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "versions", "processor", "gpus", "horovod", "extras", "trial"
    ]  # fmt: skip
    rows = [line for line in lines if line.startswith("  ")]
    column = rows[0].index("0.1.0")
    assert all(row[column - 1] == " " and row[column] != " " for row in rows)


def test_json_holds_what_the_table_shows(quick, capsys):
    main(["doctor"])
    table = capsys.readouterr().out
    main(["doctor", "--json"])
    for rows in json.loads(capsys.readouterr().out).values():
        if isinstance(rows, dict):
            assert all(label in table and str(row["value"]) in table for label, row in rows.items())


@pytest.mark.parametrize("problem", ["MXNet died with SIGILL", "MXNet does not run: OSError: libgomp.so.1"])
def test_a_broken_mxnet_is_shown_and_ends_with_1(quick, monkeypatch, capsys, problem):
    monkeypatch.setattr(doctor, "run_trial", lambda gpus: {"problem": problem, "isa": None})
    assert main(["doctor"]) == 1
    assert problem in capsys.readouterr().out


def test_the_death_of_the_trial_is_named(monkeypatch, tmp_path):
    (tmp_path / "mxnet.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert mxnet_probe.run_trial()["problem"] == "MXNet died with SIGILL"
    (tmp_path / "mxnet.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')\n")
    assert mxnet_probe.run_trial()["problem"].endswith("OSError: libgomp.so.1: cannot open shared object file")


def test_a_trial_that_hangs_is_ended(monkeypatch, tmp_path):
    (tmp_path / "mxnet.py").write_text("import threading\nthreading.Event().wait()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(mxnet_probe, "_SECONDS", 1)
    assert mxnet_probe.run_trial()["problem"] == "MXNet did not finish within 1 seconds"


def test_a_wrong_result_is_a_problem(monkeypatch, capsys):
    monkeypatch.setattr(mxnet_probe, "convolve", lambda device: None)
    mxnet_probe.main([])
    assert json.loads(capsys.readouterr().out)["problem"] == "a convolution gives wrong numbers on cpu(0)"


def test_gpus_are_usable_or_it_says_why(monkeypatch):
    why = cuda.unusable((9, 0))
    cards = [
        {"id": 0, "name": "A10", "capability": [8, 6], "why": None},
        {"id": 1, "name": "H200", "capability": [9, 0], "why": why},
    ]
    monkeypatch.setattr(runtime, "gpus", lambda: (cards, None))
    assert doctor.gpus() == [
        ("GPU 0", "usable", "A10, compute capability 8.6"),
        ("GPU 1", "not used", f"H200, compute capability 9.0: {why}"),
    ]


def test_missing_extras_say_how_to_get_them(monkeypatch, tmp_path):
    """As the interpreter finds them: to look for a part of a package that is missing is an error of its own."""
    packages = {module.partition(".")[0] for module, extra in EXTRAS.items() if extra != "horovod"}
    for module in [name for name in sys.modules if name.partition(".")[0] in packages]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    monkeypatch.setattr("sys.meta_path", [importlib.machinery.PathFinder])
    rows = {label: (value, note) for label, value, note in doctor.extras()}
    assert rows["optuna"] == ("missing", "pip install 'gluon-attn[sweep]'")
    assert rows["safetensors"] == ("missing", "pip install 'gluon-attn[convert]'")
    assert set(rows) == packages


@pytest.mark.parametrize(("library", "said"), [("mpi_lib.so", "built with MXNet"), ("", "built without MXNet")])
def test_horovod(monkeypatch, tmp_path, library, said):
    (tmp_path / "horovod/mxnet").mkdir(parents=True)
    (tmp_path / "horovod/__init__.py").touch()
    (tmp_path / "horovod-0.28.1.dist-info").mkdir()
    (tmp_path / "horovod-0.28.1.dist-info/METADATA").write_text("Name: horovod\nVersion: 0.28.1\n")
    if library:
        (tmp_path / "horovod/mxnet" / library).touch()
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    rows = doctor.horovod(cpu.Host(environ={"HOROVOD_SIZE": "4", "HOROVOD_LOCAL_SIZE": "2"}))
    assert rows[0][:2] == ("Horovod", "0.28.1")
    assert rows[0][2].startswith(said)
    assert rows[1] == ("processes", "4", "2 on this host (HOROVOD_LOCAL_SIZE)")


def test_horovod_that_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert doctor.horovod(cpu.Host(environ={})) == [("Horovod", "missing", "make horovod builds it")]
