"""What a backbone needs of a plan: the slots of a block, the residual block and the stage."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..nn.channel_attention import rounded_channels
from ..nn.layers import get_activation
from ..utils.errors import UserError
from .plan import Plan


def strided_size(size: int, stride: int) -> int:
    """Height of a feature map of height `size` after a convolution with a stride and "same" padding."""
    return -(-size // stride)


def scaled_channels(multiplier: float, rounding: str, channels: int) -> int:
    """A number of channels times a width multiplier.

    Args:
        multiplier: the factor.
        rounding: as of `nn.channel_attention.rounded_channels`.
        channels: the number.

    Raises:
        UserError: nothing is left.
    """
    scaled = rounded_channels(channels * multiplier, rounding)
    if scaled < 1:
        raise UserError(f"multiplier {multiplier} leaves none of {channels} channels; give a larger one")
    return scaled


def blocks_within(block: HybridBlock, kind: type) -> Iterator[Any]:
    """The blocks of class `kind` that a block is or contains, in order of depth, none inside another."""
    if isinstance(block, kind):
        yield block
        return
    for child in block._children.values():
        yield from blocks_within(child, kind)


class BlockSlots:
    """The slots of one block: asks the plan for the module in each.

    The methods make modules; `channels` is the number of channels and `spatial` the height of a module's input.

    Args:
        plan: a bound `Plan`.
        stage: number of the stage, from 1.
        block: index of the block in its stage, from 0; None in the head.
        spatial: height of the block's input.
        drop_rate: dropout probability after the activation of `act(drop=True)`; 0 for no dropout.
    """

    def __init__(self, plan: Plan, stage: int, block: int | None, spatial: int, drop_rate: float = 0.0):
        self.plan, self.stage, self.block, self.spatial = plan, stage, block, spatial
        self.drop_rate = drop_rate

    def post(self, channels: int, spatial: int) -> HybridBlock | None:
        """The module at the end of the residual branch, or None."""
        return self.plan.make("post", self.stage, self.block, channels, spatial)

    def inner(self, channels: int, spatial: int, block_channels: int | None = None) -> HybridBlock | None:
        """The module before the block's last convolution, or None.

        Args:
            channels, spatial: of the module's input.
            block_channels: of the block's input; None: the network does not say.
        """
        return self.plan.make("inner", self.stage, self.block, channels, spatial, block_channels=block_channels)

    def conv(
        self,
        channels: int,
        spatial: int,
        stride: int,
        default: Callable[[], HybridBlock],
        in_channels: int | None = None,
    ) -> HybridBlock:
        """The module in place of the 3x3 convolution that keeps the number of channels.

        Args:
            channels: of the output.
            spatial: height of the input.
            stride: of the convolution.
            default: makes the convolution if the plan has no module here.
            in_channels: of the input, if they are others (SENet-154; default None: `channels`).
        """
        return self.plan.make("conv", self.stage, self.block, channels, spatial, stride, in_channels) or default()

    def conv1(
        self, channels: int, in_channels: int, spatial: int, stride: int, default: Callable[[], HybridBlock]
    ) -> HybridBlock:
        """The module in place of the block's first 3x3 convolution.

        Args:
            channels: of the output.
            in_channels: of the input.
            spatial: height of the input.
            stride: of the convolution.
            default: makes the convolution if the plan has no module here.
        """
        made = self.plan.make("conv1", self.stage, self.block, channels, spatial, stride, in_channels)
        return made or default()

    def act(self, channels: int, spatial: int, drop: bool = False, default: str = "relu") -> HybridBlock:
        """The activation.

        Args:
            channels: of the input.
            spatial: height of the input.
            drop: dropout of `drop_rate` follows (default False).
            default: name of the activation if the plan has none here (default "relu").
        """
        module = self.plan.make("act", self.stage, self.block, channels, spatial) or get_activation(default)
        if not (drop and self.drop_rate):
            return module
        both = nn.HybridSequential(prefix="")
        both.add(module, nn.Dropout(self.drop_rate))
        return both


class Residual(HybridBlock):
    """A residual block whose branch ends in `post`, an attention or None.

    An attention may carry a state from block to block. Then `block(x, *state)` gives (y, *state), and the state is
    empty in the first block of a stage.

    Attributes:
        body: the residual branch without `post`.
        downsample: the shortcut; None if it is the identity.
        post: the attention at the end of the branch, or None.
        last: the activation after the addition; None for ReLU.
        drop_path: what drops the branch of some images in training, or None; `drop_path.with_drop_path` sets it.
        added: whether the input or the shortcut is added to the branch.
        drop_path_to_last: the last block of a network drops with the whole rate, as in timm's ResNets; False: the rate
            would be reached one block after it, as in their mobile networks.
    """

    reference_key = "residual"

    body: Any
    post: HybridBlock | None = None
    downsample: HybridBlock | None = None
    last: HybridBlock | None = None
    drop_path: HybridBlock | None = None
    added = True
    drop_path_to_last = True
    _connected = True

    @contextlib.contextmanager
    def disconnected(self) -> Iterator[None]:
        """A context in which the block skips its `post`."""
        self._connected = False
        try:
            yield
        finally:
            self._connected = True

    @property
    def states(self) -> int:
        """Number of arrays that it carries to the next block."""
        return getattr(self.post, "states", 0) if self._connected else 0

    def attend(self, F: Any, x: Any, state: tuple) -> tuple[Any, tuple]:
        """Apply `post`, then `drop_path`.

        Args:
            F: `mx.nd` or `mx.sym`.
            x: output of the branch, (N,C,H,W).
            state: of the block before; empty for the first one of a stage.

        Returns:
            The new x, and the new state, which is empty if `post` carries none.
        """
        new: Any = ()
        if self.states:
            x, *new = self.post(x, *(state or self.post.begin_state(F, x)))  # type: ignore[misc, union-attr]
        elif self.post and self._connected:
            x = self.post(x)
        return self.drop_path(x) if self.drop_path else x, tuple(new)

    def hybrid_forward(self, F: Any, x: Any, *state: Any) -> Any:
        """Branch, addition, activation: N,C,H,W -> N,channels,H/stride,W/stride."""
        residual = self.downsample(x) if self.downsample else x
        x, new = self.attend(F, self.body(x), state)
        x = self.last(residual + x) if self.last else F.Activation(residual + x, act_type="relu")
        return (x, *new) if new else x


class Stage(nn.HybridSequential):
    """Blocks one after the other; passes the state of one block to the next block that carries one."""

    reference_key = "stage"

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """N,C,H,W -> the output of the last block, without its state."""
        state: list = []
        for block in self._children.values():
            if getattr(block, "states", 0) and isinstance(block, Residual):
                x, *state = block(x, *state)
            else:
                x = block(x)
        return x
