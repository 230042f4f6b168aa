"""ANAS's search network: a CIFAR ResNet whose every block ends in an attention cell of mixed operations."""

from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, Parameter, nn

from ...models.plan import Plan
from ...models.resnet.cifar import OPTION_B
from ...models.resnet.torch_resnet import TorchResNet
from ...nn import fast
from .cell_supernet import arch_parameter
from .mixed_op import MixedOp, candidate_op
from .space import AttentionSpace, attention_space


class MixedAttention(HybridBlock):
    """An attention cell with all edges, each a mixed operation: x * sigmoid(sum of the nodes).

    Called with x (N,C,H,W) and the softmax weights, one row per edge; gives N,C,H,W.

    Args:
        space: an `AttentionSpace`. Its operations have neither scale nor shift.
        channels: C.
    """

    reference_key = "mixed_attention"

    def __init__(self, space: AttentionSpace, channels: int) -> None:
        super().__init__()
        self._space = space
        with self.name_scope():
            self.edges = nn.HybridSequential(prefix="")
            for edge in range(space.edges):
                mixed = MixedOp(prefix=f"edge{edge}_")
                with mixed.name_scope():
                    mixed.add(*(candidate_op(name, channels) for name in space.operations))
                self.edges.add(mixed)

    def hybrid_forward(self, F: Any, x: mx.nd.NDArray, weights: mx.nd.NDArray) -> mx.nd.NDArray:
        """N,C,H,W and (edges, operations) -> N,C,H,W."""
        states, edge = [x, x], 0
        for _ in range(self._space.nodes):
            outputs = []
            for state in states:
                outputs.append(self.edges[edge](state, F.slice_axis(weights, axis=0, begin=edge, end=edge + 1)))
                edge += 1
            states.append(F.add_n(*outputs))
        return fast.logistic_gate(F, x, F.add_n(*states[2:]))


class SharedAttention(HybridBlock):
    """A `MixedAttention` whose architecture parameters are shared by all blocks of a network.

    Args:
        space, channels: as of `MixedAttention`.
        alphas: the architecture parameters, (edges, operations).
    """

    reference_key = "shared_attention"

    def __init__(self, space: AttentionSpace, channels: int, alphas: Parameter) -> None:
        super().__init__()
        self.alphas = alphas
        with self.name_scope():
            self.cell = MixedAttention(space, channels)

    def hybrid_forward(self, F: Any, x: mx.nd.NDArray, alphas: mx.nd.NDArray) -> mx.nd.NDArray:
        """N,C,H,W -> N,C,H,W."""
        return self.cell(x, F.softmax(alphas, axis=-1))


class AttentionSupernet(TorchResNet):
    """ANAS's search network: N,3,H,W -> N,classes logits.

    Args:
        classes: number of outputs.
        blocks: number of blocks in each of the three stages (default 3: ANAS's ResNet-20).
        input_size: height of the images.
        space: operations, nodes: see `space.attention_space` (default: ANAS's).

    Attributes:
        space: the `AttentionSpace`.
    """

    space: AttentionSpace

    def __init__(self, classes: int = 10, *, blocks: int = 3, input_size: int = 32, **space: Any) -> None:
        super().__init__(OPTION_B, [blocks] * 3, Plan(), classes, input_size=input_size)
        self.space = attention_space(**space)
        with self.name_scope():
            self.alphas = arch_parameter(self, "alphas", (self.space.edges, len(self.space.operations)))
        for number, channels in enumerate(OPTION_B.widths, 1):
            for block in getattr(self, f"layer{number}"):
                with block.name_scope():
                    block.post = SharedAttention(self.space, channels, self.alphas)

    def arch_parameters(self) -> dict[str, Parameter]:
        """Name -> architecture parameter; its softmax over the last axis weighs the candidates."""
        return {"alphas": self.alphas}

    def hybrid_forward(  # type: ignore[override]
        self, F: Any, x: mx.nd.NDArray, alphas: mx.nd.NDArray
    ) -> mx.nd.NDArray:
        """N,3,H,W -> N,classes."""
        return super().hybrid_forward(F, x)  # alphas reach the blocks through their `SharedAttention`
