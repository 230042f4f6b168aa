"""The table of exported networks: its rows, rows that join it, sides that fail."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import deploy
from benchmarks.lib import limit


def test_exported_forms_are_held_against_pytorch_of_their_type_and_the_limit():
    limits = limit.Limits({"float32": 1000, "int8": 4000})
    live, quick, int8 = deploy.FLOAT32[0], ("ours", "openvino-float32", "float32"), ("ours", "openvino-int8", "int8")
    assert {live, quick, int8} <= {*deploy.FLOAT32, *deploy.LOW}
    found = {live: 10.0, quick: 30.0, ("eager", "", "float32"): 15.0, ("compiled", "", "float32"): 20.0}
    rows = list(deploy.rows("net", 8, found, limits, 10))
    assert rows[0] == ("net", 8, "ours, live", "float32", "10.0", "0.50", "20 %")
    assert rows[1] == ("net", 8, "ours, openvino", "float32", "30.0", "1.50", "60 %")
    assert rows[3] == ("net", 8, "PyTorch compiled, frozen", "float32", "20.0", "1.00", "40 %")
    low = {int8: 90.0, ("eager", "", "bfloat16"): 80.0, ("compiled", "", "bfloat16"): 60.0}
    ours, eager, _ = deploy.rows("net", 1, low, limits, 10)
    assert ours == ("net", 1, "ours, openvino", "int8", "90.0", "1.50", "45 %")
    assert eager[-1] == ""
    failed = {int8: "no memory", ("compiled", "", "bfloat16"): "no compiler"}
    assert [row[-3:] for row in deploy.rows("net", 1, failed, limits, 10)] == [
        ("no memory", "", ""), ("no compiler", "", ""),
    ]  # fmt: skip


def test_tables_are_joined_network_by_network(tmp_path, monkeypatch):
    monkeypatch.setattr(deploy, "write", lambda *_: None)
    monkeypatch.setattr(deploy, "versions", lambda *names, **python: [f"{name} 1" for name in names])
    speeds = iter((1.0, 1.0, 2.0, 2.0, 3.0, 3.0))
    monkeypatch.setattr(deploy, "compare", lambda order, sides, *_: {sides[0]: next(speeds)})
    peaks = iter((100e9, 50e9))
    monkeypatch.setattr(deploy.limit, "measured", lambda: limit.Limits({"float32": next(peaks), "memory-2": 1e9}))
    monkeypatch.setattr(deploy.limit, "network_macs", lambda *_: 1e10)
    command = ["deploy", "--out", str(tmp_path / "t.md"), "--batch-size", "1", "--join"]
    for words in (["se_resnet50", "eca_resnet50"], ["se_resnet50"]):
        monkeypatch.setattr("sys.argv", [*command, *words])
        deploy.main()
    lines = (tmp_path / "t.md").read_text().splitlines()
    assert lines[2].startswith("`python benchmarks/deploy.py --repeat 15 --size 224 --batch-size 1` on")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[8:]]
    assert [(row[0], row[3], row[4], row[6]) for row in rows] == [
        ("eca_resnet50", "float32", "2.0", "40 %"), ("eca_resnet50", "bfloat16", "2.0", ""),
        ("se_resnet50", "float32", "3.0", "60 %"), ("se_resnet50", "bfloat16", "3.0", ""),
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", [*command, "--repeat", "3", "se_resnet50"])
    with pytest.raises(SystemExit, match=r"error: .*t\.md was measured by another command"):
        deploy.main()
    (tmp_path / "t.md").write_text("\n".join(lines[:4] + lines[5:]))
    with pytest.raises(SystemExit, match=r"error: .*t\.md has no limits"):
        deploy.main()


def test_sides_that_fail_leave_the_others(monkeypatch):
    class Fake:
        def __init__(self, module, kind, python):
            self.kind = kind

        def ask(self, order):
            if self.kind == "compiled":
                raise RuntimeError("no compiler")
            return 0.5

        def close(self):
            pass

    monkeypatch.setattr(deploy, "Peer", Fake)
    sides = [("ours", "live", "float32"), ("compiled", "", "float32")]
    assert deploy.compare({"batch": 4}, sides, 3, sys.executable) == {sides[0]: 8.0, sides[1]: "no compiler"}
