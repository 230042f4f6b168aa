"""PyTorch's files with more than weights: what is harmless is passed over, code is never run."""

import argparse
import collections
import datetime
import os
import pathlib
import pickle
import types

import numpy as np
import pytest

from gluon_attn.convert import read_weights
from gluon_attn.utils.errors import UserError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if not hasattr(torch.serialization, "safe_globals"):
    pytest.skip("PyTorch is older than 2.5: it reads weights alone", allow_module_level=True)


def state(value):
    return {"fc.weight": torch.full((2, 3), value)}


def read(tmp_path, content, *wish, zipped=True):
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    return read_weights(tmp_path / "a.pth", *wish)


@pytest.mark.parametrize("zipped", [True, False])
def test_as_timms_checkpoint_saver_writes(tmp_path, zipped):
    args = argparse.Namespace(model="resnet18", lr=0.1, mean=[0.5, 0.5, 0.5], output=pathlib.Path("out"), none=None)
    saved = {
        "epoch": 3, "arch": "resnet18", "state_dict": state(1.0), "optimizer": {"state": {}, "param_groups": []},
        "version": 2, "args": args, "state_dict_ema": state(2.0), "metric": np.float64(77.5),
        "saver": {"checkpoint_files": [("checkpoint-3.pth.tar", np.float64(77.5))], "pending": (3, np.float32(1))},
    }  # fmt: skip
    found = read(tmp_path, saved, None, True, zipped=zipped)
    assert (found.choice.kind, found.choice.key, found.choice.other) == ("ema", "state_dict_ema", "state_dict")
    assert (found.tensors["fc.weight"] == 2).all()
    assert (read(tmp_path, saved, "raw", True, zipped=zipped).tensors["fc.weight"] == 1).all()
    assert {"args", "metric", "saver"} <= set(found.other_keys)


@pytest.mark.parametrize(
    "beside",
    [
        np.float32(1), np.int64(3), np.bool_(True), np.arange(4), np.array(["a"]), np.dtype("float16"),
        argparse.Namespace(a=argparse.Namespace(b=1)), types.SimpleNamespace(a=1),
        pathlib.Path("a/b"), pathlib.PureWindowsPath("a"), range(3), slice(1, 2), frozenset([1]),
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc), datetime.timedelta(seconds=3),
        collections.defaultdict(list, a=[1]), collections.OrderedDict(a=1), collections.Counter("aab"),
    ],
    ids=repr,
)  # fmt: skip
def test_harmless_things_beside_the_weights(tmp_path, beside):
    found = read(tmp_path, {"state_dict": state(1.0), "beside": beside})
    assert found.other_keys == ("beside",)
    assert (found.tensors["fc.weight"] == 1).all()


def test_names_of_numpy_2(tmp_path):
    torch.save(
        {"state_dict": state(1.0), "metric": np.float64(1)}, tmp_path / "a", _use_new_zipfile_serialization=False
    )
    content = (tmp_path / "a").read_bytes()
    new = b"cnumpy._core.multiarray\nscalar\n"
    swapped = content.replace(b"cnumpy.core.multiarray\nscalar\n", new)
    assert new in swapped
    (tmp_path / "a").write_bytes(swapped)
    assert read_weights(tmp_path / "a").other_keys == ("metric",)


class Runs:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Built:
    """Reduces to what a file may hold, with a state that calls a function."""

    def __init__(self, kind, state):
        self.kind, self.state = kind, state

    def __reduce__(self):
        return self.kind, (), self.state


def inside(kind, code):
    """Code as an attribute, an item or a state of something that is allowed."""
    if kind == "namespace":
        return argparse.Namespace(a=code)
    if kind == "default dict":
        return collections.defaultdict(list, a=code)
    if kind == "state":
        return Built(argparse.Namespace, code)
    if kind == "arguments":
        return Runs(pathlib.PurePosixPath, code)
    return code


@pytest.mark.parametrize("kind", ["alone", "namespace", "default dict", "state", "arguments"])
@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_not_run(tmp_path, kind, zipped):
    for code in (
        Runs(os.system, f"touch {tmp_path / 'ran'}"),
        Runs(eval, f"open({str(tmp_path / 'ran')!r}, 'w')"),
        Runs(getattr, argparse.Namespace, "__init__"),
        Runs(pickle.loads, b"N."),
    ):
        with pytest.raises(UserError, match=r"a\.pth holds more than weights.*: it is not opened, since code in it"):
            read(tmp_path, {"state_dict": state(1.0), "beside": inside(kind, code)}, zipped=zipped)
    assert not (tmp_path / "ran").exists()


def test_what_is_allowed_is_not_made(tmp_path, monkeypatch):
    """A file may pass anything to `argparse.Namespace`: a stand-in takes it."""
    monkeypatch.setattr(argparse.Namespace, "__setstate__", lambda self, state: 1 / 0, raising=False)
    monkeypatch.setattr(argparse.Namespace, "__init__", lambda self, **values: 1 / 0)
    before = set(torch.serialization.get_safe_globals())
    saved = {"state_dict": state(1.0), "args": Built(argparse.Namespace, {"__class__": 1, "a": (1, {"b": 2})})}
    assert (read(tmp_path, saved).tensors["fc.weight"] == 1).all()
    assert set(torch.serialization.get_safe_globals()) == before  # nothing stays allowed
