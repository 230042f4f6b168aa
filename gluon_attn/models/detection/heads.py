"""The heads of the second stage: class and box of each roi, and its mask.

He et al. 2017, https://arxiv.org/abs/1703.06870.
"""

from collections.abc import Sequence
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, nn

from ...nn.float32_stats import InFloat32
from ...nn.roi_align import roi_align, roi_align_by_level
from .pyramid import STRIDES, convolution

_SCALES = [1 / stride for stride in STRIDES[:-1]]  # rois come from P2 to P5


class _RoiHead(InFloat32, HybridBlock):
    """What both heads share: rois are pooled from the pyramid, in float32 whatever the dtype of the layers.

    Args:
        size: height and width of a pooled roi.
        sampling, aligned: as of `nn.roi_align.roi_align`.
    """

    #: names of what a head takes, all in float32: float16 has not all pixels of a large image
    inputs = ("p2", "p3", "p4", "p5", "rois", "levels")

    def __init__(self, size: int, sampling: int, aligned: bool) -> None:
        super().__init__()
        self._size, self._sampling, self._aligned = (size, size), sampling, aligned

    def pool(self, F: Any, inputs: Sequence[Any]) -> Any:
        """Pooled rois (N,C,size,size).

        Args:
            F: `mx.nd` or `mx.sym`.
            inputs: P2 to P5, then rois (N,5) and levels (N,), counted from P2, which is 0; or, in an exported graph,
                rois of each level and order, as of `nn.roi_align.roi_align_by_level`.
        """
        count = len(_SCALES)
        maps, rois, last = inputs[:count], inputs[count:-1], inputs[-1]
        pooling = self._size, _SCALES, self._sampling, self._aligned
        if len(rois) == 1:
            pooled = roi_align(F, maps, rois[0], last, *pooling)
        else:
            pooled = roi_align_by_level(F, maps, rois, last, *pooling)
        return self.narrow(F, pooled)


def convolutions(channels: int, widths: Sequence[int], norm: str) -> tuple[HybridBlock, int]:
    """(3x3 convolutions with activations on maps of some channels, channels after them), see `pyramid.convolution`."""
    block = nn.HybridSequential()
    for width in widths:
        block.add(convolution(width, 3, channels, norm, mx.init.MSRAPrelu("out", 0), "relu"))
        channels = width
    return block, channels


class BoxHead(_RoiHead):
    """Pooling, two dense layers, then class and box: He et al. 2017, figure 4; or convolutions and one dense layer.

    The latter is Wu & He 2018, https://arxiv.org/abs/1803.08494, section 4.2: it trains with norms from random weights.

    Args:
        channels: of the pyramid.
        width: of the dense layers.
        widths: channels of each 3x3 convolution.
        classes: without the background, which is output 0.
        sampling, aligned: as of `nn.roi_align.roi_align`.
        norm: after each 3x3 convolution, see `pyramid.convolution`.
    """

    SIZE = 7

    def __init__(
        self, channels: int, width: int, widths: Sequence[int], classes: int, sampling: int, aligned: bool, norm: str
    ) -> None:
        super().__init__(self.SIZE, sampling, aligned)
        with self.name_scope():
            init = mx.init.Xavier(factor_type="in", magnitude=1)
            self.convs, last = convolutions(channels, widths, norm)
            self.fc6 = nn.Dense(width, in_units=last * self.SIZE**2, weight_initializer=init)
            self.fc7 = None if widths else nn.Dense(width, in_units=width, weight_initializer=init)
            self.cls_score = nn.Dense(classes + 1, in_units=width, weight_initializer=mx.init.Normal(0.01))
            self.bbox_pred = nn.Dense(4 * (classes + 1), in_units=width, weight_initializer=mx.init.Normal(0.001))

    def hybrid_forward(self, F: Any, *inputs: Any) -> tuple:
        """Inputs as of `pool` -> logits (N,classes+1), deltas (N,classes+1,4)."""
        x = F.relu(self.fc6(self.convs(self.pool(F, inputs))))
        if self.fc7 is not None:
            x = F.relu(self.fc7(x))
        return self.cls_score(x), F.reshape(self.bbox_pred(x), shape=(0, -1, 4))


class MaskHead(_RoiHead):
    """Pooling, 3x3 convolutions, a transposed convolution, and a map for each class.

    Args:
        channels: of the pyramid.
        widths: channels of each 3x3 convolution.
        upsampled: channels of the transposed convolution.
        classes: without the background, which is map 0 and never used.
        sampling, aligned: as of `nn.roi_align.roi_align`.
        norm: after each 3x3 convolution, see `pyramid.convolution`.
    """

    SIZE = 14
    MASK = 2 * SIZE

    def __init__(
        self, channels: int, widths: Sequence[int], upsampled: int, classes: int, sampling: int, aligned: bool,
        norm: str,
    ) -> None:  # fmt: skip
        super().__init__(self.SIZE, sampling, aligned)
        with self.name_scope():
            init = mx.init.MSRAPrelu("out", 0)
            self.convs, last = convolutions(channels, widths, norm)
            self.conv5_mask = nn.Conv2DTranspose(
                upsampled, 2, 2, in_channels=last, activation="relu", weight_initializer=init
            )
            self.mask_fcn_logits = nn.Conv2D(classes + 1, 1, in_channels=upsampled, weight_initializer=init)

    def hybrid_forward(self, F: Any, *inputs: Any) -> Any:
        """Inputs as of `pool` -> logits (N,classes+1,28,28)."""
        return self.mask_fcn_logits(self.conv5_mask(self.convs(self.pool(F, inputs))))
