"""Networks of searched cells: DARTS, Att-DARTS and what else a genotype says.

Liu et al. 2019, https://arxiv.org/abs/1806.09055; Att-DARTS, https://github.com/chomin/Att-DARTS.
"""

from functools import partial

from mxnet import autograd
from mxnet.gluon import HybridBlock, nn

from ..genotypes.cell import cell_genotype
from ..nn.layers import GlobalAvgPool, set_drop_path
from ..utils.checks import positive, rate, switch
from ..utils.errors import UserError
from .base import MODELS, Model
from .cell import Cell
from .resnet.blocks import shrunk


class AuxiliaryHead(HybridBlock):
    """A classifier beside the last third of the cells, for training: N,C,H,W -> N,classes. H at least 5 + stride.

    stride: of the pooling in front. norm: the second convolution has one.
    """

    def __init__(self, channels, classes, size, *, stride, norm):
        super().__init__()
        if size < 5 + stride:
            raise UserError(f"the auxiliary head needs maps of at least {5 + stride} pixels, here they have {size}")
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

    def hybrid_forward(self, F, x):
        return self.classifier(self.flat(self.pool(self.features(x))))


class CellNetwork(HybridBlock):
    """A stem, cells of which those at one and two thirds halve the maps and double the channels, pooling, dense layer.

    N,3,H,W -> N,classes logits; in training with an auxiliary head also its logits: (logits, auxiliary logits).

    classes: number of outputs. large: a stem for photographs, three convolutions of stride 2, in place of one of
    stride 1. genotype: a published name ("DARTS_V2", "Att_DARTS" ...), plain data or a JSON file. channels: of the
    nodes in the first cells. layers: how many cells. auxiliary: the auxiliary head (default False; its weight in the
    loss is 0.4 in the papers). drop_path: share of the paths that training drops, for `set_drop_path` to change
    (default 0; the papers raise it to 0.2 or 0.3 over the epochs). input_size: H, told to modules that need it.
    """

    reference_key = "cell_network"

    def __init__(self, classes, large, *, genotype, channels, layers, auxiliary, drop_path, input_size):
        super().__init__()
        genotype, layers = cell_genotype(genotype), positive("layers", layers)
        self._thirds = layers // 3, 2 * layers // 3
        width, size = positive("channels", channels), positive("input_size", input_size)
        with self.name_scope():
            size, before, last = self._stem(width, size, large)
            halved = large
            self.cells, self.auxiliary_head = nn.HybridSequential(prefix=""), None
            for i in range(layers):
                reduction = i in self._thirds
                width, size = (2 * width, shrunk(size, 2)) if reduction else (width, size)
                edges = genotype.reduce if reduction else genotype.normal
                self.cells.add(Cell(edges, before, last, width, size, reduction=reduction, halve=halved))
                halved, before, last = reduction, last, self.cells[i].channels
                if i == self._thirds[1] and switch("auxiliary", auxiliary):
                    self.auxiliary_head = AuxiliaryHead(last, classes, size, stride=2 if large else 3, norm=not large)
            self.pool, self.flat = GlobalAvgPool(), nn.Flatten()
            self.classifier = nn.Dense(classes, in_units=last)
        set_drop_path(self, rate("drop_path", drop_path))
        self.resolved = {"genotype": genotype.to_dict()}

    def _stem(self, width, size, large):
        """(size of the maps behind it, channels of the two inputs of the first cell)."""
        if not large:
            self.stem0, self.stem1 = nn.HybridSequential(prefix=""), None
            self.stem0.add(*_convolution(3, 3 * width, 1))
            return size, 3 * width, 3 * width
        self.stem0, self.stem1 = nn.HybridSequential(prefix=""), nn.HybridSequential(prefix="")
        relu = partial(nn.Activation, "relu")
        self.stem0.add(*_convolution(3, width // 2, 2), relu(), *_convolution(width // 2, width, 2))
        self.stem1.add(relu(), *_convolution(width, width, 2))
        return shrunk(size, 8), width, width

    def forward(self, x, *args):
        outs = super().forward(x, *args)
        return outs if self.auxiliary_head is None or autograd.is_training() else outs[0]

    def hybrid_forward(self, F, x):
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


def _build(
    large, plan, classes, *, genotype="DARTS_V2", channels, layers, auxiliary=False, drop_path=0.0, input_size
):  # fmt: skip
    return CellNetwork(
        classes, large, genotype=genotype, channels=channels, layers=layers, auxiliary=auxiliary, drop_path=drop_path,
        input_size=input_size,
    )  # fmt: skip


#: defaults of the published networks
_cifar = partial(_build, False, channels=36, layers=20, input_size=32)
_imagenet = partial(_build, True, channels=48, layers=14, input_size=224)


def _register(name, build, input_size, classes, **options):
    build = partial(build, **options)
    MODELS.register(name)(Model(build, input_size, stages=3, classes=classes, own_plan=True))


_register("darts_cifar", _cifar, 32, 10)
_register("darts_v2_cifar", _cifar, 32, 10)
_register("att_darts_cifar", _cifar, 32, 10, genotype="Att_DARTS")
_register("darts_imagenet", _imagenet, 224, 1000)
_register("att_darts_imagenet", _imagenet, 224, 1000, genotype="Att_DARTS")
