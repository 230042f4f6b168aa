import mxnet as mx
import numpy as np

from gluon_attn.analyze import latency as module
from gluon_attn.analyze.latency import latency


def test_median_of_the_passes_after_the_warm_up(monkeypatch):
    clock = iter([0.0, 1.0, 10.0, 11.0, 20.0, 28.0])  # three passes: 1, 1 and 8 seconds
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(clock))
    shapes = []
    assert latency(lambda x: shapes.append((x.shape, x.dtype)), (3, 4, 5), batch=4, repeats=3) == 250.0
    assert shapes == [((4, 3, 4, 5), np.float32)] * 5


def test_a_gluon_network_is_timed_until_it_is_done():
    net = mx.gluon.nn.Dense(2)
    net.initialize()
    net.hybridize()
    assert latency(net, (3, 4, 4), batch=2, repeats=2) > 0
