"""What every attention module is, and the list of them."""

from numbers import Integral

from mxnet.gluon import HybridBlock

from ..registry import Registry
from ..utils.errors import UserError

ATTENTIONS = Registry("attention")


class Attention(HybridBlock):
    """A block that takes N,C,H,W and returns the same shape and dtype.

    Subclasses are made as `Name(channels, *, option=...)`, register themselves in `ATTENTIONS` and say in
    `slot` where a plan puts them unless told otherwise: `post`, `act`, `conv` or `stage`.
    """

    slot = "post"

    def __init__(self, channels):
        super().__init__()
        self._channels = positive("channels", channels)

    def __repr__(self):
        count = sum(p.data().size for p in self.collect_params().values() if p._data is not None)
        return f"{type(self).__name__}({self._channels}{f', {count} weights' if count else ''})"


def positive(name, value):
    """`value` if it is a whole number above 0, else a `UserError` that names the option."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise UserError(f"{name} must be a whole number above 0, got {value!r}")
    return int(value)


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
