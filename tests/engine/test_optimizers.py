"""Optimizers of our own against their formulas."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.engine.optimizers import AdamW, RMSPropTF


def run(optimizer, dtype="float32"):
    """(weights after each of four steps, the gradients, the first weight); gradients are sums of 4 images."""
    random = np.random.default_rng(0)
    first = random.normal(size=(4, 3)).astype(dtype)
    weight, after, grads = mx.nd.array(first, dtype=dtype), [], []
    state = optimizer.create_state_multi_precision(0, weight)
    for _ in range(4):
        grad = mx.nd.array(random.normal(size=(4, 3)), dtype=dtype)
        grads.append(grad.asnumpy().astype(np.float64) / 4)
        optimizer.update_multi_precision(0, weight, grad, state)
        after.append(weight.asnumpy())
    return after, grads, first.astype(np.float64)


COMMON = {"learning_rate": 0.1, "wd": 0.3, "rescale_grad": 0.25, "multi_precision": True}


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_rmsprop_of_tensorflow(momentum, dtype):
    after, grads, w = run(RMSPropTF(momentum=momentum, decay=0.8, epsilon=0.01, **COMMON), dtype)
    n, delta = np.ones((4, 3)), np.zeros((4, 3))
    for found, grad in zip(after, grads, strict=True):
        g = grad + 0.3 * w
        n = 0.8 * n + 0.2 * g**2
        delta = momentum * delta + 0.1 * g / np.sqrt(n + 0.01)
        w = w - delta
        np.testing.assert_allclose(
            found, w, rtol=1e-5 if dtype == "float32" else 1e-2, atol=1e-3 * (dtype != "float32")
        )


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_adam_with_decoupled_decay(dtype):
    after, grads, w = run(AdamW(epsilon=0.01, **COMMON), dtype)
    m, v = np.zeros((4, 3)), np.zeros((4, 3))
    for t, (found, g) in enumerate(zip(after, grads, strict=True), 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = (1 - 0.1 * 0.3) * w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 0.01)
        np.testing.assert_allclose(
            found, w, rtol=1e-4 if dtype == "float32" else 1e-2, atol=1e-3 * (dtype != "float32")
        )
