"""Networks of searched cells, built from a genotype: DARTS, Att-DARTS and others.

Liu et al. 2019, https://arxiv.org/abs/1806.09055; Att-DARTS, https://github.com/chomin/Att-DARTS.
"""

from functools import partial
from typing import Any

import mxnet as mx
from mxnet import autograd
from mxnet.gluon import HybridBlock, nn

from ..genotypes.cell import cell_genotype
from ..nn.layers import GlobalAvgPool, set_drop_path
from ..utils.checks import positive, rate, switch
from ..utils.errors import UserError
from .cell import Cell
from .plan import Plan
from .slots import strided_size


class AuxiliaryHead(HybridBlock):
    """A second classifier for training, on the cells at two thirds of the depth: N,C,H,W -> N,classes logits.

    Args:
        channels: C.
        classes: number of outputs.
        size: H, at least 5 + stride.
        stride: stride of the average pooling before the convolutions.
        norm: a norm follows the second convolution.
    """

    def __init__(self, channels: int, classes: int, size: int, *, stride: int, norm: bool):
        super().__init__()
        self._smallest = 5 + stride
        self.check_size(size)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            self.features.add(
                nn.Activation("relu"),
                nn.AvgPool2D(5, stride, count_include_pad=False),
                nn.Conv2D(128, 1, use_bias=False, in_channels=channels),
                nn.BatchNorm(in_channels=128),
                nn.Activation("relu"),
                nn.Conv2D(768, 2, use_bias=False, in_channels=128),
            )
            if norm:
                self.features.add(nn.BatchNorm(in_channels=768))
            self.features.add(nn.Activation("relu"))
            self.pool, self.flat = GlobalAvgPool(), nn.Flatten()
            self.classifier = nn.Dense(classes, in_units=768)

    def check_size(self, size: int) -> None:
        """Raise a `UserError` where feature maps of this height or width are too small."""
        if size < self._smallest:
            raise UserError(
                f"the auxiliary head needs feature maps of at least {self._smallest} pixels, here they have {size}"
            )

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """N,C,H,W -> N,classes."""
        return self.classifier(self.flat(self.pool(self.features(x))))


class CellNetwork(HybridBlock):
    """A stem, cells, pooling and a dense layer. The cells at one and two thirds are reduction cells.

    N,3,H,W -> N,classes logits; in training with an auxiliary head (logits, auxiliary logits).

    Args:
        classes: number of outputs.
        large: for ImageNet: a stem of three convolutions of stride 2. False: one convolution of stride 1.
        genotype: a published name ("DARTS_V2", "Att_DARTS" ...), plain data, `Genotype(...)` as text, or a
            file that holds one.
        channels: channels of the nodes in the first cells; each reduction cell doubles them.
        layers: number of cells.
        auxiliary: with the auxiliary head. Its weight in the loss is 0.4 in the papers.
        drop_path: probability that a path is dropped in training; `set_drop_path` changes it. The papers raise it to
            0.2 or 0.3 over the epochs.
        input_size: H, for modules that need it.

    Attributes:
        resolved: options with the values that files stand for; `get_model` puts them into the recipe.

    Raises:
        UserError: an option is wrong, or `input_size` is too small for the auxiliary head.
    """

    reference_key = "cell_network"

    def __init__(
        self,
        classes: int,
        large: bool,
        *,
        genotype: Any,
        channels: int,
        layers: int,
        auxiliary: bool,
        drop_path: float,
        input_size: int,
    ):
        super().__init__()
        cells, layers = cell_genotype(genotype), positive("layers", layers)
        self._thirds = layers // 3, 2 * layers // 3
        width, size = positive("channels", channels), positive("input_size", input_size)
        with self.name_scope():
            size, before, last = self._stem(width, size, large)
            halved = large
            self.cells, self.auxiliary_head = nn.HybridSequential(prefix=""), None
            for i in range(layers):
                reduction = i in self._thirds
                width, size = (2 * width, strided_size(size, 2)) if reduction else (width, size)
                edges = cells.reduce if reduction else cells.normal
                self.cells.add(Cell(edges, before, last, width, size, reduction=reduction, halve=halved))
                halved, before, last = reduction, last, self.cells[i].channels
                if i == self._thirds[1] and switch("auxiliary", auxiliary):
                    self.auxiliary_head = AuxiliaryHead(last, classes, size, stride=2 if large else 3, norm=not large)
                    self._auxiliary_stride = (8 if large else 1) * 2 ** len(set(self._thirds))
            self.pool, self.flat = GlobalAvgPool(), nn.Flatten()
            self.classifier = nn.Dense(classes, in_units=last)
        set_drop_path(self, rate("drop_path", drop_path))
        self.resolved = {"genotype": cells.to_dict()}

    def _stem(self, width, size, large):
        """(height after the stem, channels of the two inputs of the first cell)."""
        if not large:
            self.stem0, self.stem1 = nn.HybridSequential(prefix=""), None
            self.stem0.add(*_convolution(3, 3 * width, 1))
            return size, 3 * width, 3 * width
        self.stem0, self.stem1 = nn.HybridSequential(prefix=""), nn.HybridSequential(prefix="")
        relu = partial(nn.Activation, "relu")
        self.stem0.add(*_convolution(3, width // 2, 2), relu(), *_convolution(width // 2, width, 2))
        self.stem1.add(relu(), *_convolution(width, width, 2))
        return strided_size(size, 8), width, width

    def forward(self, x: Any, *args: Any) -> Any:
        """Logits of the images x (N,3,H,W); in training with an auxiliary head also the auxiliary logits.

        Args:
            x: the images.
            args: none; part of Gluon's signature.

        Raises:
            UserError: the images are too small for the auxiliary head.
        """
        if self.auxiliary_head is not None and isinstance(x, mx.nd.NDArray):
            self.auxiliary_head.check_size(strided_size(min(x.shape[2:]), self._auxiliary_stride))
        outs = super().forward(x, *args)
        return outs if self.auxiliary_head is None or autograd.is_training() else outs[0]

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """N,3,H,W -> N,classes, and once more if there is an auxiliary head."""
        before = self.stem0(x)
        last, auxiliary = self.stem1(before) if self.stem1 else before, None
        for i, cell in enumerate(self.cells):
            before, last = last, cell(before, last)
            if self.auxiliary_head is not None and i == self._thirds[1]:
                auxiliary = self.auxiliary_head(last)
        y = self.classifier(self.flat(self.pool(last)))
        return y if auxiliary is None else (y, auxiliary)


def _convolution(in_channels, channels, stride):
    """A 3x3 convolution and its norm."""
    convolution = nn.Conv2D(channels, 3, stride, 1, use_bias=False, in_channels=in_channels)
    return convolution, nn.BatchNorm(in_channels=channels)


def build(
    large: bool,
    plan: Plan,
    classes: int,
    *,
    genotype: Any = "DARTS_V2",
    channels: int,
    layers: int,
    auxiliary: bool = False,
    drop_path: float = 0.0,
    input_size: int,
) -> CellNetwork:
    """The builder of the registered models.

    Args:
        plan: not used; part of every builder's signature.
        large, classes, genotype, channels, layers, auxiliary, drop_path, input_size: as of `CellNetwork`.

    Raises:
        UserError: as `CellNetwork`.
    """
    return CellNetwork(
        classes, large, genotype=genotype, channels=channels, layers=layers, auxiliary=auxiliary, drop_path=drop_path,
        input_size=input_size,
    )  # fmt: skip
