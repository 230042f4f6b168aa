"""What libraries say is wrong, as one line."""

import mxnet as mx
import pytest

from gluon_attn.utils.errors import engine_reason


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "MXNetError: Error in operator a: [10:20:28] ../src/operator/pooling.cc:192: Check failed: k <= n + 2 * p: "
            "kernel size (2) exceeds input",
            "kernel size (2) exceeds input",
        ),
        ("Traceback\n  File x\nError: Check failed: a == b (8 vs. 4) : \n", "a == b (8 vs. 4) :"),
        ("Exception from src/core.cpp:84:\nCheck 'x' failed\nno such axis\n", "no such axis"),
        ("", "ValueError"),
    ],
)
def test_the_reason_without_source_lines(text, line):
    assert engine_reason(ValueError(text)) == line


def test_mxnets_own():
    x = mx.sym.Pooling(mx.sym.var("data"), kernel=(9, 9), pool_type="max")
    with pytest.raises(mx.MXNetError) as caught:
        x.infer_shape(data=(1, 1, 4, 4))
    assert engine_reason(caught.value) == "kernel size (9) exceeds input (4 padded to 4)"
