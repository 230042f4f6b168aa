"""What each search starts from: the settings of the reference repositories, laid over the config classes' own."""

from typing import Any

_SGD = {"optimizer": "sgd", "momentum": 0.9, "lr_mode": "cosine", "clip_grad": 5}
#: the script of EAN's authors that trains a supernet
_SUPERNET: dict[str, dict[str, Any]] = {
    "data": {"dataset": "imagenet_folder", "batch_size": 256, "hold_out": 100, "color_jitter": 0, "pca_noise": 0},
    "model": {"model": "sge_fbresnet50"},
    "optim": {"optimizer": "sgd", "lr_decay_period": 40},
    "train": {"num_epochs": 50},
}
#: search -> plain data by option group
SEARCH_DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "att-darts": {  # its train_search.py
        "data": {"batch_size": 64},
        "optim": {**_SGD, "lr": 0.025, "target_lr": 0.001, "wd": 3e-4},
        "train": {"num_epochs": 50, "seed": 2, "log_interval": 100},
    },
    "anas": {  # its search_net.py
        "data": {"batch_size": 128},
        "search": {"arch_clip": 5},
        "optim": {**_SGD, "lr": 0.1, "target_lr": 0.0, "wd": 1e-4},
        "train": {"num_epochs": 50, "seed": 2, "log_interval": 50},
    },
    "ean-supernet": _SUPERNET,
    "ean": {  # where the supernet's run does not say
        "data": {key: _SUPERNET["data"][key] for key in ("dataset", "batch_size", "hold_out")},
        "model": _SUPERNET["model"],
    },
    "ean --all": _SUPERNET,
}
