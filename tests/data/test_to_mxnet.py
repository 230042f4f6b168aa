"""Parts of batches as MXNet's arrays."""

import subprocess
import sys

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.data.to_mxnet import to_mxnet
from gluon_attn.utils.child_process import child_environment

# thousands of arrays that one operator gives back, after all is computed and while Python ends
ENDING = """
import numpy as np
from gluon_attn.data.to_mxnet import to_mxnet
import mxnet as mx
{held}
weight = mx.nd.ones((1000, 1000))
late = mx.nd.dot(weight, weight)[0, :4]
total = mx.nd.add_n(*[to_mxnet(np.ones(4, np.float32)) for _ in range(8000)], late)
{last}
"""


@pytest.mark.parametrize("change", [np.asarray, lambda part: part[::2], lambda part: part[1:], np.int32, np.uint8])
def test_values_stay(change):
    part = change(np.arange(24, dtype=np.float32).reshape(4, 6))
    found = to_mxnet(part)
    assert (found.context, found.dtype) == (mx.cpu(), np.float32)
    np.testing.assert_array_equal(found.asnumpy(), part)


def test_a_list_stays_one():
    found = to_mxnet([np.ones((2, 4), np.float32), np.zeros((0, 4), np.float32)])
    assert [part.shape for part in found] == [(2, 4), (0, 4)]


@pytest.mark.parametrize(
    ("held", "last", "code"),
    [("", "", 0), ("held = to_mxnet(np.ones(4, np.float32))", "", 0), ("", "raise SystemExit(130)", 130)],
)
def test_a_process_ends_as_it_says(held, last, code):
    command = [sys.executable, "-c", ENDING.format(held=held, last=last)]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (code, "")
