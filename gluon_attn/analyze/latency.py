"""How long a network takes for an image."""

import statistics
import time

import mxnet as mx
import numpy as np


def latency(predict, input_shape, batch=64, repeats=10):
    """Milliseconds an image: the median of `repeats` passes of `batch` images, after two to warm up.

    predict: a Gluon block (hybridize it first; it gets normal noise, N,C,H,W float32, on its own device) or a function
    of such a NumPy array. input_shape: of one image.
    """
    images = np.random.default_rng(0).standard_normal((batch, *input_shape), np.float32)
    if isinstance(predict, mx.gluon.Block):
        device = next(iter(predict.collect_params().values())).list_ctx()[0]
        images, net = mx.nd.array(images, ctx=device), predict
        predict = lambda x: net(x).wait_to_read()  # noqa: E731 - MXNet runs behind the caller's back until asked
    for _ in range(2):
        predict(images)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        predict(images)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000 / batch
