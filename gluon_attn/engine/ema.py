"""Exponential moving average (EMA) of the weights."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping

import mxnet as mx
from mxnet.gluon import HybridBlock

from . import arrays


def running_statistics(net: HybridBlock, frozen: Collection[str], ema: "WeightEMA | None") -> list[mx.nd.NDArray]:
    """The running means and variances of a network, also those in an EMA, without the `frozen` ones.

    Each process has seen other images; the mean over the processes is evaluated and saved.

    Args:
        net: the network.
        frozen: structural names of parameters that are not trained.
        ema: the EMA of its weights, or None.
    """
    params = net._collect_params_with_prefix()
    names = [name for name in params if name.endswith(("running_mean", "running_var")) and name not in frozen]
    averaged = [ema.values[name] for name in names if name in ema.values] if ema else []
    return [params[name].list_data()[0] for name in names] + averaged


#: warm-up -> number of an update, from 0 -> the largest decay there
_BOUNDS: dict[str, Callable[[int], float]] = {
    "short": lambda n: n / (n + 9), "power": lambda n: 1 - (n + 1) ** (-2 / 3), "none": lambda n: 1.0,
}  # fmt: skip


class WeightEMA:
    """Exponential moving average of a network's weights and running statistics, in float32.

    value = d * value + (1 - d) * weight after each update, d = min(decay, n / (n + 9)) at update n (from 0), so that a
    short run is not held back by its first weights; or with another warm-up.

    Args:
        net: the network.
        decay: the largest d, such as 0.999.
        warmup: what bounds d: "short" (default), "power" 1 - (n + 1) ** (-2/3), timm's, or "none".

    Attributes:
        values: structural name -> averaged array.
        updates: n.
    """

    def __init__(self, net: HybridBlock, decay: float, warmup: str = "short"):
        self._params = net._collect_params_with_prefix()
        self._decay, self._bound = decay, _BOUNDS[warmup]
        self.values: dict[str, mx.nd.NDArray] = {}
        self.updates = 0

    def update(self) -> None:
        """Take in the weights as they are now."""
        mx.nd.waitall()  # a backward pass writes running statistics without MXNet's engine knowing
        decay = min(self._decay, self._bound(self.updates))
        weights = {name: param.list_data()[0].astype("float32", copy=False) for name, param in self._params.items()}
        known = [name for name in weights if name in self.values]
        arrays.add([self.values[name] for name in known], [weights[name] for name in known], 1 - decay, decay=-1.0)
        new = [name for name in weights if name not in self.values]
        self.values.update(zip(new, arrays.copies([weights[name] for name in new]), strict=True))
        self.updates += 1

    def load(self, values: Mapping[str, mx.nd.NDArray], updates: int) -> None:
        """Resume from saved values, on any device, and their number of updates."""
        devices = {name: param.list_ctx()[0] for name, param in self._params.items()}
        self.values = {name: value.as_in_context(devices[name]) for name, value in values.items()}
        self.updates = updates

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """A context in which the network has the averaged weights; after it, its own again."""
        own = {name: [data.copy() for data in param.list_data()] for name, param in self._params.items()}
        for name, value in self.values.items():
            self._params[name].set_data(value.astype(self._params[name].dtype))
        try:
            yield
        finally:
            for name, copies in own.items():
                for data, copy in zip(self._params[name].list_data(), copies, strict=True):
                    data[:] = copy
