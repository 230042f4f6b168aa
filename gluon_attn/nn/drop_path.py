"""Paths that are left out at random."""

from mxnet.gluon import HybridBlock


class DropPath(HybridBlock):
    """In training, zeros for a random part of the images and x / (1 - rate) for the others; x in evaluation.

    rate: the part (default 0). N,C,H,W -> N,C,H,W. Larsson et al. 2017, https://arxiv.org/abs/1605.07648
    """

    def __init__(self, rate=0.0):
        super().__init__()
        self.rate = rate

    def hybrid_forward(self, F, x):
        return F.Dropout(x, p=self.rate, axes=(1, 2, 3)) if self.rate else F.identity(x)


def set_drop_path(net, rate, kind=DropPath):
    """Give every `DropPath`, or block of another `kind` with a rate, in a network this one.

    A hybridized network is traced anew at its next pass.
    """
    found = []
    net.apply(lambda block: found.append(block) if isinstance(block, kind) and block.rate != rate else None)
    for block in found:
        block.rate = rate
    if found:
        _forget(net)


def holds(net, kind):
    """Whether a block of this kind is in a network."""
    return isinstance(net, kind) or any(holds(child, kind) for child in net._children.values())


def _forget(block):
    """Drop the traced graphs of a block and of all inside."""
    block._clear_cached_op()
    for child in block._children.values():
        _forget(child)
