"""What is changed in MXNet for NumPy 2; most of it can be tried with NumPy 1, too."""

import importlib
import inspect
import re

import numpy as np
import pytest

from gluon_attn.utils import mxnet_changes
from gluon_attn.utils.mxnet_changes import CHANGES, Change, apply, needed, text_of

#: loads MXNet, changed as for NumPy 2.4, and uses what was changed
USED = """
import sys
import gluon_attn
from gluon_attn.utils import mxnet_changes
mxnet_changes.change_when_loaded("2.4.6")
finders = list(sys.meta_path)
import mxnet as mx, numpy as np
print("mxnet_changes" in str(finders), "mxnet_changes" in str(sys.meta_path))
print(type(mx.nd.ones((1, 1)).asscalar()).__name__, mx.nd.ones((2, 6)).reshape((np.int64(3), np.int64(4))).shape)
header = mx.recordio.IRHeader(0, np.array([1.0, 2.0]), 7, 0)
print(mx.recordio.unpack(mx.recordio.pack(header, b"rest")))
loss = mx.metric.Loss()
for value in (1e8, 1.0):
    loss.update(None, [mx.nd.array([value])])
print(loss.sum_metric, loss.global_sum_metric)
print(mx.sym.var("x", shape=(np.int64(3), np.int64(4))).attr("__shape__"))
"""
OF_NUMPY_2 = ["parameters as text", "mxnet.symbol.symbol.var", "mxnet.metric.EvalMetric.reset",
              "mxnet.metric.EvalMetric.reset_local"]  # fmt: skip


def test_texts_are_in_this_mxnet():
    for change in CHANGES:
        function = importlib.import_module(change.module)
        for name in change.function.split("."):
            function = getattr(function, name)
        source = inspect.getsource(function)
        assert max(source.count(change.old), source.count(change.new)) == 1, change


def test_parameters_of_modules_are_text_by_one_name():
    """`str` becomes a function there, so it must not be used as a type."""
    for name in mxnet_changes.TEXTS:
        source = inspect.getsource(importlib.import_module(name))
        assert re.search(r"\bstr\(", source)
        assert not re.search(r"\(str,|, str[,)]", source)


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("1.26.4", []), ("2.1.0", OF_NUMPY_2), ("2.3.0", [*OF_NUMPY_2, "mxnet.recordio.pack", "mxnet.recordio.pack_img"])],
)
def test_what_a_version_needs(version, wanted):
    assert sorted(needed(version)) == sorted(wanted)
    assert len(needed("2.4.6")) == 8


@pytest.mark.parametrize(
    ("value", "text"),
    [((np.int64(2), 3), "(2, 3)"), ((np.float32(0.1),), "(0.1,)"), ([np.int32(1), (np.int64(2),)], "[1, (2,)]"),
     (np.int64(5), "5"), ("relu", "relu"), (("a", np.str_("b")), "('a', "), (None, "None"), ((), "()"),
     ((np.bool_(True), True), "(True, True)"), (np.float64(1e-5), "1e-05")],
)  # fmt: skip
def test_text_of_a_parameter(value, text):
    assert text_of(value).startswith(text)
    assert text_of((1, 2.5, "x", None, (3,))) == str((1, 2.5, "x", None, (3,)))


def test_a_function_keeps_its_identity_and_lines(tmp_path, monkeypatch):
    """Who has imported it by name has the changed one, and a traceback shows the file's own line."""
    (tmp_path / "some_library.py").write_text("""import math


class Number:
    def half(self, value):
        # a comment
        if value < 0:
            raise ValueError(value)
        return math.floor(value / 2) + 1
""")
    monkeypatch.syspath_prepend(tmp_path)
    half = importlib.import_module("some_library").Number.half
    texts = [("math.floor(value / 2)", "value / 2"), ("+ 1", "+ 2")]
    apply("2.4.6", [Change("some_library", "Number.half", *pair, "", (2, 0)) for pair in texts])
    assert half(None, 3) == 3.5
    with pytest.raises(ValueError, match="-1") as error:
        half(None, -1)
    assert error.traceback[-1].lineno == 7  # counted from 0
    assert str(error.traceback[-1].path) == str(tmp_path / "some_library.py")


def test_mxnet_is_changed_once_it_has_loaded(run_command):
    done = run_command("-W", "error::RuntimeWarning", "-c", USED)
    lines = done.stdout.splitlines()
    assert lines[:2] == ["True False", "float32 (3, 4)"], done.stderr
    assert "label=array([1., 2.]" in lines[2]
    assert lines[3:] == ["100000001.0 100000001.0", "(3, 4)"]


def test_another_build_of_mxnet_is_left_alone_and_said():
    change = Change("mxnet.recordio", "pack", "no such text", "", "a reason", (2, 0))
    with pytest.warns(RuntimeWarning, match="pack is not that of MXNet 1.9.1 and stays as it is: a reason") as seen:
        apply("2.4.6", [change])
    assert len(seen) == 1
