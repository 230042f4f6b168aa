"""One side of the comparison of EAN's two loops, see `process`: evaluations of schemes, training of the supernet.

    python -m benchmarks.lib.schemes mxnet|torch|channels-last

{"attention", "batch", "size", "batches", "schemes"} builds; "schemes" are those of each step of a search. "search" is
one sample of the search on all batches: ours evaluates all samples and returns the mean time, the authors' loop
evaluates one of them at random. "step" trains on one batch, "uncached" evaluates on all batches without a cache, both
with the next scheme of a fixed random sequence. Ours only: "none_connected", "all_connected" and "plain", the network
without attention, are forward passes of all batches. "weights" counts the parameters.
"""

import os
import random
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.lib.process import clock, serve

COUNT = 16
_RATE = 1e-3


class Side:
    """The sequence of schemes, the same on both sides."""

    def draw(self, schemes: list[list[str]], seed: int = 1) -> None:
        """Sets the schemes of the search and starts the random sequence."""
        self.schemes, self._random = schemes, random.Random(seed)

    def next(self) -> str:
        """The next random scheme."""
        return f"{self._random.getrandbits(COUNT):0{COUNT}b}"


class MXNet(Side):
    """The loops of `search.py ean` and `search.py ean-supernet`."""

    def __init__(self, attention: str, batch: int, size: int, batches: int, schemes: list[list[str]]) -> None:
        import gluon_attn  # noqa: I001 - before MXNet: it sets threads and malloc
        import mxnet as mx

        from gluon_attn.config.data import DataConfig
        from gluon_attn.config.optim import OptimConfig
        from gluon_attn.config.train import RunConfig
        from gluon_attn.data.fake import build_fake
        from gluon_attn.engine.classification import Classification
        from gluon_attn.engine.trainer import Trainer
        from gluon_attn.search.ean.supernet import make_supernet

        self.mx = mx
        self.draw(schemes)
        data = build_fake(DataConfig(dataset="synthetic", batch_size=batch, input_size=size, classes=1000), 1, 1, 1)
        images = [[part.copy() for part in next(data.train.epoch(1))] for _ in range(batches)]
        supernets = [make_supernet(f"{attention}_fbresnet50", 1000, input_size=size) for _ in range(2)]
        self.without_attention = plain = gluon_attn.get_model("fbresnet50", 1000, input_size=size)
        for net in (*supernets, plain):
            net.initialize(mx.init.MSRAPrelu())
        self.trained, self.evaluated = supernets
        self.evaluated.compile_for_evaluation(fused=True)
        plain.hybridize(static_alloc=True, static_shape=True, backend="MKLDNN")
        self.batches = Batches(images)
        config = RunConfig(optim=OptimConfig(optimizer="sgd", lr=_RATE))
        self.trainer = Trainer(self.trained, Classification(), config, [mx.cpu()], data.train, data.train)
        self.images, self.labels = images[0]

    def search(self) -> float:
        from gluon_attn.search.ean.evaluator import Evaluator

        evaluate, start = Evaluator(self.evaluated, self.batches), clock()
        for step in self.schemes:
            evaluate(step)
        return (clock() - start) / sum(map(len, self.schemes))

    def uncached(self) -> None:
        self.forward(self.evaluated, self.next())

    def none_connected(self) -> None:
        self.forward(self.evaluated, "0" * COUNT)

    def all_connected(self) -> None:
        self.forward(self.evaluated, "1" * COUNT)

    def plain(self) -> None:
        self.forward(self.without_attention)

    def forward(self, net: Any, scheme: str | None = None) -> None:
        """A forward pass of all batches."""
        from gluon_attn.engine.classification import evaluate

        net.scheme = scheme
        with self.operators():
            evaluate(net, self.batches, [self.mx.cpu()])

    def operators(self) -> Any:
        from gluon_attn.engine.precision import training_operators

        return training_operators("float32", [self.mx.cpu()], "auto")

    def step(self) -> None:
        with self.operators():
            self.trainer.train_step((self.images, self.labels))
        self.mx.nd.waitall()

    def weights(self) -> int:
        return sum(p.data().size for p in self.trained.collect_params().values() if p.grad_req != "null")


class Batches:
    """A loader of given batches."""

    def __init__(self, batches: list) -> None:
        self._batches = batches

    def epoch(self, number: int) -> Iterator:
        return iter(self._batches)


class Torch(Side):
    """The authors' loops in PyTorch, eager."""

    layout = "contiguous_format"

    def __init__(self, attention: str, batch: int, size: int, batches: int, schemes: list[list[str]]) -> None:
        import torch

        from benchmarks.lib.torch_ean import Supernet

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        self.torch = torch
        self.draw(schemes)
        layout = getattr(torch, self.layout)
        self.net = Supernet(attention).to(memory_format=layout)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=_RATE, momentum=0.9, weight_decay=1e-4)
        images = [torch.randn(batch, 3, size, size) for _ in range(batches)]
        self.images = [x.contiguous(memory_format=layout) for x in images]
        self.labels = torch.randint(1000, (batch,))
        self.loss = torch.nn.CrossEntropyLoss()

    def search(self) -> None:
        self.score(self._random.choice(self._random.choice(self.schemes)))

    def uncached(self) -> None:
        self.score(self.next())

    def score(self, scheme: str) -> None:
        self.net.eval()
        right = loss = 0
        with self.torch.no_grad():
            for images in self.images:
                out = self.net(images, scheme)
                loss += self.loss(out, self.labels).item()
                right += (out.argmax(1) == self.labels).sum().item()

    def step(self) -> None:
        self.net.train()
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.net(self.images[0], self.next()), self.labels).backward()
        self.optimizer.step()

    def weights(self) -> int:
        return sum(parameter.numel() for parameter in self.net.parameters())


class ChannelsLast(Torch):
    """The same with the memory layout channels-last."""

    layout = "channels_last"


if __name__ == "__main__":
    serve({"mxnet": MXNet, "torch": Torch, "channels-last": ChannelsLast}[sys.argv[1]])
