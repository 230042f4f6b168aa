"""One side of a comparison of EAN's two loops, run by `process`: evaluation of schemes, training of the supernet.

    python -m benchmarks.lib.schemes mxnet|torch|channels-last

The constructor takes the `attention`, the `batch` size, the height and width of the images (`size`), the number of
`batches` per evaluation, and the schemes of each step of a recorded search (`searched`). Methods:

- "search": seconds per scheme of the search, on all batches. Ours evaluates all of them with its prefix cache and takes
  the mean; the authors' loop evaluates every scheme in full, so one at random stands for all.
- "anew": evaluate the next scheme of a fixed random sequence, without a cache.
- "step": train on one batch, with the next scheme of that sequence.
- "none", "whole" and "plain", ours alone: evaluate the schemes of zeros and of ones, and the network without attention.
- "weights": number of trainable parameters.
"""

import os
import random
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.lib.process import clock, serve

COUNT = 16  # blocks of the network, and so digits of a scheme
_RATE = 1e-3


class Side:
    """What both sides have: the schemes of a search and a random sequence of schemes."""

    def draw(self, searched: list[list[str]], seed: int = 1) -> None:
        """Take the schemes of a search, and start the random sequence."""
        self.searched, self._random = searched, random.Random(seed)

    def next(self) -> str:
        """Return the next scheme of the random sequence."""
        return f"{self._random.getrandbits(COUNT):0{COUNT}b}"


class MXNet(Side):
    """What `search.py ean` and `search.py ean-supernet` do, made of the same parts."""

    def __init__(self, attention: str, batch: int, size: int, batches: int, searched: list[list[str]]):
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
        self.draw(searched)
        data = build_fake(DataConfig(dataset="synthetic", batch_size=batch, input_size=size, classes=1000), 1, 1, 1)
        images = [[part.copy() for part in next(data.train.epoch(1))] for _ in range(batches)]
        made = [make_supernet(f"{attention}_fbresnet50", 1000, input_size=size) for _ in range(2)]
        self.without = plain = gluon_attn.get_model("fbresnet50", 1000, input_size=size)
        for net in (*made, plain):
            net.initialize(mx.init.MSRAPrelu())
        self.made, self.tried = made
        self.tried.compile_for_evaluation(fused=True)
        plain.hybridize(static_alloc=True, static_shape=True, backend="MKLDNN")
        self.batches = Batches(images)
        config = RunConfig(optim=OptimConfig(optimizer="sgd", lr=_RATE))
        self.trainer = Trainer(self.made, Classification(), config, [mx.cpu()], data.train, data.train)
        self.images, self.labels = images[0]

    def search(self) -> float:
        """Return the seconds per scheme of the search."""
        from gluon_attn.search.ean.evaluator import Evaluator

        evaluate, start = Evaluator(self.tried, self.batches), clock()
        for schemes in self.searched:
            evaluate(schemes)
        return (clock() - start) / sum(map(len, self.searched))

    def anew(self) -> None:
        """Evaluate the next random scheme without a cache."""
        self.pass_of(self.tried, self.next())

    def none(self) -> None:
        """Evaluate the scheme without attention."""
        self.pass_of(self.tried, "0" * COUNT)

    def whole(self) -> None:
        """Evaluate the scheme with attention in every block."""
        self.pass_of(self.tried, "1" * COUNT)

    def plain(self) -> None:
        """Evaluate the network without attention."""
        self.pass_of(self.without)

    def pass_of(self, net: Any, scheme: str | None = None) -> None:
        """Evaluate `net` on all batches."""
        from gluon_attn.engine.classification import evaluate

        net.scheme = scheme
        with self.operators():
            evaluate(net, self.batches, [self.mx.cpu()])

    def operators(self) -> Any:
        """Return the context in which training traces compiled operators."""
        from gluon_attn.engine.precision import training_operators

        return training_operators("float32", [self.mx.cpu()], "auto")

    def step(self) -> None:
        """Run one training step."""
        with self.operators():
            self.trainer.train_step((self.images, self.labels))
        self.mx.nd.waitall()

    def weights(self) -> int:
        """Return the number of trainable parameters."""
        return sum(p.data().size for p in self.made.collect_params().values() if p.grad_req != "null")


class Batches:
    """A loader that gives the same batches in every epoch."""

    def __init__(self, batches: list[Any]):
        self._batches = batches

    def epoch(self, number: int) -> Iterator[Any]:
        """Iterate over the batches."""
        return iter(self._batches)


class Torch(Side):
    """The authors' loops in PyTorch, eager."""

    layout: str = "contiguous_format"

    def __init__(self, attention: str, batch: int, size: int, batches: int, searched: list[list[str]]):
        import torch

        from benchmarks.lib.torch_ean import Supernet

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        self.torch = torch
        self.draw(searched)
        layout = getattr(torch, self.layout)
        self.net = Supernet(attention).to(memory_format=layout)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=_RATE, momentum=0.9, weight_decay=1e-4)
        images = [torch.randn(batch, 3, size, size) for _ in range(batches)]
        self.images = [x.contiguous(memory_format=layout) for x in images]
        self.labels = torch.randint(1000, (batch,))
        self.loss = torch.nn.CrossEntropyLoss()

    def search(self) -> None:
        """Evaluate a random one of the search's schemes."""
        self.score(self._random.choice(self._random.choice(self.searched)))

    def anew(self) -> None:
        """Evaluate the next random scheme."""
        self.score(self.next())

    def score(self, scheme: str) -> None:
        """Compute loss and accuracy of a scheme on all batches."""
        self.net.eval()
        right = loss = 0
        with self.torch.no_grad():
            for images in self.images:
                out = self.net(images, scheme)
                loss += self.loss(out, self.labels).item()
                right += (out.argmax(1) == self.labels).sum().item()

    def step(self) -> None:
        """Run one training step."""
        self.net.train()
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.net(self.images[0], self.next()), self.labels).backward()
        self.optimizer.step()

    def weights(self) -> int:
        """Return the number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.net.parameters())


class ChannelsLast(Torch):
    """The same in channels-last."""

    layout: str = "channels_last"


if __name__ == "__main__":
    serve({"mxnet": MXNet, "torch": Torch, "channels-last": ChannelsLast}[sys.argv[1]])
