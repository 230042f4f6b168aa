"""ANAS's search network: a CIFAR ResNet whose every block ends in all choices of an attention cell."""

from mxnet.gluon import HybridBlock, nn

from ...models.plan import Plan
from ...models.resnet.cifar import OPTION_B
from ...models.resnet.torch_resnet import TorchResNet
from ...nn import fast
from .cell_supernet import mixing_weight
from .mixed_op import Mixture, droppable
from .space import attention_space


class MixedAttention(HybridBlock):
    """An attention cell with all edges: N,C,H,W and a row of mixing weights an edge -> N,C,H,W.

    space: an `AttentionSpace`. channels: C. Its operations neither scale nor shift.
    """

    reference_key = "mixed_attention"

    def __init__(self, space, channels):
        super().__init__()
        self._space = space
        with self.name_scope():
            self.edges = nn.HybridSequential(prefix="")
            for edge in range(space.edges):
                mixture = Mixture(prefix=f"edge{edge}_")
                with mixture.name_scope():
                    mixture.add(*(droppable(name, channels) for name in space.operations))
                self.edges.add(mixture)

    def hybrid_forward(self, F, x, weights):
        states, edge = [x, x], 0
        for _ in range(self._space.nodes):
            mixed = []
            for state in states:
                mixed.append(self.edges[edge](state, F.slice_axis(weights, axis=0, begin=edge, end=edge + 1)))
                edge += 1
            states.append(F.add_n(*mixed))
        return fast.logistic_gate(F, x, F.add_n(*states[2:]))


class SharedAttention(HybridBlock):
    """A `MixedAttention` by mixing weights that all blocks of a network share."""

    reference_key = "shared_attention"

    def __init__(self, space, channels, alphas):
        super().__init__()
        self.alphas = alphas
        with self.name_scope():
            self.cell = MixedAttention(space, channels)

    def hybrid_forward(self, F, x, alphas):
        return self.cell(x, F.softmax(alphas, axis=-1))


class AttentionSupernet(TorchResNet):
    """ANAS's search network: N,3,H,W -> N,classes logits. `arch_parameters()` are its mixing weights.

    classes: number of outputs. blocks: in each of the three stages (default 3, the ResNet-20 of ANAS). operations,
    nodes: see `space.attention_space` (default: ANAS's).
    """

    def __init__(self, classes=10, *, blocks=3, input_size=32, **space):
        super().__init__(OPTION_B, [blocks] * 3, Plan(), classes, input_size=input_size)
        self.space = attention_space(**space)
        with self.name_scope():
            self.alphas = mixing_weight(self, "alphas", (self.space.edges, len(self.space.operations)))
        for number, channels in enumerate(OPTION_B.widths, 1):
            for block in getattr(self, f"layer{number}"):
                with block.name_scope():
                    block.post = SharedAttention(self.space, channels, self.alphas)

    def arch_parameters(self):
        """Name -> mixing weight, a `Parameter`; softmax over the last axis gives the shares."""
        return {"alphas": self.alphas}

    def hybrid_forward(self, F, x, alphas):
        return super().hybrid_forward(F, x)  # each block's attention has the alphas itself
