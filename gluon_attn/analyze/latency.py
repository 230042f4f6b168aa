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


def interleaved_latency(
    nets: Sequence[mx.gluon.Block], input_shape: Sequence[int], batch: int = 1, rounds: int = 30, seconds: float = 10
) -> tuple[list[float], list[float]]:
    """Milliseconds per image of several networks, whose passes take turns, so that a busy machine slows all alike.

    Args:
        nets: Gluon blocks on the CPU, hybridized.
        input_shape: Shape of one image.
        batch: Images per pass.
        rounds: Least passes of each network, after two to warm up.
        seconds: As long as this is not over there are more, up to ten times as many.

    Returns:
        (median of each network, median of each network's time over that of the first in the same round).
    """
    images = mx.nd.array(np.random.default_rng(0).standard_normal((batch, *input_shape), np.float32))
    passes = [lambda turn, net=net: net(images).wait_to_read() for net in nets]
    times, ratios = in_turns(passes, rounds, seconds)
    return [time / batch for time in times], ratios


def in_turns(
    passes: Sequence[Callable[[int], object]], rounds: int = 30, seconds: float = 10
) -> tuple[list[float], list[float]]:
    """Milliseconds of several functions that are called in turns, so that a busy machine slows all alike.

    Args:
        passes: called with the number of the round, from 0.
        rounds, seconds: as of `interleaved_latency`.

    Returns:
        (median of each, median of each one's time over that of the first in the same round).
    """
    times: list[list[float]] = []
    begin = time.perf_counter()
    while len(times) < 2 + rounds or (len(times) < 2 + 10 * rounds and time.perf_counter() - begin < seconds):
        times.append([_seconds(one, len(times)) for one in passes])
    kept = np.array(times[2:])
    return list(np.median(kept, 0) * 1000), list(np.median(kept / kept[:, :1], 0))


def _seconds(one: Callable[[int], object], turn: int) -> float:
    start = time.perf_counter()
    one(turn)
    return time.perf_counter() - start
