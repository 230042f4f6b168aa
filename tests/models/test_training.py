"""Every attention trains in a network on real digits, in float32 and in bfloat16: the loss falls, nothing is NaN."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import Plan, get_model, list_attentions
from gluon_attn.config.data import DataConfig
from gluon_attn.config.optim import OptimConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.data import factory
from gluon_attn.data.base import ArraySet
from gluon_attn.data.loader import Loader
from gluon_attn.data.pipeline import for_evaluation
from gluon_attn.engine import trainer as engine
from gluon_attn.engine.classification import Classification
from gluon_attn.models.factory import attention_entry, model_info
from gluon_attn.models.resnet.gluon_resnet import GluonResNet
from gluon_attn.utils.seed import seed_all

QUICK = 64  # images; `make test-all` takes every digit
BLOCKS = (2, 1, 1)  # of the quick network; a stage of two, since some attentions pass a state on
#: windows of many small products: in the quick network only the first block of each stage has them
FEW = {name: Plan([{"name": name, "slot": "conv", "scheme": "1011"}]) for name in ("fa", "halo")}


#: networks with an attention in place of the 3x3 -> options that make them narrow
CONV_NETWORKS = {
    "resnest14": {"widths": [16, 16, 32, 32]},
    "skresnet18": {"widths": [16, 16, 32, 32]},
    "botnet26t": {"widths": [16, 16, 32, 32]},
    "halonet26t": {"widths": [16, 16, 32, 32]},
    "lambda_resnet26t": {"widths": [16, 16, 32, 32]},
    "eca_resnext26ts": {"widths": [16, 16, 32, 32], "group_size": 8},
    "bat_resnext26ts": {"widths": [16, 16, 32, 32], "group_size": 8},
}


def some(arrays, count, step=4):
    """The first images in their own size, which is 8 x 8; None: all, enlarged to 32 x 32 as the commands have them."""
    if count is None:
        return arrays
    return ArraySet(np.ascontiguousarray(arrays.images[:count, ::step, ::step]), arrays.labels[:count])


def fit(name, dtype, images, network=None):
    """(trainer of three epochs, cifar_resnet20_v1 with one attention, with few blocks if there are few images).

    network: options of the network called `name`, in place of that, for images of 32 x 32.
    """
    config = RunConfig(
        data=DataConfig(dataset="digits", batch_size=32, num_workers=0),
        optim=OptimConfig(optimizer="adam", lr=0.01, lr_mode="cosine", warmup_epochs=0),
        train=TrainConfig(num_epochs=3, dtype=dtype, seed=3),
    )
    source = factory.open_dataset(config.data, 3)
    step = 4 if network is None else 1
    train, val = some(source.train, images, step), some(source.val, images, step)
    prepare = for_evaluation(source)
    loaders = [Loader(arrays, 32, prepare, train=learn, seed=3) for arrays, learn in ((train, True), (val, False))]
    size = train.images.shape[1]
    if network is not None:
        net = get_model(name, source.classes, input_size=size, **network)
    elif images:
        plan = FEW.get(name) or Plan([attention_entry(model_info("cifar_resnet20_v1"), name)])
        net = GluonResNet(1, "basic", BLOCKS, plan, source.classes, input_size=size)
    else:
        net = get_model("cifar_resnet20_v1", source.classes, attention=name, input_size=size)
    seed_all(3)
    net.initialize(mx.init.MSRAPrelu())
    return engine.Trainer(net, Classification(), config, [mx.cpu()], *loaders), net


def check(name, dtype, images, network=None):
    trainer, net = fit(name, dtype, images, network)
    trainer.fit()
    losses = [record["train_loss"] for record in trainer.history]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    assert trainer.dtype == dtype
    assert all(np.dtype(p.dtype) == np.float32 for p in net.collect_params().values())


each = pytest.mark.parametrize("name", list_attentions())
both = pytest.mark.parametrize("dtype", ["float32", "bfloat16"])


@pytest.fixture(autouse=True)
def emulate(monkeypatch):
    """oneDNN computes bfloat16 on any processor, only slowly, so a command would not take it there."""
    monkeypatch.setattr(engine, "usable_dtype", lambda dtype, *_: dtype)


@each
@both
def test_three_epochs_on_some_digits(name, dtype):
    check(name, dtype, QUICK)


@pytest.mark.parametrize("name", CONV_NETWORKS)
@both
def test_three_epochs_of_a_network(name, dtype):
    check(name, dtype, QUICK, CONV_NETWORKS[name])


@pytest.mark.slow
@each
@both
def test_three_epochs_on_all_digits(name, dtype):
    check(name, dtype, None)
