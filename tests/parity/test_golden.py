"""The reader of golden cases: its rules by hand, and that a disagreement is seen."""

import importlib.util
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from builds import make
from golden import OWN, Case, biased_variance, copy_small, draw, read_index

FLAT = {"shape": [3, 2], "step": 2, "l2": 2.0, "f64_l2": 0, "f64_max": 0, "wob_l2": 0, "wob_max": 0}


def case_of(**config):
    return Case({"id": "x", "config": config, "seed": 2020, "arrays": {"eval/out": FLAT}}, Path())


def test_the_weight_rule_by_hand():
    """RandomState is frozen by NumPy's policy."""
    case = case_of(input=[2, 3])
    assert draw("fc.weight", "linear", (2, 2), 2.0, 2020) == pytest.approx(
        np.random.RandomState(zlib.crc32(b"fc.weight") ^ 2020).normal(0, 1, (2, 2)).astype("float32")
    )
    assert case.inputs()[0].tolist() == np.random.RandomState(2021).normal(size=(2, 3)).astype("float32").tolist()
    assert case.cotangent((4,)).tolist() == np.random.RandomState(2022).normal(size=4).astype("float32").tolist()


def test_a_disagreement_is_seen():
    case = case_of()
    case._data = {"eval/out": np.array([1.0, 1.0, 1.0], "float32")}
    whole = np.array([1, 1, 1, 0, 1, 0.0])
    assert case.complaint("eval/out", whole) is None
    assert "relative l2 distance" in case.complaint("eval/out", whole + np.eye(6)[0] * 1e-5)
    assert "whole array's norm" in case.complaint("eval/out", whole + np.eye(6)[1] * 1e-2)
    assert case.complaint("eval/out", whole * np.nan)


def test_zeros_are_compared_absolutely():
    case = case_of()
    case.meta = {"eval/out": {**FLAT, "l2": 0.0}}
    case._data = {"eval/out": np.zeros(3, "float32")}
    assert case.complaint("eval/out", np.full(6, 1e-7)) is None
    assert "not zero" in case.complaint("eval/out", np.full(6, 1e-5))
    assert case.complaint("eval/out", np.full(6, np.nan))


def test_a_running_variance_of_two_calls():
    """PyTorch blends n / (n - 1) times what MXNet does in, at each call."""
    case = case_of()
    case.meta["train/stat/bn.running_var"] = {"momentum": 0.1, "n_per_channel": [4, 4]}
    case.weights = lambda: {"bn.running_var": np.array([2.0])}
    theirs, ours = 2.0, 2.0
    for variance in (3.0, 5.0):
        theirs, ours = 0.9 * theirs + 0.1 * variance * 4 / 3, 0.9 * ours + 0.1 * variance
    assert biased_variance(case, "train/stat/bn.running_var", np.array([theirs])) == pytest.approx([ours])


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"build": "new_thing"}, "does not know the build 'new_thing'"),
        ({"build": "sge", "input": [2, 64, 4, 4], "args": {"colour": 1}}, "nothing here maps the arguments"),
        ({"build": "sge", "opts": {"call": "backwards"}}, "does not know the call 'backwards'"),
        ({"build": "atac_resnet20", "args": {"skernel": 5}}, "skernel=5 has no counterpart here"),
    ],
)
def test_what_is_not_known_fails(config, words):
    with pytest.raises(AssertionError, match=words):
        make(case_of(**config))


@pytest.mark.parametrize("source", sorted({case.source for case in read_index(OWN)}))
def test_a_folder_without_the_cases_of_a_source(source, tmp_path, monkeypatch):
    """Every test module of the runner is collected, and those of them that ask about all cases pass."""
    index = json.loads((OWN / "index.json").read_text(encoding="utf-8"))
    index["cases"] = [case for case in index["cases"] if case["source"] != source]
    assert index["cases"]
    (tmp_path / "index.json").write_text(json.dumps(index))
    monkeypatch.setenv("GLUON_ATTN_GOLDEN", str(tmp_path))
    for name in ("test_parity", "test_search", "test_ean", "test_weight_files", "test_arguments"):
        module = fresh(name)
        cases = getattr(module, "CASES", {})
        assert source not in {case.source for case in (cases.values() if isinstance(cases, dict) else cases)}
        for check in ("test_every_source_is_read_in_each_of_its_layouts", "test_every_argument_is_in_the_table"):
            getattr(module, check, lambda: None)()


def fresh(name):
    """A module of this folder, read anew."""
    spec = importlib.util.spec_from_file_location(f"{name}_again", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_small_cases_are_copied(tmp_path):
    source, target = tmp_path / "all", tmp_path / "some"
    source.mkdir()
    cases = [{"id": name, "config": {}, "file": f"{name}.npz"} for name in ("small", "large")]
    index = {"format": 1, "cases": [*cases, {"id": "count", "config": {}, "file": None}]}
    (source / "index.json").write_text(json.dumps(index))
    (source / "small.npz").write_bytes(b"1")
    (source / "large.npz").write_bytes(bytes(100_000))
    copy_small(source, target)
    assert [case.id for case in read_index(target)] == ["small", "count"]
    assert sorted(path.name for path in target.iterdir()) == ["index.json", "small.npz"]
    assert json.loads((target / "index.json").read_text())["format"] == 1
