"""DARTS's architecture step: gradients of the validation loss by the architecture parameters.

Liu et al. 2019, https://arxiv.org/abs/1806.09055. With first order the weights w are taken as they are; with second
order they are replaced by the unrolled weights w' of one virtual training step (equation 6),

    w' = w - eta grad_w L_train(w, alpha),
    grad_alpha L_val(w', alpha) - eta grad^2_{alpha,w} L_train(w, alpha) grad_{w'} L_val(w', alpha),

and the matrix-vector product at the end is a finite difference (equation 8). The network itself takes the virtual step
and is restored afterwards; there is no second network.
"""

from collections.abc import Callable, Mapping
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, Parameter

from ...engine import arrays
from ...nn import kernels
from ...utils.checks import choice

EPSILON = 0.01  # of the finite difference, divided by the norm of the vector, as in DARTS
_MIN_NORM = 1e-12
Batch = tuple[mx.nd.NDArray, mx.nd.NDArray]
Gradients = dict[str, mx.nd.NDArray]


@mx.optimizer.register
class ArchAdam(mx.optimizer.Adam):
    """Adam that adds epsilon after the bias correction, as the paper and PyTorch do; MXNet adds it before.

    Args:
        epsilon: added to the bias-corrected root of the second moment.
        options: of `mx.optimizer.Adam`.
    """

    def __init__(self, epsilon: float = 1e-8, **options: Any) -> None:
        super().__init__(**options)
        self._corrected_epsilon = epsilon

    def update(self, index: int, weight: mx.nd.NDArray, grad: mx.nd.NDArray, state: Any) -> None:
        """Updates one parameter; arguments as of `mx.optimizer.Optimizer.update`.

        Args:
            index: number of the parameter.
            weight: the parameter, changed in place.
            grad: its gradient.
            state: from `create_state`.
        """
        step = self._index_update_count.get(index, self.begin_num_update) + 1
        self.epsilon = self._corrected_epsilon * (1 - self.beta2**step) ** 0.5
        super().update(index, weight, grad, state)


def arch_adam(lr: float = 3e-4, wd: float = 1e-3) -> ArchAdam:
    """The optimizer of the architecture parameters in DARTS: Adam with betas 0.5 and 0.999.

    Args:
        lr: learning rate (default 3e-4).
        wd: weight decay (default 1e-3).
    """
    return ArchAdam(learning_rate=lr, wd=wd, beta1=0.5, beta2=0.999)


def momentum_buffers(trainer: mx.gluon.Trainer) -> dict[Parameter, mx.nd.NDArray]:
    """The momentum buffers of the SGD of a trainer.

    Args:
        trainer: a Gluon trainer with MXNet's SGD, on one device.

    Returns:
        Parameter -> buffer, which is minus the learning rate times PyTorch's; empty before the first step.
    """
    states = trainer._updaters[0].states
    return {param: states[i] for i, param in enumerate(trainer._params) if isinstance(states.get(i), mx.nd.NDArray)}


