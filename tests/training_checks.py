"""A short training of a network on real digits, in any dtype."""

import mxnet as mx
import numpy as np
from model_checks import walk
from mxnet.gluon import nn

from gluon_attn.config.data import DataConfig
from gluon_attn.config.optim import OptimConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.data import factory
from gluon_attn.data.base import ArraySet
from gluon_attn.data.loader import Loader
from gluon_attn.data.pipeline import for_evaluation
from gluon_attn.engine import trainer as engine
from gluon_attn.engine.classification import Classification
from gluon_attn.utils.seed import seed_all

#: the loss at the end is at most this share of the first one; 0.55 was the largest of all networks over seeds, dtypes,
#: threads and instruction sets, and one that does not learn has 1
FALL = 0.8


def check_losses(make, dtype, monkeypatch, images=16, step=1, lr=0.01, epochs=12):
    """The loss falls, nothing is NaN, weights stay float32.

    Few images are one batch, the same in each epoch: what its loss shows is the weights, not which images were drawn
    or what rounding made of a single step. Dropout, which would blur it, is off.

    make: (classes, height) -> network. images: number of digits, None: all. step: takes every so-many-th pixel of the
    digits, which are enlarged from 8 x 8 to 32 x 32. Returns the network.
    """
    # oneDNN computes bfloat16 on any processor, only slowly, so a command would not take it there
    monkeypatch.setattr(engine, "usable_dtype", lambda dtype, *_: dtype)
    config = RunConfig(
        data=DataConfig(dataset="digits", batch_size=32, num_workers=0),
        optim=OptimConfig(optimizer="adam", lr=lr, lr_mode="cosine", warmup_epochs=0),
        train=TrainConfig(num_epochs=epochs, dtype=dtype, seed=3),
    )
    source = factory.open_dataset(config.data, 3)
    few = [
        ArraySet(np.ascontiguousarray(part.images[:images, ::step, ::step]), part.labels[:images])
        for part in (source.train, source.val)
    ]
    prepare = for_evaluation(source)
    loaders = [Loader(part, 32, prepare, train=learn, seed=3) for part, learn in zip(few, (True, False), strict=True)]
    net = make(source.classes, few[0].images.shape[1])
    for block in walk(net):
        if isinstance(block, nn.Dropout):
            block._rate = 0
    seed_all(3)
    net.initialize(mx.init.MSRAPrelu())
    trainer = engine.Trainer(net, Classification(), config, [mx.cpu()], *loaders)
    trainer.fit()
    losses = [record["train_loss"] for record in trainer.history]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-(epochs // 4 or 1) :]) < FALL * losses[0], f"the loss does not fall: {losses}"
    assert trainer.dtype == dtype
    assert all(np.dtype(p.dtype) == np.float32 for p in net.collect_params().values())
    return net
