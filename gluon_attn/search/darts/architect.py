"""What moves the mixing weights: the gradient of the validation loss, of first or of second order.

Liu et al. 2019, https://arxiv.org/abs/1806.09055: the weights are taken one virtual training step further, and how
that step depends on the mixing weights is found by finite differences. The network itself makes the step and goes
back, so no second one is built.
"""

import mxnet as mx

from ...engine import arrays
from ...nn import kernels
from ...utils.checks import choice

EPSILON = 0.01  # length of the finite difference, DARTS's
_FLOOR = 1e-12  # of the vector's norm


@mx.optimizer.register
class ArchAdam(mx.optimizer.Adam):
    """Adam that adds epsilon after the correction of the bias, as the paper and PyTorch; MXNet adds it before."""

    def __init__(self, epsilon=1e-8, **options):
        super().__init__(**options)
        self._exact = epsilon

    def update(self, index, weight, grad, state):
        step = self._index_update_count.get(index, self.begin_num_update) + 1
        self.epsilon = self._exact * (1 - self.beta2**step) ** 0.5
        super().update(index, weight, grad, state)


def arch_adam(lr=3e-4, wd=1e-3):
    """The references' Adam for mixing weights."""
    return ArchAdam(learning_rate=lr, wd=wd, beta1=0.5, beta2=0.999)


def momenta_of(trainer):
    """Parameter -> the momentum that MXNet's SGD holds for it (minus learning rate times the usual one), where any."""
    states = trainer._updaters[0].states
    return {param: states[i] for i, param in enumerate(trainer._params) if isinstance(states.get(i), mx.nd.NDArray)}


class Architect:
    """Gradients of the mixing weights of a search network on one device.

    net: a supernet with `arch_parameters()`. loss: logits, labels -> losses. momentum, weight_decay: of the optimizer
    of the other weights. variant: "paper" (default), whose virtual step moves the weights with their momentum;
    "reference", Att-DARTS's code: it moves the mixing weights too, and the momentum is lost there.
    """

    def __init__(self, net, loss, *, momentum=0.9, weight_decay=3e-4, variant="paper"):
        self.net, self._loss, self._momentum, self._decay = net, loss, momentum, weight_decay
        self._reference = choice("variant", variant, ("paper", "reference")) == "reference"
        self.arch = net.arch_parameters()
        mixing = set(map(id, self.arch.values()))
        params = net.collect_params().values()
        weights = [param for param in params if id(param) not in mixing and param.grad_req != "null"]
        self._moved = weights + (list(self.arch.values()) if self._reference else [])
        self._statistics = [param for param in params if param.grad_req == "null"]
        self.details, self._kept = {}, {}

    def first_order(self, images, labels):
        """Name -> gradient of the loss on validation images."""
        self.backward(images, labels)
        return self._arch_gradients()

    def second_order(self, train, valid, eta, momenta=None):
        """Name -> gradient of the validation loss after a virtual step of learning rate `eta`.

        train, valid: (images, labels). momenta: as `momenta_of` gives them. Weights are as before afterwards;
        running statistics have seen the training images three times. `details` holds what the step went through.
        """
        self.backward(*train)
        mx.nd.waitall()  # running statistics are written behind the backward pass
        moved, statistics = ([param.data() for param in params] for params in (self._moved, self._statistics))
        before, seen = self._copied("before", moved), self._copied("seen", statistics)
        self._virtual_step(eta, momenta or {})
        self.details = {"unrolled": {n: p.data().copy() for n, p in self.arch.items()}}
        self.backward(*valid)
        gradients, vector = self._arch_gradients(), self._copied("vector", [param.grad() for param in self._moved])
        mx.nd.waitall()
        arrays.put(statistics, seen)
        implicit = self._implicit(train, before, vector)
        self.details["implicit"] = implicit
        return {name: gradient - eta * implicit[name] for name, gradient in gradients.items()}

    def backward(self, images, labels):
        """The mean loss of a batch, whose gradients all parameters then hold."""
        with mx.autograd.record():
            loss = self._loss(self.net(images), labels).mean()
        loss.backward()
        return loss

    def _copied(self, name, values):
        """Copies of arrays in the place that this name had before: making thousands of arrays takes long."""
        if name in self._kept:
            arrays.put(self._kept[name], values)
        else:
            self._kept[name] = arrays.copies(values)
        return self._kept[name]

    def _arch_gradients(self):
        return {name: param.grad().copy() for name, param in self.arch.items()}

    def _virtual_step(self, eta, momenta):
        arrays.add([p.data() for p in self._moved], [p.grad() for p in self._moved], -eta, self._decay)
        pushed = [] if self._reference else [param for param in self._moved if param in momenta]
        arrays.add([p.data() for p in pushed], [momenta[p] for p in pushed], self._momentum)

    def _implicit(self, train, before, vector):
        """Name -> derivative of the mixing weights' gradient along `vector`."""
        self.details["vector"] = arrays.norm(vector)
        radius = EPSILON / max(self.details["vector"], _FLOOR)
        weights, sides = [param.data() for param in self._moved], []
        with kernels.inputs_only():  # only the mixing weights' gradients count
            for sign in (1, -1):
                arrays.put(weights, before)
                arrays.add(weights, vector, sign * radius)
                self.backward(*train)
                sides.append(self._arch_gradients())
        arrays.put(weights, before)
        return {name: (sides[0][name] - sides[1][name]) / (2 * radius) for name in self.arch}


def set_gradients(params, gradients):
    """Hand gradients, name -> array, to the `Parameter`s of those names."""
    for name, gradient in gradients.items():
        params[name].grad()[:] = gradient
