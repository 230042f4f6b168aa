"""Meters and evaluation against NumPy."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.engine.classification import evaluate
from gluon_attn.engine.metrics import ClassificationMeter, TimedBatches


def test_meter_averages_over_images_not_batches():
    rng = np.random.RandomState(0)
    meter, losses, hits, top5 = ClassificationMeter(), [], [], []
    for n in (5, 3):
        loss, logits, labels = rng.rand(n), rng.randn(n, 8), rng.randint(0, 8, n)
        meter.add([mx.nd.array(loss)], [(mx.nd.array(logits), mx.nd.array(labels))])
        losses.extend(loss)
        hits.extend(logits.argmax(1) == labels)
        top5.extend(label in row.argsort()[-5:] for row, label in zip(logits, labels, strict=True))
    result = meter.result()
    assert result["loss"] == pytest.approx(np.mean(losses), rel=1e-6)
    assert result["accuracy"] == pytest.approx(np.mean(hits))
    assert result["top5"] == pytest.approx(np.mean(top5))
    assert (meter.batches, meter.images) == (2, 8)


def test_soft_labels_count_by_their_largest_share():
    meter = ClassificationMeter()
    logits = mx.nd.array([[2.0, 1.0], [0.0, 1.0]])
    meter.add([mx.nd.zeros(2)], [(logits, mx.nd.array([[0.9, 0.1], [0.6, 0.4]]))])
    assert meter.result() == {"loss": 0.0, "accuracy": 0.5}


def test_nan_shows_once_read():
    meter = ClassificationMeter()
    meter.add([mx.nd.array([float("nan")])], [(mx.nd.zeros((1, 2)), mx.nd.zeros(1))])
    assert meter.finite
    meter.flush()
    assert not meter.finite


def test_evaluate_splits_over_devices_and_keeps_the_last_batch():
    images, labels = mx.nd.random.normal(shape=(7, 4)), mx.nd.array([0, 1, 2, 3, 0, 1, 2])

    class Batches:
        def epoch(self, number):
            yield images[:4], labels[:4]
            yield images[4:], labels[4:]

    result = evaluate(lambda x: x, Batches(), [mx.cpu(0), mx.cpu(1)])
    expected = (images.asnumpy().argmax(1) == labels.asnumpy()).mean()
    assert result["accuracy"] == pytest.approx(expected)
    log_p = mx.nd.log_softmax(images).asnumpy()
    assert result["loss"] == pytest.approx(-log_p[np.arange(7), labels.asnumpy().astype(int)].mean(), rel=1e-6)


def test_sums_over_processes_come_before_division():
    meters = []
    for losses, logits in (([1.0, 2.0, 3.0], [[1, 0], [1, 0], [1, 0]]), ([5.0], [[0, 1]])):
        meters.append(ClassificationMeter())
        meters[-1].add([mx.nd.array(losses)], [(mx.nd.array(logits), mx.nd.zeros(len(losses)))])
    sums = []
    for meter in meters:
        meter.result(lambda numbers: sums.append(numbers) or numbers)
    assert len(sums[0]) == len(sums[1])
    together = meters[0].result(lambda numbers: np.sum(sums, axis=0).tolist())
    assert together == {"loss": 11 / 4, "accuracy": 3 / 4}


def test_only_waiting_for_the_next_batch_is_timed(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("gluon_attn.engine.metrics.perf_counter", lambda: clock[0])

    def batches():
        for number in range(3):
            clock[0] += 2
            yield number
        clock[0] += 5  # until it is known that there is no other

    timed = TimedBatches(batches())
    for _ in timed:
        clock[0] += 100
    assert timed.seconds == 3 * 2 + 5
