"""The architect on problems with known derivatives."""

import contextlib

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock
from virtual_steps import measured

from gluon_attn.nn import kernels
from gluon_attn.search.darts.architect import ArchAdam, Architect, arch_adam, momentum_buffers, set_gradients
from gluon_attn.search.darts.cell_supernet import CellSupernet
from gluon_attn.utils.errors import UserError


class Product(HybridBlock):
    """x w a for scalars, with the loss (x w a - y)^2."""

    def __init__(self):
        super().__init__()
        self.a = self.params.get("a", shape=(1,))
        self.w = self.params.get("w", shape=(1,))
        self.initialize(mx.init.One())

    def arch_parameters(self):
        return {"a": self.a}

    def hybrid_forward(self, F, x, a, w):
        return F.broadcast_mul(x, a * w)


def number(value):
    return mx.nd.array([value])


def architect(net, **options):
    return measured(Architect(net, lambda out, y: (out - y) ** 2, **{"weight_decay": 0.0, **options}))


TRAIN, VALID = (number(1.0), number(3.0)), (number(1.0), number(2.0))


def test_first_order_by_hand():
    net = Product()
    assert architect(net).first_order(*VALID)["a"].asscalar() == pytest.approx(-2)  # 2 (a w - 2) w


def test_second_order_by_hand():
    """w' = w - eta 2 (a w - 3) a; the finite difference of the loss (a w' - 2)^2 is exact, since it is quadratic."""
    net, eta = Product(), 0.1
    net.hybridize()
    got = architect(net, momentum=0.0).second_order(TRAIN, VALID, eta)["a"].asscalar()
    unrolled, gradient = 1 - eta * 2 * (1 - 3), -eta * 2 * (2 * 1 - 3)  # w', its derivative by a
    assert got == pytest.approx(2 * (unrolled - 2) * (unrolled + gradient), rel=1e-3)
    assert net.w.data().asscalar() == 1
    assert net.a.data().asscalar() == 1


def test_virtual_step_has_momentum_and_weight_decay_of_the_next_training_step():
    net, eta = Product(), 0.1
    trainer = mx.gluon.Trainer([net.w], "sgd", {"learning_rate": eta, "momentum": 0.5, "wd": 0.01}, kvstore=None)
    made = architect(net, momentum=0.5, weight_decay=0.01)
    assert momentum_buffers(trainer) == {}
    made.backward(*TRAIN)
    trainer.step(1)
    before = net.w.data().asscalar()
    made.second_order(TRAIN, VALID, eta, momentum_buffers(trainer))
    made.backward(*TRAIN)
    trainer.step(1)
    assert abs(net.w.data().asscalar() - before) == pytest.approx(made.details["move"], rel=1e-5)


def test_only_the_references_virtual_step_moves_the_architecture_parameters():
    net = Product()
    architect(net).second_order(TRAIN, VALID, 0.1)
    paper, reference = architect(net), architect(net, variant="reference")
    paper.second_order(TRAIN, VALID, 0.1)
    reference.second_order(TRAIN, VALID, 0.1)
    assert paper.details["unrolled"]["a"].asscalar() == 1
    assert reference.details["unrolled"]["a"].asscalar() == pytest.approx(1.4)
    with pytest.raises(UserError, match="variant must be paper or reference, got 'code'"):
        architect(net, variant="code")


def test_adam_is_the_papers_where_gradients_are_tiny():
    """The first step is lr g / (|g| + epsilon)."""
    net = Product()
    trainer = mx.gluon.Trainer([net.a], arch_adam(lr=0.5, wd=0.0), kvstore=None)
    made = architect(net)
    made.first_order(*VALID)
    set_gradients(net.arch_parameters(), {"a": number(1e-8)})
    trainer.update(1)
    assert net.a.data().asscalar() == pytest.approx(1 - 0.5 * 0.5, rel=1e-3)
    assert isinstance(trainer.optimizer, ArchAdam)
    assert np.isfinite(net.a.data().asscalar())


@pytest.mark.skipif(kernels.problem() is not None, reason=str(kernels.problem()))
def test_compiled_operators_change_no_gradient():
    """Second order on a cell network in float64."""
    found = []
    for compiled in (False, True):
        mx.random.seed(3)
        net = CellSupernet(4, channels=4, layers=3, input_size=8, nodes=1)
        net.initialize(mx.init.MSRAPrelu())
        net.cast("float64")
        for param in net.collect_params().values():
            param.cast("float64")
        images, labels = mx.nd.random.normal(shape=(2, 6, 3, 8, 8)).astype("float64"), mx.nd.array([0, 1, 2, 3, 0, 1])
        net.hybridize(static_alloc=True)
        with kernels.compiled_operators() if compiled else contextlib.nullcontext():
            made = Architect(net, mx.gluon.loss.SoftmaxCrossEntropyLoss())
            given = [(batch, labels.astype("float64")) for batch in images]
            found.append(made.second_order(*given, 0.1))
    for name, gradient in found[0].items():
        np.testing.assert_allclose(found[1][name].asnumpy(), gradient.asnumpy(), rtol=1e-4, atol=1e-7)
