"""Planted problems: by construction only one candidate operation solves the task, and both searches find it.

One edge with that operation is enough, so the largest softmax weight of all edges counts. Both searches have seven
candidates: at random the right one is found with probability 1/7, for all three seeds with 1/343.
"""

import mxnet as mx
import pytest
from mxnet.gluon import HybridBlock, nn

from gluon_attn.config.search import AnasConfig, AttDartsConfig
from gluon_attn.nn.layers import GlobalAvgPool
from gluon_attn.search.darts.attention_supernet import MixedAttention
from gluon_attn.search.darts.cell_supernet import arch_parameter
from gluon_attn.search.darts.derive import softmax, strongest_op
from gluon_attn.search.darts.methods import METHODS
from gluon_attn.search.darts.space import attention_space
from gluon_attn.search.darts.trainer import SearchTrainer
from gluon_attn.utils.seed import seed_all

from .planted_images import Batches, correlated, paired

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))]
#: seed, epochs: the cell search is the slower one, and seed 2 the quickest
CELL_SEARCHES = [(2, 8), *(pytest.param(seed, 15, marks=pytest.mark.slow) for seed in (1, 2, 3))]
CELL_OPERATIONS = ("none", "skip_connect", "avg_pool_3x3", "relu_conv_bn_1x1", "dil_conv_3x3")
CELL_ATTENTIONS = ("se", "eca", "simam")
ATTENTION_OPERATIONS = (
    "none", "skip_connect", "relu_conv_bn_1x1", "dil_conv_3x3", "avg_pool_3x3", "max_pool_3x3", "channel_score",
    "spatial_score",
)  # fmt: skip


class AttentionOnImage(HybridBlock):
    """Attention on the image, global average pooling, dense layer: only the attention can compare pixels."""

    def __init__(self, **space):
        super().__init__()
        space = attention_space(**space)
        with self.name_scope():
            self.alphas = arch_parameter(self, "alphas", (space.edges, len(space.operations)))
            self.cell, self.pool = MixedAttention(space, 3), GlobalAvgPool()
            self.classifier = nn.Dense(2, in_units=3)

    def arch_parameters(self):
        return {"alphas": self.alphas}

    def hybrid_forward(self, F, x, alphas):
        return self.classifier(F.flatten(self.pool(self.cell(x, F.softmax(alphas, axis=-1)))))


def searched(config, net, draw, distance, seed):
    """The `SearchTrainer` after a search of `config` on images that `draw` makes."""
    loaders = [Batches(draw, distance, 10 * seed + i, count) for i, count in enumerate((8, 8, 2))]
    seed_all(seed)
    net.initialize(mx.init.MSRAPrelu())
    trainer = SearchTrainer(net, config, METHODS[config.kind](config).derive, [mx.cpu()], *loaders)
    trainer.fit()
    return trainer


def strongest_candidate(trainer, names):
    """The candidate with the largest softmax weight on any edge; "none" does not count."""
    rows = [row for values in trainer.task.alpha_values().values() for row in softmax(values)]
    return max((strongest_op(row, names) for row in rows), key=lambda found: found[0])[1]


def options(space, seed, epochs, **search):
    return {
        "space": space, "search": {"arch_lr": 0.03, "arch_wd": 0, **search},
        "optim": {"optimizer": "sgd", "lr": 0.05, "lr_mode": "cosine", "clip_grad": 5},
        "train": {"num_epochs": epochs, "seed": seed}, "data": {"dataset": "synthetic", "batch_size": 32},
    }  # fmt: skip


@pytest.mark.parametrize("unrolled", [False, True])
@pytest.mark.parametrize(("seed", "epochs"), CELL_SEARCHES)
def test_att_darts_finds_the_dilated_convolution(seed, epochs, unrolled):
    """Dots six apart: without it the receptive field of stem and pooling in the first cell is five pixels wide."""
    space = {"location": "mixed_with_operation", "operations": CELL_OPERATIONS, "attentions": CELL_ATTENTIONS,
             "nodes": 1, "channels": 8, "layers": 3}  # fmt: skip
    config = AttDartsConfig.from_dict(options(space, seed, epochs, unrolled=unrolled))
    trainer = searched(config, METHODS["att-darts"](config).supernet(2, 16), paired, 6, seed)
    assert strongest_candidate(trainer, trainer.net.space.first) == "dil_conv_3x3"


@pytest.mark.parametrize("unrolled", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_anas_finds_the_dilated_convolution(seed, unrolled):
    """Pixels two apart: pooling reaches one pixel, scores and 1x1 convolutions none."""
    space = {"operations": ATTENTION_OPERATIONS, "nodes": 1}
    config = AnasConfig.from_dict(options(space, seed, 15, unrolled=unrolled))
    trainer = searched(config, AttentionOnImage(**space), correlated, 2, seed)
    assert strongest_candidate(trainer, ATTENTION_OPERATIONS) == "dil_conv_3x3"
