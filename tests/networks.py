"""Networks and attentions with weights as after training, and the run folders that hold them."""

import mxnet as mx
import numpy as np

import gluon_attn
from gluon_attn.attention.factory import attention_options
from gluon_attn.config.card import Card
from gluon_attn.config.data import DataConfig
from gluon_attn.data import factory
from gluon_attn.data.transforms import normalize
from gluon_attn.deploy.predictor import random_images
from gluon_attn.runs.checks.case import randomize_norms
from gluon_attn.utils.files import write_json


def network(name="cifar_resnet20_v1", classes=10, **options):
    """(network, card): hybridized, its norms' scales, shifts and statistics away from what they start at."""
    net = gluon_attn.get_model(name, classes, **options)
    net.initialize(mx.init.MSRAPrelu())
    random = np.random.default_rng(1)
    for key, parameter in net.collect_params().items():
        if key.endswith(("gamma", "running_var")):
            parameter.set_data(mx.nd.array(random.uniform(0.5, 1.5, parameter.shape)))
        elif key.endswith(("beta", "running_mean", "bias")):
            parameter.set_data(mx.nd.array(random.normal(0, 0.3, parameter.shape)))
    size = options.get("input_size", 32)
    card = Card(
        **net.recipe,
        input_shape=(3, size, size),
        mean=(0.3, 0.4, 0.5),
        std=(0.2, 0.25, 0.3),
        class_names=tuple(f"class {i}" for i in range(classes)),
    )
    settle(net, mx.nd.array(normalize(random_images(card, 8), card.mean, card.std)))
    net.hybridize()
    return net, card


def attention_block(name, channels, size):
    """An attention with random weights and statistics, for feature maps of (height, width)."""
    block = gluon_attn.get_attention(
        name, channels, **({"spatial": size} if "spatial" in attention_options(name) else {})
    )
    block.initialize(mx.init.Xavier())
    randomize_norms(block)
    return block


def settle(net, images):
    """Make the running statistics those of `images`, as training would; random ones let maps grow without end."""
    norms = []
    net.apply(lambda block: norms.append(block) if isinstance(block, mx.gluon.nn.BatchNorm) else None)
    for norm in norms:
        norm._kwargs["momentum"], norm.usual = 0.0, norm._kwargs["momentum"]
    with mx.autograd.record():
        total = net(images).sum()
    total.backward()  # which is when MXNet writes statistics
    mx.nd.waitall()
    for norm in norms:
        norm._kwargs["momentum"] = norm.usual


def write_run(folder, net, card):
    """A run folder as training leaves it, as far as others read it."""
    write_json(folder / "card.json", card.to_dict())
    gluon_attn.save_params(net, folder / "best.params")
    return folder


def digits_run(folder):
    """The folder of a small untrained network for the digits."""
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    source = digits()
    card = card.replace(
        dataset="digits", class_names=source.class_names, mean=source.mean, std=source.std
    )  # fmt: skip
    return write_run(folder, net, card)


def digits():
    """The digits as a `Dataset`."""
    return factory.open_dataset(DataConfig(dataset="digits"), 1)
