"""Where a plan meets a backbone: one block's places, the block that has them, and the stage that strings blocks."""

import contextlib

from mxnet.gluon import HybridBlock, nn

from ..nn.layers import get_activation


class Site:
    """One block's place in the network: asks the plan for what its slots hold.

    plan: a bound `Plan`. stage: from 1. block: from 0 in the stage, None for the head. spatial: height of the
    block's input. drop_rate: of the dropout behind an activation.
    """

    def __init__(self, plan, stage, block, spatial, drop_rate=0.0):
        self.plan, self.stage, self.block, self.spatial = plan, stage, block, spatial
        self.drop_rate = drop_rate

    def post(self, channels, spatial):
        """What ends the residual branch of `channels` maps, `spatial` high, or None."""
        return self.plan.make("post", self.stage, self.block, channels, spatial)

    def conv(self, channels, spatial, stride, otherwise):
        """What stands for the 3x3 convolution of `channels` maps, `spatial` high: the plan's, or `otherwise()`."""
        return self.plan.make("conv", self.stage, self.block, channels, spatial, stride) or otherwise()

    def inner(self, channels, spatial):
        """What stands before the block's last convolution, on `channels` maps, `spatial` high, or None."""
        return self.plan.make("inner", self.stage, self.block, channels, spatial)

    def conv1(self, channels, in_channels, spatial, stride, otherwise):
        """What stands for the 3x3 convolution from `in_channels` to `channels` maps: the plan's, or `otherwise()`."""
        made = self.plan.make("conv1", self.stage, self.block, channels, spatial, stride, in_channels)
        return made or otherwise()

    def act(self, channels, spatial, drop=False, otherwise="relu"):
        """The activation of `channels` maps, `spatial` high: the plan's or `otherwise`; with `drop`, dropout behind."""
        module = self.plan.make("act", self.stage, self.block, channels, spatial) or get_activation(otherwise)
        if not (drop and self.drop_rate):
            return module
        both = nn.HybridSequential(prefix="")
        both.add(module, nn.Dropout(self.drop_rate))
        return both


class Residual(HybridBlock):
    """A block whose `post`, an attention or None, ends its residual branch and may carry a state on.

    With a carrying `post`, `block(x, *state)` gives (y, *state), the state empty in the first block of a stage. A
    subclass has `body`, its branch, `downsample`, its shortcut, or None where that is the input itself, and `last`, the
    activation after the addition, or None for ReLU.
    """

    reference_key = "residual"

    post = downsample = last = None
    _connected = True

    @contextlib.contextmanager
    def disconnected(self):
        """A context in which it goes without its `post`."""
        self._connected = False
        try:
            yield
        finally:
            self._connected = True

    @property
    def states(self):
        """How many arrays it carries."""
        return getattr(self.post, "states", 0) if self._connected else 0

    def attend(self, F, x, state):
        """(what `post` makes of the branch's `x`, the new state, empty where it carries none)."""
        if not self.states:
            return self.post(x) if self.post and self._connected else x, ()
        x, *state = self.post(x, *(state or self.post.begin_state(F, x)))
        return x, tuple(state)

    def hybrid_forward(self, F, x, *state):
        """Addition, then the activation."""
        residual = self.downsample(x) if self.downsample else x
        x, state = self.attend(F, self.body(x), state)
        x = self.last(residual + x) if self.last else F.Activation(residual + x, act_type="relu")
        return (x, *state) if state else x


class Stage(nn.HybridSequential):
    """Blocks one after the other; what a block carries goes to the next one that carries."""

    reference_key = "stage"

    def hybrid_forward(self, F, x):
        state = ()
        for block in self._children.values():
            if getattr(block, "states", 0) and isinstance(block, Residual):
                x, *state = block(x, *state)
            else:
                x = block(x)
        return x
