"""Which devices a run gets, with made-up GPUs."""

from types import SimpleNamespace

import mxnet as mx
import pytest

from gluon_attn.engine.devices import contexts
from gluon_attn.utils.errors import UserError


@pytest.fixture
def gpus(monkeypatch):
    def have(*numbers):
        monkeypatch.setattr("gluon_attn.runtime.usable_gpus", lambda: list(numbers))

    return have


def test_one_process_takes_all_that_were_asked_for(gpus):
    gpus(0, 1, 2)
    assert contexts(num_gpus=2) == [mx.gpu(0), mx.gpu(1)]
    assert contexts(gpus=(2, 0)) == [mx.gpu(2), mx.gpu(0)]
    assert contexts() == [mx.cpu()]
    with pytest.raises(UserError, match="usable are"):
        contexts(gpus=(3,))


def test_of_several_processes_each_takes_one(gpus):
    gpus(0, 1, 2)
    second = SimpleNamespace(size=2, local_rank=1)
    assert contexts(gpus=(2, 0), backend=second) == [mx.gpu(0)]
    assert contexts(num_gpus=3, backend=SimpleNamespace(size=1, local_rank=0)) == [mx.gpu(0), mx.gpu(1), mx.gpu(2)]
    assert contexts(backend=second) == [mx.cpu()]
    with pytest.raises(UserError, match="each process takes a GPU"):
        contexts(num_gpus=1, backend=second)


def test_no_gpu_is_one_warning(gpus, caplog):
    gpus()
    assert contexts(num_gpus=2) == [mx.cpu()]
    assert caplog.text.count("no usable GPU here") == 1
