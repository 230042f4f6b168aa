import os
import threading
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
import pytest
from graphs import distance, inputs
from networks import network

from gluon_attn.deploy import graph_edit, precision, symbol
from gluon_attn.deploy.graph import trace


@pytest.mark.parametrize(
    ("name", "options"),
    [("cifar_resnet20_v1", {"attention": "se"}), ("darts_cifar", {"layers": 3, "channels": 4})],  # this concatenates
)
def test_bfloat16_survives_the_file(tmp_path, name, options):
    net, card = network(name, **options)
    x = inputs(card)
    expected = net(mx.nd.array(x)).asnumpy()
    path = symbol.write_symbol(precision.to_bfloat16(trace(net, card)), tmp_path / "net")
    assert "amp_cast" in path.read_text()
    assert 1e-4 < distance(symbol.read_symbol(path), x, expected) < 0.1


@pytest.mark.slow
def test_entropy_calibration():
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    x = inputs(card, 16)
    expected = net(mx.nd.array(x)).asnumpy()
    graph = graph_edit.norms_as_convolutions(graph_edit.fold_norms(trace(net, card, plain=True)))
    assert 1e-4 < distance(precision.to_int8(graph, x, "entropy"), x, expected) < 0.3


def test_threads_that_drop_messages_leave_stderr_as_it_was():
    stderr, entered, both, left = os.fstat(2), *(threading.Event() for _ in range(3))

    def first():
        with precision.quiet(), precision.quiet():
            entered.set()
            both.wait(0.2)  # in vain: the second one may not enter
        left.set()

    def second():
        entered.wait()
        with precision.quiet():
            both.set()
            left.wait()

    with ThreadPoolExecutor(2) as threads:
        for one in (threads.submit(first), threads.submit(second)):
            one.result()
    assert os.path.samestat(os.fstat(2), stderr)
