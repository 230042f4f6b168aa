"""What the training scripts start from where a command line names a searched network: its repository's settings."""

from ..utils.errors import UserError

_SGD = {"optimizer": "sgd", "momentum": 0.9, "clip_grad": 5}
#: (kind of network, script) -> plain data by option group
_SETTINGS = {
    # Att-DARTS's train_CIFAR10.py
    ("cells", "train_cifar.py"): {
        "data": {"batch_size": 96},
        "optim": {**_SGD, "lr": 0.025, "wd": 3e-4, "lr_mode": "cosine"},
        "train": {"num_epochs": 600, "drop_path_prob": 0.2, "seed": 2},
    },
    # its train_imagenet.py
    ("cells", "train_imagenet.py"): {
        "data": {"batch_size": 128, "label_smoothing": True},
        "optim": {**_SGD, "lr": 0.1, "wd": 3e-5, "lr_decay": 0.97, "lr_decay_period": 1},
        "train": {"num_epochs": 250, "seed": 0},
    },
    # ANAS's train_net.py
    ("attention", "train_cifar.py"): {
        "data": {"batch_size": 128},
        "optim": {**_SGD, "lr": 0.1, "wd": 1e-4, "lr_mode": "cosine"},
        "train": {"num_epochs": 180, "seed": 0},
    },
}


def settings(script, config):
    """Plain data by option group for a `RunConfig` so far, {} where it names no searched network."""
    if config.model.arch_path is None and config.model.net_type is None and not _is_name(config.model.model):
        return {}
    from ..models.reference_names import kind_of

    kind = kind_of(config.model)
    if kind is None:
        return {}
    if (kind, script) not in _SETTINGS:
        raise UserError(f"--net-type is a ResNet for small images: use train_cifar.py, not {script}")
    found = {group: dict(values) for group, values in _SETTINGS[kind, script].items()}
    if config.data.dataset.startswith("cifar"):
        found["data"]["normalization"] = "att-darts"
    return found


def _is_name(model):
    """Whether it looks like a genotype's name; all networks' names are small letters, and this needs no MXNet."""
    return model != model.lower()
