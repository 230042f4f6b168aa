"""Coloured shapes on a noisy, textured background: a set of any size that needs no files and can be learnt.

A class is a shape, a hue and, beyond 60 classes, a tint of the background; place, size and brightness vary.
"""

import numpy as np

from ..utils.seed import generator
from .base import DATASETS, ArraySet, Source

SHAPES = ("disc", "cross", "square", "ring", "triangle")
_MOST_HUES = 12
_TRAIN, _VAL = 11, 12  # first integer of each set's random stream


@DATASETS.register("synthetic")
def synthetic(cfg, seed):
    """`cfg.train_images` and `cfg.val_images`, of side `cfg.input_size` (32), in `cfg.classes` classes (10)."""
    size, classes = cfg.input_size or 32, cfg.classes or 10
    sets = {
        stream: draw(count, size, classes, generator(seed, stream))
        for stream, count in ((_TRAIN, cfg.train_images), (_VAL, cfg.val_images))
    }
    return Source(
        name="synthetic",
        train=sets[_TRAIN],
        val=sets[_VAL],
        class_names=class_names(classes),
        mean=(0.45,) * 3,
        std=(0.2,) * 3,
        flip=True,
    )


def class_names(classes):
    """A name for each class, such as 'disc hue 72' or 'ring hue 30 on hue 180' (hues in degrees)."""
    shapes, hues, tints = _grid(classes)
    names = []
    for label in range(classes):
        shape, hue, tint = _parts(label, shapes, hues)
        name = f"{SHAPES[shape]} hue {360 * hue / hues:.0f}"
        names.append(f"{name} on hue {360 * tint / tints:.0f}" if tints > 1 else name)
    return tuple(names)


def draw(count, size, classes, rng):
    """`ArraySet` of `count` images of size x size; every class occurs equally often, to within one."""
    labels = rng.permutation(np.arange(count) % classes).astype(np.int32)
    images = np.empty((count, size, size, 3), np.uint8)
    step = max(1, (1 << 20) // (size * size))  # about 12 MB of floats at a time
    for start in range(0, count, step):
        part = slice(start, start + step)
        images[part] = _render(labels[part], size, classes, rng)
    return ArraySet(images, labels)


def _grid(classes):
    """How many shapes, hues and background tints make up `classes` or a few more."""
    shapes = 1 if classes < 4 else 2 if classes <= 2 * _MOST_HUES else len(SHAPES)
    hues = min(-(-classes // shapes), _MOST_HUES)
    return shapes, hues, -(-classes // (shapes * hues))


def _parts(label, shapes, hues):
    return label % shapes, label // shapes % hues, label // (shapes * hues)


def _render(labels, size, classes, rng):
    """(B,) labels -> (B, size, size, 3) uint8."""
    shapes, hues, tints = _grid(classes)
    shape, hue, tint = _parts(labels, shapes, hues)
    batch = len(labels)
    cover = _cover(shape, size, rng)[..., None]
    ink = (_colour(hue / hues) * rng.uniform(0.75, 1.0, (batch, 1)).astype(np.float32))[:, None, None]
    ground = _texture(batch, size, rng)
    if tints > 1:
        ground = ground * (0.4 + 0.6 * _colour(tint / tints))[:, None, None]
    grain = rng.random((batch, size, size, 3), np.float32) * 0.2 - 0.1
    return np.rint(np.clip(ground + cover * (ink - ground) + grain, 0, 1) * 255).astype(np.uint8)


def _colour(hue):
    """Hue from 0 to 1 (B,) -> fully saturated RGB (B, 3) float32: 0 is red, 1/3 green, 2/3 blue."""
    offset = np.abs((hue[:, None] - np.array([0, 1 / 3, 2 / 3]) + 0.5) % 1 - 0.5)
    return np.clip(2 - 6 * offset, 0, 1).astype(np.float32)


def _texture(batch, size, rng):
    """Grey clouds (B, size, size, 1) float32: a coarse random grid, smoothly enlarged."""
    coarse = rng.uniform(0.2, 0.7, (batch, 4, 4)).astype(np.float32)
    at = np.linspace(0, 3, size)
    weights = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(4))).astype(np.float32)
    return (weights @ coarse @ weights.T)[..., None]


def _cover(shape, size, rng):
    """How much of each pixel the shape covers, (B, size, size) float32 from 0 to 1."""
    batch = len(shape)
    radius = rng.uniform(0.24, 0.34, (batch, 1, 1)) * size
    centre = rng.uniform(0.36, 0.64, (2, batch, 1, 1)) * size
    pixels = np.arange(size) + 0.5
    u = ((pixels[None, None, :] - centre[0]) / radius).astype(np.float32)
    v = ((pixels[None, :, None] - centre[1]) / radius).astype(np.float32)
    cover = np.empty((batch, size, size), np.float32)
    for kind in np.unique(shape):
        chosen = shape == kind
        outside = _DISTANCE[SHAPES[kind]](u[chosen], v[chosen]) * radius[chosen]
        cover[chosen] = np.clip(0.5 - outside, 0, 1)
    return cover


# Below 0 inside the shape, above outside, in radii; u runs to the right, v down, broadcast to a grid.
_DISTANCE = {
    "disc": lambda u, v: np.sqrt(u * u + v * v) - 1,
    "cross": lambda u, v: np.maximum(np.minimum(abs(u), abs(v)) - 0.3, np.maximum(abs(u), abs(v)) - 1),
    "square": lambda u, v: np.maximum(abs(u), abs(v)) - 0.85,
    "ring": lambda u, v: abs(np.sqrt(u * u + v * v) - 0.8) - 0.25,
    "triangle": lambda u, v: np.maximum(v - 0.7, 0.9 * abs(u) - 0.45 * v - 0.5),
}
