"""Gradients are finite, reach the input, and are those of finite differences."""

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock

from .case import BATCHES, Case, CheckFailed

_STEP = 1e-6
#: how far a derivative may be from the difference quotient
RTOL = ATOL = 1e-5


def finite(case: Case) -> None:
    """In training; imperative and hybrid, in batches of one image and of several.

    Raises:
        CheckFailed: a gradient is not finite, or none reaches the input. Where a channel is one value, a norm's output
            does not change with it, and the gradient may be 0.
    """
    block = case.make()
    for hybrid in (False, True):
        block.hybridize(hybrid)
        for batch in BATCHES:
            x = case.image(batch)
            largest = largest_gradient(block, x)
            if not largest and x.size > x.shape[1]:
                raise CheckFailed(f"no gradient reaches the input in a batch of {batch}")


def largest_gradient(block: HybridBlock, x: mx.nd.NDArray) -> float:
    """The largest gradient of the input of a training pass.

    Args:
        block: initialized.
        x: the input.

    Raises:
        CheckFailed: a gradient, the input's or a weight's, is not finite.
    """
    x.attach_grad()
    learned = {n: p for n, p in block.collect_params().items() if p.grad_req != "null"}
    for param in learned.values():
        param.grad()[:] = np.nan  # what no gradient reaches stays so
    with mx.autograd.record():
        y = block(x)
    y.backward(mx.nd.random.normal(shape=y.shape))
    grads = {"the input": x.grad, **{n: p.grad() for n, p in learned.items()}}
    wrong = [n for n, grad in grads.items() if not np.isfinite(grad.asnumpy()).all()]
    if wrong:
        raise CheckFailed(f"no finite gradient: {', '.join(wrong)}")
    return float(np.abs(x.grad.asnumpy()).max())


def finite_difference(case: Case) -> float:
    """The derivative is the difference quotient; returns how far they are apart."""
    found, measured = directional(case.make(), case.image(2))
    if not abs(found - measured) <= max(ATOL, RTOL * abs(measured)):
        raise CheckFailed(f"the derivative is {found:.6g}, measured {measured:.6g}", abs(found - measured))
    return abs(found - measured)


def directional(block: HybridBlock, x: mx.nd.NDArray) -> tuple[float, float]:
    """A derivative along a random direction by gradients and by central differences, exact in float64.

    Args:
        block: initialized; it is cast to float64.
        x: the input.

    Returns:
        (by gradients, by differences).
    """
    block.cast("float64")
    x = x.astype("float64")
    towards = mx.nd.random.normal(shape=x.shape).astype("float64")
    weights = mx.nd.random.normal(shape=block(x).shape).astype("float64")
    x.attach_grad()

    def total(x: mx.nd.NDArray) -> mx.nd.NDArray:
        mx.random.seed(1)  # a dropout draws the same each time
        with mx.autograd.record():
            return (block(x) * weights).sum()

    def at(step: float) -> float:
        return total(x.detach() + step * towards).asscalar()

    total(x).backward()
    return float((x.grad * towards).sum().asscalar()), float((at(_STEP) - at(-_STEP)) / (2 * _STEP))
