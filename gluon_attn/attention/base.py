"""The contract of attention modules, their registry, and checks that several share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import mxnet as mx
from mxnet.gluon import HybridBlock, Parameter

from ..nn.tracing import Tensor
from ..registry import Registry
from ..utils.checks import positive
from ..utils.errors import UserError

#: name -> class
ATTENTIONS: Registry[type["Attention"]] = Registry("attention", extended=True)
#: height of a feature map, or (height, width)
Size: TypeAlias = int | Sequence[int]


@dataclass(frozen=True)
class ConstantStart:
    """Weights with which an attention multiplies every input by one number: y = factor * x.

    Attributes:
        factor: that number; 1: the attention begins as the identity.
        zero: parameters, and layers, whose weights, biases, scales and shifts are 0 then. Others are as initialized.
    """

    factor: float
    zero: tuple[HybridBlock | Parameter, ...] = ()

    def apply(self) -> None:
        """Set the parameters, which are initialized, to 0."""
        for part in self.zero:
            for param in [part] if isinstance(part, Parameter) else weights_of(part):
                param.set_data(mx.nd.zeros(param.shape))


def weights_of(layer: HybridBlock) -> list[Parameter]:
    """Weight, bias, scale and shift of a layer, as far as it has them."""
    names = ("weight", "bias", "gamma", "beta")
    return [layer._reg_params[name] for name in names if layer._reg_params.get(name) is not None]


class Attention(HybridBlock):
    """A block that takes a feature map and returns one of the same shape and dtype, (N,C,H,W) -> (N,C,H,W).

    Subclasses are made as `Name(channels, *, option=...)`, register themselves in `ATTENTIONS` and implement
    `hybrid_forward(F, x)`. Options are keywords with defaults; a wrong value is a `UserError`. A `conv` module may have
    the option `stride`; after one without it a plan pools where the convolution would have had a stride. One with the
    option `spatial` gets the height of its feature map from a plan.

    Args:
        channels: C.

    Attributes:
        slot: the slot that a plan takes by default: `post` (end of the residual branch), `act` (instead
            of the activation), `conv` (instead of the 3x3 convolution) or `stage` (after a stage).
        shared: one module serves all blocks of a stage unless a plan says otherwise.
        between: a `stage` module that belongs between two stages, not after the last.
        normed: a `conv` module that ends in a norm and an activation, so that the backbone adds neither.
        states: number of arrays that the module carries from block to block. With states, `forward(x, *state)` returns
            (y, *state), and `forward(x)` begins with `begin_state` and returns y alone.

    Raises:
        UserError: if channels is not a whole number above 0.
    """

    slot: str = "post"
    shared: bool = False
    between: bool = False
    normed: bool = False
    states: int = 0

    def __init__(self, channels: int) -> None:
        super().__init__()
        self._channels = positive("channels", channels)

    def begin_state(self, F: Any, x: Tensor) -> tuple[Tensor, ...]:
        """The state before the first block, for a module with `states`.

        Args:
            F: `mx.nd` or `mx.sym`.
            x: input of the first block, (N,C,H,W).

        Returns:
            As many arrays as `states` says.
        """
        raise NotImplementedError(f"{type(self).__name__} has {self.states} states")

    def constant_start(self) -> ConstantStart | None:
        """The weights with which it multiplies every input by one number, and from which it still learns.

        With option attention_start identity it starts with them. A network whose attention has such a start computes at
        first what it computes without it, see `models/identity_start.py`.

        Returns:
            None if no weights do that, which is the default.
        """
        return None

    def __repr__(self) -> str:
        count = sum(p.data().size for p in self.collect_params().values() if p._data is not None)
        return f"{type(self).__name__}({self._channels}{f', {count} weights' if count else ''})"


class OneMapSize:
    """Mixin, first among the bases, of attentions that take feature maps of one size only.

    Subclasses set `_map` to (height, width), or leave it None to take any; `_why` is the reason in the error message.
    """

    _map: tuple[int, int] | None = None
    _why: str = "the weights belong to positions of the feature map"

    def forward(self, x: Tensor, *args: Tensor) -> Any:
        """Apply the attention, after a check of the size.

        Args:
            x: (N,C,H,W).
            args: further inputs, such as the state that a module carries from block to block.

        Returns:
            What the attention gives, see `Attention`.

        Raises:
            UserError: if x is an array of another height or width.
        """
        if self._map and isinstance(x, mx.nd.NDArray) and x.shape[2:] != self._map:
            made, got = ("x".join(map(str, size)) for size in (self._map, x.shape[2:]))
            raise UserError(f"{self._why}: made for maps of {made} (spatial), got {got}")
        return super().forward(x, *args)  # type: ignore[misc]


def map_size(spatial: Size | None) -> tuple[int, int] | None:
    """The size that an option `spatial` names.

    Args:
        spatial: height, (height, width), or None.

    Returns:
        (height, width), None for None.

    Raises:
        UserError: for anything else.
    """
    if spatial is None:
        return None
    pair = spatial if isinstance(spatial, tuple | list) else (spatial, spatial)
    if len(pair) != 2:
        raise UserError(f"spatial must be a height, or height and width, got {spatial!r}")
    height, width = (positive("spatial", side) for side in pair)
    return height, width


def head_count(name: str, heads: int | None, channels: int, usual: int) -> int:
    """The number of heads that an option `heads` names.

    Args:
        name: of the attention, for the error message.
        heads: a divisor of the channels, or None.
        channels: C.
        usual: the paper's number.

    Returns:
        `heads`; for None the greatest number that divides `usual` and the channels.

    Raises:
        UserError: if `heads` does not divide the channels.
    """
    if heads is None:
        return math.gcd(usual, channels)
    if channels % positive("heads", heads):
        raise UserError(f"{name} needs heads of one size: heads={heads} does not divide {channels} channels")
    return heads
