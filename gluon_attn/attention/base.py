"""What every attention module is, and the list of them."""

import math
from numbers import Integral, Real

import mxnet as mx
from mxnet.gluon import HybridBlock

from ..registry import Registry
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


def positive(name, value):
    """`value` if it is a whole number above 0, else a `UserError` that names the option."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise UserError(f"{name} must be a whole number above 0, got {value!r}")
    return int(value)


def positives(name, values, count):
    """`values` as a tuple if it lists `count` whole numbers above 0."""
    if not isinstance(values, list | tuple) or len(values) != count:
        raise UserError(f"{name} must list {count} whole numbers, one a stage, got {values!r}")
    return tuple(positive(name, value) for value in values)


def rate(name, value):
    """`value` if it is a number from 0 to below 1, as a dropout that leaves something."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < 1:
        raise UserError(f"{name} must be from 0 to below 1, got {value!r}")
    return value


def above(name, value):
    """`value` if it is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < math.inf:
        raise UserError(f"{name} must be a number above 0, got {value!r}")
    return value


def switch(name, value):
    """`value` if it is True or False; text such as "no" would count as true."""
    if not isinstance(value, bool):
        raise UserError(f"{name} must be true or false, got {value!r}")
    return value


def odd(name, value):
    """`value` if it is an odd whole number, so that a centred window keeps the map's size."""
    if positive(name, value) % 2 == 0:
        raise UserError(f"{name} must be odd, got {value!r}")
    return value


def choice(name, value, known):
    """`value` if it is one of the texts `known`."""
    if not isinstance(value, str) or value not in known:
        raise UserError(f"{name} must be {' or '.join(known)}, got {value!r}")
    return value


def some(name, values, known):
    """`values` as a tuple if it lists some of the texts `known`, each once."""
    listed = tuple(values) if isinstance(values, tuple | list) else ()
    if not listed or not set(listed) <= set(known) or len(set(listed)) < len(listed):
        raise UserError(f"{name} must be a list of some of {', '.join(known)}, got {values!r}")
    return listed


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
