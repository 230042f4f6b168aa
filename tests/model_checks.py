"""What tests of networks share: weights, blocks and stages of any backbone, and a probe in every slot."""

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock

from gluon_attn import Plan, get_model
from gluon_attn.models.slots import Residual, Stage
from gluon_attn.nn.layers import strided
from gluon_attn.runs.checks.case import randomize_norms


def num_weights(net):
    """Number of learned weights."""
    return sum(int(np.prod(p.shape)) for p in net.collect_params().values() if p.grad_req != "null")


def initialized(name, classes=10, **options):
    """A network with random weights."""
    net = get_model(name, classes, **options)
    net.initialize(mx.init.Xavier())
    return net


def randomized(net):
    """The network with random weights, scales, shifts and statistics."""
    net.initialize(mx.init.Xavier())
    randomize_norms(net, 0.1)
    return net


def walk(block):
    """The block and all blocks below it, in the order of their children."""
    yield block
    for child in block._children.values():
        yield from walk(child)


def stages_of(net):
    """The stages of a ResNet."""
    return [block for block in walk(net) if isinstance(block, Stage)]


def blocks_of(net):
    """The residual blocks of a backbone."""
    return [block for block in walk(net) if isinstance(block, Residual)]


class Probe(HybridBlock):
    """The identity in a slot; logs the channels and height that the network said beside those that came."""

    def __init__(self, channels, spatial, log):
        super().__init__()
        self.said, self.log = (channels, spatial), log

    def forward(self, x):
        self.log.append((self.said, x.shape[1:3]))
        return x


class ProbePlan(Plan):
    """A probe in every slot that keeps the number of channels.

    asked: (slot, stage, block) of each probe. log: of the probes. bound: (blocks, slots, head) of the network.
    """

    def __init__(self):
        super().__init__()
        self.asked, self.log, self.bound = [], [], None

    def bind(self, blocks, slots=(), head=True):
        self.bound = (tuple(blocks), tuple(slots), head)
        return self

    def make(self, slot, stage, block, channels, spatial=None, stride=1, in_channels=None, block_channels=None):
        if slot not in self.bound[1] or in_channels not in (None, channels):
            return None
        self.asked.append((slot, stage, block))
        probe = Probe(channels, spatial, self.log)
        return probe if stride == 1 else strided(probe, stride)
