"""Batches of small data sets without augmentation, shared by the tests of how options make loaders."""

from gluon_attn.config.data import DataConfig

PLAIN = {
    "dataset": "synthetic", "train_images": 40, "val_images": 20, "batch_size": 10, "classes": 5,
    "num_workers": 0, "crop_padding": 0, "flip": False,
}  # fmt: skip

ANY_SET = ("batch_size", "num_workers", "crop_padding", "flip")


def config(dataset="synthetic", **options):
    plain = {key: PLAIN[key] for key in PLAIN if dataset == "synthetic" or key in ANY_SET}
    return DataConfig(**{**plain, "dataset": dataset, **options})


def first(loader, *which):
    return [part.asnumpy() for part in next(loader.epoch(*(which or (0,))))]
