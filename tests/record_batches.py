"""Batches of drawn photographs in record files, shared by the tests of their loading."""

from gluon_attn.config.data import DataConfig

PLAIN = {"flip": False, "color_jitter": 0.0, "pca_noise": 0.0}
MIXED = {
    "rand_augment": (2, 9),
    "random_erasing": 0.5,
    "mixup": True,
    "cutmix": True,
    "label_smoothing": True,
    "cutout": True,
}


def config(root, **options):
    given = {"input_size": 32, "batch_size": 6, "num_workers": 0, **options}
    return DataConfig(dataset="imagenet_rec", data_dir=str(root), **given)


def epoch(loader, *which):
    return [[part.asnumpy() for part in batch] for batch in loader.epoch(*(which or (0,)))]


def images_of(batches):
    """Each image of an epoch as bytes."""
    return [image.tobytes() for data, _ in batches for image in data]
