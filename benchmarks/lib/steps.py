"""One side of a comparison of training steps, run by `process`: forward, backward and an SGD update of one batch.

    python -m benchmarks.lib.steps mxnet|eager|compiled

The constructor takes a `name` of `networks.NETWORKS`, the `batch` size, the height and width of the images (`size`),
the `dtype` and the `device` ("cpu" or "gpu"). "step" is one training step, "weights" counts the trainable parameters.
"""

import contextlib
import os
import sys
from typing import Any

from benchmarks.lib.networks import NETWORKS
from benchmarks.lib.process import serve


class MXNet:
    """The step of `train_imagenet.py`, made of the same parts."""

    def __init__(self, name: str, batch: int, size: int, dtype: str, device: str):
        import gluon_attn  # noqa: I001 - before MXNet: it sets threads and malloc
        import mxnet as mx

        from gluon_attn.config.optim import OptimConfig
        from gluon_attn.config.train import RunConfig, TrainConfig
        from gluon_attn.data.fake import build_fake
        from gluon_attn.config.data import DataConfig
        from gluon_attn.engine.classification import Classification
        from gluon_attn.engine.trainer import Trainer

        self.mx, row = mx, NETWORKS[name]
        shape: dict[str, Any] = {"dataset": "synthetic", "classes": 10 if row.small else 1000, "input_size": size}
        data = build_fake(DataConfig(batch_size=batch, **shape), 1, 1, 1)
        context = mx.gpu() if device == "gpu" else mx.cpu()
        net = gluon_attn.get_model(row.model, data.classes, attention=row.attention, input_size=size)
        net.initialize(mx.init.MSRAPrelu(), ctx=context)
        optim = OptimConfig(optimizer="sgd", lr=1e-3)
        config = RunConfig(optim=optim, train=TrainConfig(dtype=dtype))
        self.trainer = Trainer(net, Classification(), config, [context], data.train, data.val)
        if self.trainer.dtype != dtype:
            raise RuntimeError(f"no {dtype} here")
        self.images, self.labels = (part.as_in_context(context) for part in next(data.train.epoch(1)))

    def step(self) -> None:
        """Run one training step."""
        from gluon_attn.engine.precision import training_operators

        trainer, mx = self.trainer, self.mx
        with training_operators(trainer.dtype, trainer.contexts, "auto"), mx.autograd.record():
            loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()(trainer.forward(self.images), self.labels)
        trainer.update.backward([loss], len(self.images))
        trainer.update.apply()
        mx.nd.waitall()

    def weights(self) -> int:
        """Return the number of trainable parameters."""
        parameters = self.trainer.net.collect_params().values()
        return sum(p.data().size for p in parameters if p.grad_req != "null")


class Torch:
    """The same step in PyTorch: channels-last, mixed precision by autocast."""

    compiled: bool = False

    def __init__(self, name: str, batch: int, size: int, dtype: str, device: str):
        import torch

        from benchmarks.lib.torch_nets import network

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        self.torch, self.dtype, self.device = torch, dtype, {"gpu": "cuda"}.get(device, device)
        self.net = network(name, size).to(self.device, memory_format=torch.channels_last).train()
        self.run = torch.compile(self.net) if self.compiled else self.net
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)
        self.scaler = torch.amp.GradScaler(self.device, enabled=dtype == "float16")
        images = torch.randn(batch, 3, size, size, device=self.device)
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(10, (batch,), device=self.device)

    def step(self) -> None:
        """Run one training step."""
        torch = self.torch
        mixed = torch.autocast(self.device, getattr(torch, self.dtype))
        with mixed if self.dtype != "float32" else contextlib.nullcontext():
            loss = torch.nn.functional.cross_entropy(self.run(self.images).float(), self.labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.device == "cuda":
            torch.cuda.synchronize()

    def weights(self) -> int:
        """Return the number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.net.parameters())


class Compiled(Torch):
    """After torch.compile."""

    compiled = True


if __name__ == "__main__":
    serve({"mxnet": MXNet, "eager": Torch, "compiled": Compiled}[sys.argv[1]])