class Architect:
    """Computes the gradients of the architecture parameters of a search network on one device.

    Args:
        net: a supernet with `arch_parameters()`.
        loss: function (logits, labels) -> losses.
        momentum: of the weights' SGD.
        weight_decay: of the weights' SGD.
        variant: "paper" (default): the virtual step moves the weights, with their momentum; "reference": as
            Att-DARTS's code it moves the architecture parameters, too, and leaves the momentum out.
        forward: runs forward passes of `net`, such as a `Trainer`'s (default: `net` itself).

    Attributes:
        arch: name -> architecture parameter.
        details: intermediate results of the last `second_order`: "unrolled": architecture parameters after the virtual
            step, "implicit": the finite difference, both name -> array; "vector": norm of grad_{w'} L_val.

    Raises:
        UserError: for an unknown variant.
    """

    arch: dict[str, Parameter]
    details: dict[str, Any]

    def __init__(
        self,
        net: HybridBlock,
        loss: Callable,
        *,
        momentum: float = 0.9,
        weight_decay: float = 3e-4,
        variant: str = "paper",
        forward: Callable[[mx.nd.NDArray], mx.nd.NDArray] | None = None,
    ) -> None:
        self._forward, self._loss, self._momentum, self._weight_decay = forward or net, loss, momentum, weight_decay
        self._reference = choice("variant", variant, ("paper", "reference")) == "reference"
        self.arch = net.arch_parameters()
        arch_ids = set(map(id, self.arch.values()))
        params = net.collect_params().values()
        weights = [param for param in params if id(param) not in arch_ids and param.grad_req != "null"]
        self._unrolled = weights + (list(self.arch.values()) if self._reference else [])
        self._running_statistics = [param for param in params if param.grad_req == "null"]
        self.details = {}
        self._buffers: dict[str, list[mx.nd.NDArray]] = {}

    def first_order(self, images: mx.nd.NDArray, labels: mx.nd.NDArray) -> Gradients:
        """Name -> gradient of the mean loss of a validation batch.

        Args:
            images: (N,3,H,W).
            labels: (N,).
        """
        self.backward(images, labels)
        return self._arch_gradients()

    def second_order(
        self, train: Batch, valid: Batch, eta: float, momenta: Mapping[Parameter, mx.nd.NDArray] | None = None
    ) -> Gradients:
        """Name -> gradient of the validation loss at the unrolled weights.

        The weights are restored; the running statistics have seen the training images three times.

        Args:
            train, valid: (images, labels).
            eta: learning rate of the virtual step.
            momenta: momentum buffers of the weights, see `momentum_buffers` (default: none).
        """
        self.backward(*train)
        mx.nd.waitall()  # MXNet writes running statistics after the backward pass
        weights = [param.data() for param in self._unrolled]
        statistics = [param.data() for param in self._running_statistics]
        old_weights, old_statistics = self._copy("weights", weights), self._copy("statistics", statistics)
        self._virtual_step(eta, momenta or {})
        self.details = {"unrolled": {n: p.data().copy() for n, p in self.arch.items()}}
        self.backward(*valid)
        gradients, vector = self._arch_gradients(), self._copy("vector", [param.grad() for param in self._unrolled])
        mx.nd.waitall()
        arrays.put(statistics, old_statistics)
        implicit = self._finite_difference(train, old_weights, vector)
        self.details["implicit"] = implicit
        return {name: gradient - eta * implicit[name] for name, gradient in gradients.items()}

    def backward(self, images: mx.nd.NDArray, labels: mx.nd.NDArray) -> mx.nd.NDArray:
        """Forward and backward pass of a batch, which leaves gradients in all parameters.

        Args:
            images: (N,3,H,W).
            labels: (N,).

        Returns:
            The mean loss, one number.
        """
        with mx.autograd.record():
            loss = self._loss(self._forward(images), labels).mean()
        loss.backward()
        return loss

    def _copy(self, name: str, values: list[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        """Copies arrays into the buffers of that name, which are reused: allocating thousands of arrays is slow."""
        if name in self._buffers:
            arrays.put(self._buffers[name], values)
        else:
            self._buffers[name] = arrays.copies(values)
        return self._buffers[name]

    def _arch_gradients(self) -> Gradients:
        return {name: param.grad().copy() for name, param in self.arch.items()}

    def _virtual_step(self, eta: float, momenta: Mapping[Parameter, mx.nd.NDArray]) -> None:
        """w' = w - eta (grad_w + weight_decay w) + momentum * buffer."""
        params = self._unrolled
        arrays.add([p.data() for p in params], [p.grad() for p in params], -eta, self._weight_decay)
        with_momentum = [] if self._reference else [param for param in params if param in momenta]
        arrays.add([p.data() for p in with_momentum], [momenta[p] for p in with_momentum], self._momentum)

    def _finite_difference(
        self, train: Batch, old_weights: list[mx.nd.NDArray], vector: list[mx.nd.NDArray]
    ) -> Gradients:
        """Name -> (grad_alpha L_train(w + r v) - grad_alpha L_train(w - r v)) / 2r with r = EPSILON / |v|."""
        self.details["vector"] = arrays.norm(vector)
        radius = EPSILON / max(self.details["vector"], _MIN_NORM)
        weights, sides = [param.data() for param in self._unrolled], []
        with kernels.inputs_only():  # the weights' gradients are not needed
            for sign in (1, -1):
                arrays.put(weights, old_weights)
                arrays.add(weights, vector, sign * radius)
                self.backward(*train)
                sides.append(self._arch_gradients())
        arrays.put(weights, old_weights)
        return {name: (sides[0][name] - sides[1][name]) / (2 * radius) for name in self.arch}


def set_gradients(params: Mapping[str, Parameter], gradients: Mapping[str, mx.nd.NDArray]) -> None:
    """Writes `gradients`, {name: array}, into the gradient arrays of `params`, {name: `Parameter`}, on one device."""
    for name, gradient in gradients.items():
        params[name].grad()[:] = gradient
