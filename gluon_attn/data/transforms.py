"""Augmentation of whole batches in NumPy.

`random_crop`, `random_flip` and `color_jitter` work on raw pixels (B, H, W, 3) uint8; `normalize` turns them into
(B, 3, H, W) float32. `cutout` comes after it, as in Att-DARTS, so that its zeros are the mean color, and so does
`random_erasing`, whose noise has the standard deviation of normalized pixels.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

#: eigenvalues (for pixels from 0 to 255) and eigenvectors (columns) of ImageNet's colors: Krizhevsky et al. 2012
_EIGENVALUES = np.array([55.46, 4.794, 1.148])
_EIGENVECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
_LUMA = np.array([0.299, 0.587, 0.114])
#: pixels that are normalized at a time, so that they stay in the processor's cache between the steps
_CACHED = 1 << 16


def random_crop(images: np.ndarray, padding: int, rng: np.random.Generator) -> np.ndarray:
    """Pad each image with black and crop the old size at random, as GluonCV's CIFAR scripts do.

    Args:
        images: (B, H, W, 3) uint8.
        padding: width of the border in pixels.
        rng: source of the offsets, one for each image.

    Returns:
        (B, H, W, 3) uint8.
    """
    batch, height, width, channels = images.shape
    padded = np.zeros((batch, height + 2 * padding, width + 2 * padding, channels), np.uint8)
    padded[:, padding : padding + height, padding : padding + width] = images
    top, left = rng.integers(0, 2 * padding + 1, (2, batch))
    windows = sliding_window_view(padded, (height, width), axis=(1, 2))  # type: ignore[call-overload]
    return windows[np.arange(batch), top, left].transpose(0, 2, 3, 1)


def random_flip(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirror each image left to right with probability 0.5.

    Args:
        images: (B, H, W, 3) uint8.
        rng: decides which ones.

    Returns:
        (B, H, W, 3) uint8, a new array.
    """
    chosen = rng.random(len(images)) < 0.5
    flipped = np.ascontiguousarray(images).copy()
    for number in np.flatnonzero(chosen):
        cv2.flip(images[number], 1, flipped[number])
    return flipped


def color_jitter(images: np.ndarray, jitter: float, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast and saturation in random order, then add PCA lighting.

    Each of the three is scaled by a factor uniform in 1 - jitter to 1 + jitter. Lighting adds to every pixel of an
    image the eigenvectors of ImageNet's colors, each weighted by its eigenvalue times a normal number of standard
    deviation `noise`. As Gluon's RandomColorJitter and RandomLighting, which clip after each step. Every step is an
    affine map of (R, G, B), so they are composed, applied once and clipped once.

    Args:
        images: (B, H, W, 3) uint8 RGB.
        jitter: largest relative change, from 0 to 1.
        noise: strength of the lighting; 0.1 in AlexNet.
        rng: source of the factors and their order.

    Returns:
        (B, H, W, 3) uint8, a new array.
    """
    changed = np.empty_like(images)
    for image, out in zip(images, changed, strict=True):
        matrix = jitter_matrix(cv2.mean(image)[:3], 1 + rng.uniform(-jitter, jitter, 3), rng.permutation(3))
        matrix[:, 3] += _EIGENVECTORS @ (_EIGENVALUES * rng.normal(0, noise, 3))
        out[...] = cv2.transform(image, matrix)
    return changed


def jitter_matrix(
    mean: Sequence[float] | np.ndarray, factors: Sequence[float] | np.ndarray, order: Sequence[int] | np.ndarray
) -> np.ndarray:
    """The affine map of colors that changes brightness, contrast and saturation of one image.

    Args:
        mean: (3,) mean color of the image.
        factors: (3,) of brightness, contrast and saturation.
        order: (3,) indices of `factors` in the order of application.

    Returns:
        (3, 4) matrix.
    """
    matrix = np.eye(3, 4)
    for step in order:
        factor = factors[step]
        if step == 2:  # saturation: between each pixel's gray value and itself
            matrix = (factor * np.eye(3) + (1 - factor) * np.tile(_LUMA, (3, 1))) @ matrix
            continue
        # contrast: between the mean gray value and the pixel; brightness: between black and the pixel
        gray = _LUMA @ matrix @ np.append(mean, 1) if step == 1 else 0
        matrix = factor * matrix
        matrix[:, 3] += (1 - factor) * gray
    return matrix


def normalize(images: np.ndarray, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Subtract the mean and divide by the standard deviation, channels first.

    Args:
        images: (B, H, W, 3) uint8.
        mean: per channel, of pixels from 0 to 1.
        std: standard deviation per channel, of pixels from 0 to 1.

    Returns:
        (B, 3, H, W) float32: (x / 255 - mean) / std.
    """
    means, stds = (np.asarray(value, np.float64) for value in (mean, std))
    scales, shifts = (1 / (255 * stds)).astype(np.float32), (means / stds).astype(np.float32)
    batch, height, width, channels = images.shape
    data = np.empty((batch, channels, height, width), np.float32)
    step = max(1, _CACHED // (height * width))
    for first in range(0, batch, step):
        planes = cv2.split(images[first : first + step].reshape(-1, width, channels))
        for channel, plane in enumerate(planes):
            out = data[first : first + step, channel]
            out[...] = plane.reshape(-1, height, width)
            out *= scales[channel]
            out -= shifts[channel]
    return data


def cutout(data: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Zero a square in each of (B, 3, H, W) images, in place.

    The center falls on any pixel, so the square may stick out and is clipped (DeVries & Taylor 2017,
    https://arxiv.org/abs/1708.04552). Even lengths are as in Att-DARTS, which makes odd ones a pixel smaller.

    Args:
        data: normalized images, float32; changed.
        length: side of the square in pixels.
        rng: source of the centers.

    Returns:
        `data`.
    """
    batch, _, height, width = data.shape
    top = rng.integers(0, height, batch) - length // 2
    left = rng.integers(0, width, batch) - length // 2
    for image, y, x in zip(data, top.tolist(), left.tolist(), strict=True):
        image[:, max(y, 0) : y + length, max(x, 0) : x + length] = 0
    return data


def random_erasing(
    data: np.ndarray,
    probability: float,
    rng: np.random.Generator,
    area: tuple[float, float] = (0.02, 0.4),
    ratio: tuple[float, float] = (0.3, 1 / 0.3),
) -> np.ndarray:
    """Fill a random rectangle with normal noise in some of (B, 3, H, W) images, in place.

    A rectangle that does not fit is drawn again (Zhong et al. 2017, https://arxiv.org/abs/1708.04896, who draw the
    ratio itself instead of its logarithm).

    Args:
        data: normalized images, float32; changed.
        probability: of an image to get a rectangle.
        rng: source of everything random.
        area: range of the rectangle's share of the image, drawn uniformly.
        ratio: range of height / width, whose logarithm is drawn uniformly.

    Returns:
        `data`.
    """
    height, width = data.shape[2:]
    for number in np.flatnonzero(rng.random(len(data)) < probability):
        while True:
            share, shape = rng.uniform(*area), math.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1])))
            h, w = (round(math.sqrt(height * width * share * r)) for r in (shape, 1 / shape))
            if h <= height and w <= width:
                break
        y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
        data[number, :, y : y + h, x : x + w] = rng.standard_normal((data.shape[1], h, w), np.float32)
    return data
