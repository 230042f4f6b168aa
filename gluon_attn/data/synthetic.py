"""Colored shapes on a noisy, textured background: a set of any size that needs no files and can be learned.

A class is a shape, a hue and, beyond 60 classes, a tint of the background; position, size and brightness vary.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..config.data import DataConfig
from ..utils.seed import generator
from .base import DATASETS, ArraySet, Dataset

SHAPES = ("disc", "cross", "square", "ring", "triangle")
_MAX_HUES = 12
_TRAIN, _VAL = 11, 12  # first integer of the random stream of each set


@DATASETS.register("synthetic")
def synthetic(cfg: DataConfig, seed: int) -> Dataset:
    """Images of colored shapes.

    Args:
        cfg: options train_images, val_images, input_size (default 32) and classes (default 10).
        seed: decides the images.
    """
    size, classes = cfg.input_size or 32, cfg.classes or 10
    sets = {
        stream: draw(count, size, classes, generator(seed, stream))
        for stream, count in ((_TRAIN, cfg.train_images), (_VAL, cfg.val_images))
    }
    return Dataset(
        name="synthetic",
        train=sets[_TRAIN],
        val=sets[_VAL],
        class_names=class_names(classes),
        mean=(0.45,) * 3,
        std=(0.2,) * 3,
        flip=True,
    )


def class_names(classes: int) -> tuple[str, ...]:
    """A name for each class, such as 'disc hue 72' or 'ring hue 30 on hue 180' (hues in degrees)."""
    shapes, hues, tints = _grid(classes)
    names = []
    for label in range(classes):
        shape, hue, tint = _factors(label, shapes, hues)
        name = f"{SHAPES[shape]} hue {360 * hue / hues:.0f}"
        names.append(f"{name} on hue {360 * tint / tints:.0f}" if tints > 1 else name)
    return tuple(names)


def draw(count: int, size: int, classes: int, rng: np.random.Generator) -> ArraySet:
    """Draw a set of images.

    Args:
        count: number of images; every class occurs equally often, to within one.
        size: height and width.
        classes: number of classes.
        rng: source of everything random.
    """
    labels = rng.permutation(np.arange(count) % classes).astype(np.int32)
    images = np.empty((count, size, size, 3), np.uint8)
    step = max(1, (1 << 20) // (size * size))  # about 12 MB of floats at a time
    for start in range(0, count, step):
        chunk = slice(start, start + step)
        images[chunk] = _render(labels[chunk], size, classes, rng)
    return ArraySet(images, labels)


def _grid(classes: int) -> tuple[int, int, int]:
    """(shapes, hues, background tints) whose product is `classes` or a little more."""
    shapes = 1 if classes < 4 else 2 if classes <= 2 * _MAX_HUES else len(SHAPES)
    hues = min(-(-classes // shapes), _MAX_HUES)
    return shapes, hues, -(-classes // (shapes * hues))


def _factors(label: Any, shapes: int, hues: int) -> tuple[Any, Any, Any]:
    """(shape, hue, tint) of a label or of an array of labels."""
    return label % shapes, label // shapes % hues, label // (shapes * hues)


def _render(labels: np.ndarray, size: int, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Labels (B,) -> images (B, size, size, 3) uint8."""
    shapes, hues, tints = _grid(classes)
    shape, hue, tint = _factors(labels, shapes, hues)
    batch = len(labels)
    coverage = _coverage(shape, size, rng)[..., None]
    foreground = (_rgb(hue / hues) * rng.uniform(0.75, 1.0, (batch, 1)).astype(np.float32))[:, None, None]
    background = _texture(batch, size, rng)
    if tints > 1:
        background = background * (0.4 + 0.6 * _rgb(tint / tints))[:, None, None]
    noise = rng.random((batch, size, size, 3), np.float32) * 0.2 - 0.1
    return np.rint(np.clip(background + coverage * (foreground - background) + noise, 0, 1) * 255).astype(np.uint8)


def _rgb(hue: np.ndarray) -> np.ndarray:
    """Hue (B,) from 0 to 1 -> fully saturated RGB (B, 3) float32: 0 is red, 1/3 green, 2/3 blue."""
    offset = np.abs((hue[:, None] - np.array([0, 1 / 3, 2 / 3]) + 0.5) % 1 - 0.5)
    return np.clip(2 - 6 * offset, 0, 1).astype(np.float32)


def _texture(batch: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Gray clouds (B, size, size, 1) float32: a coarse random grid, smoothly enlarged."""
    coarse = rng.uniform(0.2, 0.7, (batch, 4, 4)).astype(np.float32)
    position = np.linspace(0, 3, size)
    weights = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(4))).astype(np.float32)
    return (weights @ coarse @ weights.T)[..., None]


def _coverage(shape: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Share of each pixel that the shape covers, (B, size, size) float32 from 0 to 1."""
    batch = len(shape)
    radius = rng.uniform(0.24, 0.34, (batch, 1, 1)) * size
    center = rng.uniform(0.36, 0.64, (2, batch, 1, 1)) * size
    pixels = np.arange(size) + 0.5
    u = ((pixels[None, None, :] - center[0]) / radius).astype(np.float32)
    v = ((pixels[None, :, None] - center[1]) / radius).astype(np.float32)
    coverage = np.empty((batch, size, size), np.float32)
    for kind in np.unique(shape):
        chosen = shape == kind
        distance = _DISTANCE[SHAPES[kind]](u[chosen], v[chosen]) * radius[chosen]
        coverage[chosen] = np.clip(0.5 - distance, 0, 1)
    return coverage


#: shape -> function (u, v) -> distance to its edge in radii, below 0 inside; u runs to the right, v down
_DISTANCE: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "disc": lambda u, v: np.sqrt(u * u + v * v) - 1,
    "cross": lambda u, v: np.maximum(np.minimum(abs(u), abs(v)) - 0.3, np.maximum(abs(u), abs(v)) - 1),
    "square": lambda u, v: np.maximum(abs(u), abs(v)) - 0.85,
    "ring": lambda u, v: abs(np.sqrt(u * u + v * v) - 0.8) - 0.25,
    "triangle": lambda u, v: np.maximum(v - 0.7, 0.9 * abs(u) - 0.45 * v - 0.5),
}
