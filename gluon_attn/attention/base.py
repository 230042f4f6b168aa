"""What every attention module is, and the list of them."""

import math

import mxnet as mx
from mxnet.gluon import HybridBlock

from ..registry import Registry
from ..utils.checks import positive
from ..utils.errors import UserError

ATTENTIONS = Registry("attention")


class Attention(HybridBlock):
    """A block that takes N,C,H,W and returns the same shape and dtype.

    Subclasses are made as `Name(channels, *, option=...)`, register themselves in `ATTENTIONS` and say in
    `slot` where a plan puts them unless told otherwise: `post`, `act`, `conv` or `stage`. A `conv` module may have
    the option `stride`; behind one without it a plan pools where the convolution would have had a stride.
    """

    slot = "post"
    #: whether one module serves all blocks of a stage unless a plan says otherwise
    shared = False
    #: a `stage` module that belongs between two stages, not behind the last
    between = False
    #: a `conv` module that ends in a norm and an activation, so that the backbone adds neither
    normed = False
    #: how many arrays it carries from block to block: `begin_state(F, x)` makes them, `forward(x, *state)` returns
    #: (y, *state); without a state it begins one for itself and returns y alone
    states = 0

    def __init__(self, channels):
        super().__init__()
        self._channels = positive("channels", channels)

    def __repr__(self):
        count = sum(p.data().size for p in self.collect_params().values() if p._data is not None)
        return f"{type(self).__name__}({self._channels}{f', {count} weights' if count else ''})"


class OneMapSize:
    """What an attention inherits from, first, that takes maps of one size: `_map`, None for any; `_why` says why."""

    _map = None
    _why = "the weights belong to positions of the map"

    def forward(self, x, *args):
        if self._map and isinstance(x, mx.nd.NDArray) and x.shape[2:] != self._map:
            made, got = ("x".join(map(str, size)) for size in (self._map, x.shape[2:]))
            raise UserError(f"{self._why}: made for maps of {made} (spatial), got {got}")
        return super().forward(x, *args)


def map_size(spatial):
    """(height, width) of `spatial`, a height or a pair; None of None."""
    if spatial is None:
        return None
    pair = spatial if isinstance(spatial, tuple | list) else (spatial, spatial)
    if len(pair) != 2:
        raise UserError(f"spatial must be a height, or height and width, got {spatial!r}")
    return tuple(positive("spatial", side) for side in pair)


def head_count(name, heads, channels, usual):
    """`heads` if it divides the channels; of None the greatest number that divides `usual` and the channels."""
    if heads is None:
        return math.gcd(usual, channels)
    if channels % positive("heads", heads):
        raise UserError(f"{name} needs heads of one size: heads={heads} does not divide {channels} channels")
    return heads
