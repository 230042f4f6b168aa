"""One side of a comparison of search steps, run by `process`.

    python -m benchmarks.lib.search_steps mxnet|eager

The constructor takes a `name` of `SEARCHES` and the `batch` size. "step" is a second-order step of the architecture
parameters followed by a step of the weights, "weights" counts the trainable parameters, "memory" is the peak memory of
the process in bytes. Ours only: "macs" counts the MACs of a forward pass.
"""

import itertools
import os
import sys

from benchmarks.lib.process import serve

#: name -> (subcommand of search.py, options of the space that are not defaults, batch size)
SEARCHES: dict[str, tuple[str, dict[str, int], int]] = {
    "att-darts": ("att-darts", {"channels": 16, "layers": 5}, 16),
    "anas": ("anas", {}, 64),
}


class MXNet:
    """The step of `search.py`."""

    def __init__(self, name: str, batch: int):
        import gluon_attn  # noqa: I001, F401 - before MXNet: it sets threads and malloc
        import mxnet as mx

        from gluon_attn.engine.backend import Backend
        from gluon_attn.runs.gradient_search import make_search_trainer
        from gluon_attn.runs.options import from_keywords
        from gluon_attn.runs.search import SEARCHES as KINDS

        kind, space, _ = SEARCHES[name]
        options = {
            "dataset": "synthetic", "train_images": 4 * batch, "val_images": 1, "batch_size": batch,
            "space": space, "unrolled": True, "num_epochs": 1,
        }  # fmt: skip
        self.mx, self.count = mx, batch
        config = from_keywords(KINDS[kind].config, options, KINDS[kind].defaults).config()
        self.trainer = make_search_trainer(config, None, Backend())
        self.batch = next(self.trainer.train_loader.epoch(0))
        valid = next(self.trainer.train_loader.epoch(1))
        self.trainer.task._alpha_batches = itertools.repeat(valid)

    def step(self) -> None:
        """Run one search step."""
        from gluon_attn.nn.kernels import compiled_operators

        with compiled_operators():
            self.trainer.train_step(self.batch)
        self.mx.nd.waitall()

    def weights(self) -> int:
        """Return the number of trainable parameters."""
        parameters = self.trainer.net.collect_params().values()
        return sum(p.data().size for p in parameters if p.grad_req != "null")

    def memory(self) -> int:
        """Return the peak memory of this process in bytes."""
        from gluon_attn.utils.process_memory import peak

        return peak()

    def macs(self) -> int:
        """Return the MACs of a forward pass of the batch."""
        from gluon_attn.analyze.cost import cost

        return self.count * cost(self.trainer.net, self.batch[0].shape[1:]).macs


class Torch:
    """The same step in eager PyTorch; LAYOUT=last in the environment asks for channels-last."""

    def __init__(self, name: str, batch: int):
        import torch

        from benchmarks.lib.torch_anas import AttentionSupernet
        from benchmarks.lib.torch_architect import Architect
        from benchmarks.lib.torch_darts import CellSupernet

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        kind, space, _ = SEARCHES[name]
        net = AttentionSupernet() if kind == "anas" else CellSupernet(**space, size=32)
        layout = torch.channels_last if os.environ.get("LAYOUT") == "last" else torch.contiguous_format
        self.net = net.to(memory_format=layout).train()
        self.architect = Architect(self.net)
        self.batches = [
            (torch.randn(batch, 3, 32, 32).to(memory_format=layout), torch.randint(10, (batch,))) for _ in range(2)
        ]

    def step(self) -> None:
        """Run one search step."""
        self.architect.step(*self.batches)

    def weights(self) -> int:
        """Return the number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.net.parameters())

    def memory(self) -> int:
        """Return the peak memory of this process in bytes."""
        from gluon_attn.utils.process_memory import peak

        return peak()


if __name__ == "__main__":
    serve({"mxnet": MXNet, "eager": Torch}[sys.argv[1]])
