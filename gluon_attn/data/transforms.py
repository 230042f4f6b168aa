"""Augmentation of whole batches in NumPy.

`random_crop` and `random_flip` work on raw pixels (B, H, W, 3) uint8, as GluonCV's CIFAR scripts do;
`normalize` turns them into (B, 3, H, W) float32; `cutout` comes after it, as in Att-DARTS, so that its zeros are
the mean colour, and so does `random_erasing`, whose noise is of the normalised pixels' size.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def random_crop(images, padding, rng):
    """Add a black border of `padding` pixels, then cut the old size out at a random place, one an image."""
    batch, height, width, channels = images.shape
    padded = np.zeros((batch, height + 2 * padding, width + 2 * padding, channels), np.uint8)
    padded[:, padding : padding + height, padding : padding + width] = images
    top, left = rng.integers(0, 2 * padding + 1, (2, batch))
    windows = sliding_window_view(padded, (height, width), axis=(1, 2))
    return windows[np.arange(batch), top, left].transpose(0, 2, 3, 1)


def random_flip(images, rng):
    """Mirror each image left to right with probability one half."""
    chosen = rng.random(len(images)) < 0.5
    flipped = images.copy()
    flipped[chosen] = images[chosen, :, ::-1]
    return flipped


def normalize(images, mean, std):
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32: (x / 255 - mean) / std, per channel."""
    mean, std = (np.asarray(value, np.float64)[:, None, None] for value in (mean, std))
    data = images.transpose(0, 3, 1, 2).astype(np.float32, order="C")
    data *= (1 / (255 * std)).astype(np.float32)
    data -= (mean / std).astype(np.float32)
    return data


def cutout(data, length, rng):
    """Zero a square of side `length` in each of `data` (B, 3, H, W), in place.

    The centre falls on any pixel, so the square may stick out and is clipped (DeVries & Taylor 2017,
    https://arxiv.org/abs/1708.04552; as in Att-DARTS for even lengths, which makes odd ones a pixel smaller).
    """
    batch, _, height, width = data.shape
    top = rng.integers(0, height, batch) - length // 2
    left = rng.integers(0, width, batch) - length // 2
    for image, y, x in zip(data, top.tolist(), left.tolist(), strict=True):
        image[:, max(y, 0) : y + length, max(x, 0) : x + length] = 0
    return data


def random_erasing(data, share, rng, area=(0.02, 0.4), ratio=(0.3, 1 / 0.3)):
    """Fill a random rectangle with normal noise in a `share` of the images of `data` (B, 3, H, W), in place.

    Its share of the image is uniform in `area`, the logarithm of height / width uniform in `ratio`; what does not fit
    is drawn again (Zhong et al. 2017, https://arxiv.org/abs/1708.04896, who draw the ratio itself).
    """
    height, width = data.shape[2:]
    for number in np.flatnonzero(rng.random(len(data)) < share):
        while True:
            part, shape = rng.uniform(*area), math.exp(rng.uniform(*map(math.log, ratio)))
            h, w = (round(math.sqrt(height * width * part * r)) for r in (shape, 1 / shape))
            if h <= height and w <= width:
                break
        y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
        data[number, :, y : y + h, x : x + w] = rng.standard_normal((data.shape[1], h, w), np.float32)
    return data
