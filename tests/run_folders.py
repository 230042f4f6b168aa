"""Run folders without networks: options and records, as far as reports read them."""

import json

from gluon_attn.config.files import write_yaml
from gluon_attn.config.train import RunConfig
from gluon_attn.utils.files import write_text


def records(accuracies, **values):
    """The records of epochs with these test accuracies; `values` are the same in each."""
    return [
        {
            "epoch": epoch, "lr": 0.1 / (epoch + 1), "train_loss": 2.0 - accuracy, "train_accuracy": accuracy,
            "val_loss": 2.5 - accuracy, "val_accuracy": accuracy, "seconds": 30.0,
            "images_per_second": 100.0 + epoch, **values,
        }
        for epoch, accuracy in enumerate(accuracies)
    ]  # fmt: skip


def run_folder(folder, accuracies, options=None, **values):
    """`folder`, made a run's: config.yaml with `options` by group, metrics.jsonl with `records`."""
    write_yaml(folder / "config.yaml", RunConfig.from_dict(options or {}))
    write_text(folder / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in records(accuracies, **values)))
    return folder
