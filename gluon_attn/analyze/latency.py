"""How long a network takes per image."""

import statistics
import time
from collections.abc import Callable, Sequence

import mxnet as mx
import numpy as np


def latency(
    predict: mx.gluon.Block | Callable[[np.ndarray], object],
    input_shape: Sequence[int],
    batch: int = 64,
    repeats: int = 10,
) -> float:
    """Milliseconds per image: the median of some passes, after two to warm up.

    Args:
        predict: A Gluon block (hybridize it first; it gets normal noise, N,C,H,W float32, on its own device), or a
            function of such a NumPy array.
        input_shape: Shape of one image.
        batch: Images per pass.
        repeats: Number of passes.
    """
    images = np.random.default_rng(0).standard_normal((batch, *input_shape), np.float32)
    if isinstance(predict, mx.gluon.Block):
        device = next(iter(predict.collect_params().values())).list_ctx()[0]
        images, net = mx.nd.array(images, ctx=device), predict
        predict = lambda x: net(x).wait_to_read()  # noqa: E731 - MXNet returns before it has computed
    for _ in range(2):
        predict(images)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        predict(images)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000 / batch
