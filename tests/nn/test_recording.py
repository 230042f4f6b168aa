import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn
from networks import network

from gluon_attn.nn import fast
from gluon_attn.nn.recording import recording


class Gated(mx.gluon.HybridBlock):
    """One gate: the sigmoid of the mean of each channel."""

    def hybrid_forward(self, F, x):
        return fast.channel_gate(F, x, fast.sigmoid(F, fast.global_avg(F, x)))


def images(count=2, size=32):
    return mx.nd.random.normal(shape=(count, 3, size, size))


def passes(net, *batches):
    gates = []
    with recording(net, gates.append):
        outputs = [net(batch) for batch in batches]
    return outputs, gates


def test_paths_are_those_of_parameters():
    net, _ = network(attention="se")
    _, gates = passes(net, images())
    assert len(gates) == 9
    params = net._collect_params_with_prefix()
    for gate in gates:
        assert ".".join(gate.path) + ".mlp.0.weight" in params
        found = net
        for name in gate.path:
            found = found._children[name]
        assert found is gate.module
        assert gate.images == 2
    assert len({gate.path for gate in gates}) == 9


@pytest.mark.parametrize("attention", ["se", "cbam", "sge", "triplet"])
def test_a_hybridized_network_runs_imperatively_and_gives_the_same(attention):
    net, _ = network(attention=attention)
    batch = images()
    hybrid = net(batch).asnumpy()
    (output,), gates = passes(net, batch)
    assert gates
    np.testing.assert_allclose(output.asnumpy(), hybrid, rtol=1e-4, atol=1e-5)
    net.hybridize()
    assert (net(batch).asnumpy() == hybrid).all()


def test_nothing_is_recorded_outside_and_of_graphs():
    net, _ = network(attention="se")
    _, gates = passes(net, images())
    net(images())
    with recording(net, gates.append):
        net(mx.sym.var("data"))
    assert len(gates) == 9
    assert not any(block._forward_hooks or block._forward_pre_hooks for block in (net, gates[0].module))


def test_an_error_ends_the_recording():
    net, _ = network(attention="se")
    gates = []
    with pytest.raises(RuntimeError, match="stop"), recording(net, gates.append):
        raise RuntimeError("stop")
    net(images())
    assert gates == []
    _, gates = passes(net, images())
    assert len(gates) == 9


def test_each_pass_begins_anew():
    net, _ = network(attention="cbam")
    _, gates = passes(net, images(2), images(3))
    first, second = gates[:18], gates[18:]
    assert [(gate.path, gate.number) for gate in first] == [(gate.path, gate.number) for gate in second]
    assert [gate.number for gate in first] == [0, 1] * 9
    assert {gate.images for gate in first} == {2}
    assert {gate.images for gate in second} == {3}


def test_a_shared_module_has_the_path_of_each_block_that_uses_it():
    net, _ = network(attention="dia")  # one module per stage
    _, gates = passes(net, images())
    assert len({gate.module for gate in gates}) == 3
    assert len({gate.path for gate in gates}) == 9


def test_blocks_that_others_call_are_found_below():
    class Outer(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.row = nn.HybridSequential()
            self.row.add(Gated(), Gated())
            self.hidden = [Gated()]  # no child: its gates are the caller's

        def hybrid_forward(self, F, x):
            return self.hidden[0](self.row[1](x))

    gates = []
    with recording(Outer(), gates.append):
        Outer()(images())  # another network
    assert gates == []
    _, gates = passes(Outer(), images())
    assert [gate.path for gate in gates] == [("row", "1"), ()]
