"""Parameter files: the form that MXNet writes, and what a damaged number in it does."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn.params import read_params
from gluon_attn.nn.params_format import is_whole
from gluon_attn.utils.errors import UserError

ARRAYS = {
    "a.weight": np.arange(24, dtype="float32").reshape(2, 3, 4),
    "b": np.ones(5, "float64"),
    "c": np.ones((2, 2), "int8"),
    "d": np.ones((1, 1), "float16"),
}


@pytest.fixture
def path(tmp_path):
    mx.nd.save(str(tmp_path / "a.params"), {name: mx.nd.array(v, dtype=v.dtype) for name, v in ARRAYS.items()})
    return tmp_path / "a.params"


def test_what_mxnet_writes(path, tmp_path):
    assert is_whole(path)
    for number, value in enumerate(([mx.nd.ones(3)], {"a": mx.nd.sparse.row_sparse_array(np.eye(3))}, mx.nd.zeros(1))):
        mx.nd.save(str(tmp_path / str(number)), value)
        assert is_whole(tmp_path / str(number))


def test_forms_of_older_versions(path):
    """Whose tensors begin with another number, without a kind of storage, or with the number of axes."""
    whole = path.read_bytes()
    new, old = (0xF993FAC9).to_bytes(4, "little") + bytes(4), (0xF993FAC8).to_bytes(4, "little")
    assert whole.count(new) == len(ARRAYS)
    path.write_bytes(whole.replace(new, old))
    assert is_whole(path)
    for name, value in read_params(path).items():
        np.testing.assert_array_equal(value.asnumpy(), ARRAYS[name])
    path.write_bytes(path.read_bytes()[:-1])
    assert not is_whole(path)


def test_every_bit_of_the_form_counts(path):
    """Each flip is noticed, or leaves names or numbers that are visibly others; none takes memory."""
    whole = path.read_bytes()
    noticed = 0
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1 << (at % 8)
        path.write_bytes(changed)
        try:
            found = read_params(path)
        except UserError as error:
            noticed += "is damaged or not a parameter file" in str(error)
            continue
        assert len(found) == len(ARRAYS)
        for value, (name, wanted) in zip(found.values(), ARRAYS.items(), strict=True):
            assert (value.shape, value.dtype) == (wanted.shape, wanted.dtype), name
    assert noticed > 100


@pytest.mark.parametrize("length", [0, 1, 8, 23, 24, 30, 60, -1, -20])
def test_a_file_that_is_cut(path, length):
    path.write_bytes(path.read_bytes()[:length])
    assert not is_whole(path)


def test_a_count_that_would_take_all_memory(path):
    whole = path.read_bytes()
    for at, value in ((16, 2**60), (16, 2**30), (16, 5), (len(whole) - 1, 7)):
        path.write_bytes(whole[:at] + value.to_bytes(8, "little") + whole[at + 8 :])
        with pytest.raises(UserError, match="is damaged or not a parameter file"):
            read_params(path)
