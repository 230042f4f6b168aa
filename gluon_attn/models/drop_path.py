"""Stochastic depth in the residual blocks of a whole network."""

from mxnet.gluon import HybridBlock

from ..nn.layers import DropBranch
from ..utils.checks import rate as check_rate
from ..utils.errors import UserError
from .slots import Residual, blocks_within


def with_drop_path(net: HybridBlock, rate: float) -> HybridBlock:
    """Let the residual blocks of a network drop their branch for some images in training, in place.

    The probability rises in proportion to the depth: of n blocks, block i (from 0) has rate * i / (n - 1), in
    MobileNetV2 and its like rate * i / n. Huang et al. 2016, https://arxiv.org/abs/1603.09382; as `drop_path_rate` of
    timm.

    Args:
        net: the network.
        rate: the largest probability; 0: nothing changes.

    Returns:
        `net`.

    Raises:
        UserError: the rate is no probability below 1, or there is nothing to drop.
    """
    if not check_rate("drop_path", rate):
        return net
    blocks = list(blocks_within(net, Residual))
    if not any(block.added for block in blocks):
        raise UserError("drop_path: the network has no residual block to drop; leave it out")
    last = len(blocks) - blocks[-1].drop_path_to_last
    for number, block in enumerate(blocks):
        if number and block.added:
            block.drop_path = DropBranch(rate * number / last)
    return net
