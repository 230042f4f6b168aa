"""DropBlock in the residual blocks of a whole network."""

from collections.abc import Iterator

from mxnet.gluon import HybridBlock

from ..nn.drop_block import DropBlock
from ..utils.checks import rate as check_rate
from ..utils.errors import UserError
from .resnet.torch_blocks import TorchBlock
from .resnet.torch_resnet import TorchResNet
from .slots import blocks_within

#: the first stage with it, as in the paper and in GluonCV
FIRST = 3


def with_drop_block(net: HybridBlock, rate: float) -> HybridBlock:
    """Drop squares of 3x3 pixels in the blocks of the third and later stages of a ResNet, in place.

    It follows every norm, and what a plan has in place of a convolution with its norm, as in GluonCV's ResNeSt.

    Args:
        net: a `TorchResNet`, or a network with one inside.
        rate: probability of a value to be dropped; 0: nothing changes.

    Returns:
        `net`.

    Raises:
        UserError: the rate is no probability below 1, or the network is another.
    """
    if not check_rate("dropblock_prob", rate):
        return net
    blocks = [block for part in blocks_within(net, TorchResNet) for block in _late_blocks(part)]
    if not blocks:
        raise UserError(
            "dropblock_prob is for ResNets with PyTorch's parameter names, such as resnet50_v1b: leave it out"
        )
    for block in blocks:
        block.append_after_norms("drop_block", lambda: DropBlock(rate))
    return net


def _late_blocks(net: TorchResNet) -> Iterator[TorchBlock]:
    for number in range(FIRST, len(net.blocks) + 1):
        yield from blocks_within(getattr(net, f"layer{number}"), TorchBlock)
