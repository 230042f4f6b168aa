"""Averages of weights over the steps of a run."""

import contextlib

import mxnet as mx

from . import arrays


def statistics(net, frozen, average):
    """Arrays of all running statistics but the `frozen` ones, also those in an `average`, or None.

    Each process has seen other images; the mean of theirs is tested and saved.
    """
    params = net._collect_params_with_prefix()
    names = [name for name in params if name.endswith(("running_mean", "running_var")) and name not in frozen]
    means = [average.means[name] for name in names if name in average.means] if average else []
    return [params[name].list_data()[0] for name in names] + means


class WeightAverage:
    """Exponential moving average of a network's weights and running statistics, in float32.

    mean = d * mean + (1 - d) * weight after each update, d = min(decay, n / (n + 9)) at update n (from 0), so that a
    short run is not held back by the weights that it started from. `means` goes by structural name, `updates` is n.
    """

    def __init__(self, net, decay):
        self._params = net._collect_params_with_prefix()
        self._decay = decay
        self.means, self.updates = {}, 0

    def update(self):
        """Take in the weights as they are now."""
        mx.nd.waitall()  # the engine does not know that a backward pass writes running statistics
        decay = min(self._decay, self.updates / (self.updates + 9))
        weights = {name: param.list_data()[0].astype("float32", copy=False) for name, param in self._params.items()}
        known = [name for name in weights if name in self.means]
        arrays.add([self.means[name] for name in known], [weights[name] for name in known], 1 - decay, decay=-1.0)
        new = [name for name in weights if name not in self.means]
        self.means.update(zip(new, arrays.copies([weights[name] for name in new]), strict=True))
        self.updates += 1

    def load(self, means, updates):
        """Go on from saved means, on whatever device they are, and their number of updates."""
        devices = {name: param.list_ctx()[0] for name, param in self._params.items()}
        self.means = {name: mean.as_in_context(devices[name]) for name, mean in means.items()}
        self.updates = updates

    @contextlib.contextmanager
    def applied(self):
        """The network has the averaged weights inside this context, its own after it."""
        own = {name: [data.copy() for data in param.list_data()] for name, param in self._params.items()}
        for name, mean in self.means.items():
            self._params[name].set_data(mean.astype(self._params[name].dtype))
        try:
            yield
        finally:
            for name, copies in own.items():
                for data, copy in zip(self._params[name].list_data(), copies, strict=True):
                    data[:] = copy
