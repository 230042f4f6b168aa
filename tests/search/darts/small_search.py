"""Small gradient searches on synthetic images of 8x8 pixels."""

import mxnet as mx

from gluon_attn.config.search import AnasConfig, AttDartsConfig
from gluon_attn.data.factory import build_search
from gluon_attn.search.darts.methods import METHODS
from gluon_attn.search.darts.trainer import SearchTrainer
from gluon_attn.utils.seed import seed_all

DATA = {"dataset": "synthetic", "train_images": 64, "val_images": 8, "input_size": 8, "classes": 3, "batch_size": 16,
        "num_workers": 0}  # fmt: skip
CELLS = {"channels": 4, "layers": 3, "nodes": 1, "operations": ("none", "skip_connect", "max_pool_3x3", "dil_conv_3x3"),
         "attentions": ("se",)}  # fmt: skip


def config_of(kind="att-darts", space=None, optim=None, train=None, **search):
    """The config of a search by `METHODS`'s name; search: options of the group search."""
    data = {
        "data": DATA, "space": space if space is not None else CELLS, "search": {"arch_lr": 0.05, **search},
        "optim": {"optimizer": "sgd", "lr": 0.05, "lr_mode": "cosine", "clip_grad": 5, **(optim or {})},
        "train": {"num_epochs": 2, "seed": 3, **(train or {})},
    }  # fmt: skip
    return {"att-darts": AttDartsConfig, "anas": AnasConfig}[kind].from_dict(data)


def trainer_of(config, callbacks=()):
    """The `SearchTrainer` of a config, with its initialized supernet."""
    method = METHODS[config.kind](config)
    data, others = build_search(config.data, config.train.seed, config.search.train_portion)
    seed_all(config.train.seed)
    net = method.supernet(data.classes, 8)
    net.initialize(mx.init.MSRAPrelu())
    return SearchTrainer(net, config, method.derive, [mx.cpu()], data.train, others, data.val, callbacks)
