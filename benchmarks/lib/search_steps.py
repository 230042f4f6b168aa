"""One side of the comparison of search steps, see `process`: second order, then the update of the weights.

    python -m benchmarks.lib.search_steps mxnet|eager

{"name", "batch"} builds, "step" runs once, "weights" counts the parameters, "memory" gives the peak memory in bytes.
"""

import itertools
import os
import sys

from benchmarks.lib.process import serve

#: name -> (search.py's subcommand, its options that are not defaults, batch)
SEARCHES = {
    "att-darts": ("att-darts", {"channels": 16, "layers": 5}, 16),
    "anas": ("anas", {}, 64),
}


class MXNet:
    """The step of `search.py`."""

    def __init__(self, name: str, batch: int) -> None:
        import gluon_attn  # noqa: I001, F401 - before MXNet: it sets threads and malloc
        import mxnet as mx

        from gluon_attn.cli.searches import anas, att_darts, gradient
        from gluon_attn.runs.options import resolve
        from gluon_attn.config.search import AnasConfig, AttDartsConfig
        from gluon_attn.engine.backend import Backend

        kind, space, _ = SEARCHES[name]
        module, config_class = {"att-darts": (att_darts, AttDartsConfig), "anas": (anas, AnasConfig)}[kind]
        given = {
            "data": {"dataset": "synthetic", "train_images": 4 * batch, "val_images": 1, "batch_size": batch},
            "space": space, "search": {"unrolled": True}, "train": {"num_epochs": 1},
        }  # fmt: skip
        self.mx = mx
        self.trainer = gradient.make_trainer(resolve(config_class, module.DEFAULTS, given), None, Backend())
        self.batch = next(self.trainer.train_loader.epoch(0))
        valid = next(self.trainer.train_loader.epoch(1))
        self.trainer._search_batches = itertools.repeat(valid)

    def step(self) -> None:
        from gluon_attn.nn.kernels import compiled_operators

        with compiled_operators():
            self.trainer.train_step(*self.batch)
        self.mx.nd.waitall()

    def weights(self) -> int:
        parameters = self.trainer.net.collect_params().values()
        return sum(p.data().size for p in parameters if p.grad_req != "null")

    def memory(self) -> int:
        from gluon_attn.utils.process_memory import peak

        return peak()


class Torch:
    """The same step in eager PyTorch; LAYOUT=last in the environment: channels-last."""

    def __init__(self, name: str, batch: int) -> None:
        import torch

        from benchmarks.lib import torch_search

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        kind, space, _ = SEARCHES[name]
        net = torch_search.AttentionSupernet() if kind == "anas" else torch_search.CellSupernet(**space, size=32)
        layout = torch.channels_last if os.environ.get("LAYOUT") == "last" else torch.contiguous_format
        self.net = net.to(memory_format=layout).train()
        self.architect = torch_search.Architect(self.net)
        self.batches = [
            (torch.randn(batch, 3, 32, 32).to(memory_format=layout), torch.randint(10, (batch,))) for _ in range(2)
        ]

    def step(self) -> None:
        self.architect.step(*self.batches)

    def weights(self) -> int:
        return sum(parameter.numel() for parameter in self.net.parameters())

    def memory(self) -> int:
        from gluon_attn.utils.process_memory import peak

        return peak()


if __name__ == "__main__":
    serve({"mxnet": MXNet, "eager": Torch}[sys.argv[1]])
