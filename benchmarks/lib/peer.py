"""One side of a comparison of attentions, run by `process`.

    python -m benchmarks.lib.peer mxnet|torch

The constructor takes the attention's `name` and the `shape` (N,C,H,W) of its input, with H = W; PyTorch's can
`keep_memory`, as ours does. "forward" is a forward pass, "both" a forward and a backward pass in training mode. Ours
only: "macs" counts the MACs.
"""

import os
import sys

from benchmarks.lib.process import serve


class MXNet:
    """An attention of the library, computed as in training."""

    def __init__(self, name: str, shape: list[int]):
        import gluon_attn  # noqa: I001 - before MXNet: it sets threads and malloc
        import mxnet as mx

        from gluon_attn.attention.factory import attention_options
        from gluon_attn.engine.precision import computing
        from gluon_attn.nn.kernels import compiled_operators

        self.mx, self.shape = mx, shape
        size = {"spatial": shape[2]} if "spatial" in attention_options(name) else {}
        self.block = gluon_attn.get_attention(name, shape[1], **size)
        self.block.initialize(mx.init.Xavier())
        self.x = mx.nd.random.normal(shape=tuple(shape))
        self.x.attach_grad()
        self.head = mx.nd.random.normal(shape=tuple(shape))
        with compiled_operators():
            self.form = computing(self.block, "float32")
            self.form(self.x)

    def forward(self) -> None:
        """Run a forward pass."""
        self.form(self.x)
        self.mx.nd.waitall()

    def both(self) -> None:
        """Run a forward and a backward pass."""
        with self.mx.autograd.record():
            out = self.form(self.x)
        out.backward(self.head)
        self.mx.nd.waitall()

    def macs(self) -> int:
        """Return the MACs of a forward pass, without those of large kernels beside the map, which need no computing."""
        from benchmarks.lib import limit  # not at the top: PyTorch's process keeps its own malloc
        from gluon_attn.analyze.cost import cost
        from gluon_attn.nn.one_to_many_conv import OneToManyConv

        kernels = {
            name: block._kwargs["kernel"][0]
            for name, block in self.block._children.items()
            if isinstance(block, OneToManyConv)
        }
        rows = cost(self.block, self.shape[1:]).layers
        macs = (row.macs * limit.taps_inside(self.shape[2], kernels.get(row.name, 1)) ** 2 for row in rows)
        return round(self.shape[0] * sum(macs))


class Torch:
    """The same module in PyTorch, eager."""

    def __init__(self, name: str, shape: list[int], keep_memory: bool = False):
        import torch

        if keep_memory:
            import gluon_attn  # noqa: F401 - it sets malloc

        from benchmarks.lib import torch_attention
        from benchmarks.lib.torch_names import NAMES

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        self.block = getattr(torch_attention, NAMES[name])(shape[1], shape[2]).train()
        self.x = torch.randn(*shape, requires_grad=True)
        self.head = torch.randn(*shape)
        self.no_grad = torch.no_grad

    def forward(self) -> None:
        """Run a forward pass without a graph."""
        with self.no_grad():
            self.block(self.x)

    def both(self) -> None:
        """Run a forward and a backward pass."""
        self.x.grad = None
        self.block.zero_grad(set_to_none=True)
        self.block(self.x).backward(self.head)


if __name__ == "__main__":
    serve({"mxnet": MXNet, "torch": Torch}[sys.argv[1]])
