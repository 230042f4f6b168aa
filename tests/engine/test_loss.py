"""The loss against its formula in NumPy, with class indices and with soft labels."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_attn.config.distill import DistillConfig
from gluon_attn.config.train import TrainConfig
from gluon_attn.engine.loss import ClassificationLoss

CLASSES = 5


def log_softmax(x):
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def expected(logits, weights, teacher=None, temperature=1.0, hard=1.0):
    value = -(weights * log_softmax(logits)).sum(axis=1)
    if teacher is None:
        return value
    soft = np.exp(log_softmax(teacher / temperature))
    distilled = -(soft * log_softmax(logits / temperature)).sum(axis=1)
    return hard * value + (1 - hard) * temperature**2 * distilled


def values(rng, soft):
    """(logits, label as it comes, its weights of the classes)."""
    logits, numbers = rng.normal(size=(4, CLASSES)), np.array([0, 3, 1, 1])
    weights = rng.dirichlet(np.ones(CLASSES), 4) if soft else np.eye(CLASSES)[numbers]
    return logits, weights if soft else numbers, weights


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("hard", [0.0, 0.3])
def test_distillation(soft, hard):
    rng = np.random.default_rng(0)
    logits, label, weights = values(rng, soft)
    taught = 9 * rng.normal(size=(4, CLASSES))
    loss = ClassificationLoss(distill=DistillConfig(teacher="a", temperature=4, hard_weight=hard))
    found = loss(mx.nd.array(logits), mx.nd.array(label), loss.soft_targets(mx.nd.array(taught)))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.asnumpy(), expected(logits, weights, taught, 4, hard), rtol=1e-5)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("total", [False, True])
@pytest.mark.parametrize("threshold", [None, 0.2])
def test_binary_cross_entropy(soft, total, threshold):
    logits, label, weights = values(np.random.default_rng(0), soft)
    train = TrainConfig(bce_loss=True, bce_sum=total, bce_target_threshold=threshold)
    found = ClassificationLoss(train=train)(mx.nd.array(9 * logits), mx.nd.array(label))
    target = weights if threshold is None else weights > threshold
    p = 1 / (1 + np.exp(-9 * logits))
    losses = -(target * np.log(p) + (1 - target) * np.log(1 - p))
    np.testing.assert_allclose(found.asnumpy(), losses.sum(axis=1) / (1 if total else CLASSES), rtol=1e-4)


@pytest.mark.parametrize("soft", [False, True])
def test_without_a_teacher(soft):
    logits, label, weights = values(np.random.default_rng(0), soft)
    found = ClassificationLoss()(mx.nd.array(logits), mx.nd.array(label))
    np.testing.assert_allclose(found.asnumpy(), expected(logits, weights), rtol=1e-5)


def test_the_gradient_hardly_depends_on_the_temperature():
    """That is what T**2 is for: at high T it tends to (z - teacher) / classes, both centred."""
    rng = np.random.default_rng(0)
    logits, taught = rng.normal(size=(2, 4, CLASSES))
    loss = ClassificationLoss(distill=DistillConfig(teacher="a", temperature=1000, hard_weight=0))
    targets, output = loss.soft_targets(mx.nd.array(taught)), mx.nd.array(logits)
    output.attach_grad()
    with autograd.record():
        value = loss(output, mx.nd.zeros(4), targets)
    value.backward()
    centred = (logits - logits.mean(1, keepdims=True)) - (taught - taught.mean(1, keepdims=True))
    np.testing.assert_allclose(output.grad.asnumpy(), centred / CLASSES, rtol=0.05, atol=2e-3)
