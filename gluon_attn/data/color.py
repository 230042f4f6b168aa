"""Changes of colour. Each is an affine map of (R, G, B), so they are composed, applied once and clipped once."""

import cv2
import numpy as np

#: eigenvalues (for pixels to 255) and eigenvectors, as columns, of ImageNet's colours: Krizhevsky et al. 2012
_VALUES = np.array([55.46, 4.794, 1.148])
_VECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
_LUMA = np.array([0.299, 0.587, 0.114])


def change_color(images, jitter, noise, rng):
    """Brightness, contrast and saturation in random order, then PCA lighting; (B, H, W, 3) uint8 in and out.

    Each of the three is scaled by a factor uniform in 1 - jitter to 1 + jitter. Lighting adds to every pixel of an
    image the eigenvectors of ImageNet's colours, each weighted by its eigenvalue times a normal number of deviation
    `noise`. As Gluon's RandomColorJitter and RandomLighting, which clip after each step.
    """
    changed = np.empty_like(images)
    for image, out in zip(images, changed, strict=True):
        matrix = jittered(cv2.mean(image)[:3], 1 + rng.uniform(-jitter, jitter, 3), rng.permutation(3))
        matrix[:, 3] += _VECTORS @ (_VALUES * rng.normal(0, noise, 3))
        out[...] = cv2.transform(image, matrix)
    return changed


def jittered(mean, factors, order):
    """The map (3, 4) for an image of mean colour `mean`; factors: brightness, contrast, saturation; order: theirs."""
    matrix = np.eye(3, 4)
    for step in order:
        factor = factors[step]
        if step == 2:  # saturation: between each pixel's grey and itself
            matrix = (factor * np.eye(3) + (1 - factor) * np.tile(_LUMA, (3, 1))) @ matrix
            continue
        grey = (
            _LUMA @ matrix @ np.append(mean, 1) if step == 1 else 0
        )  # contrast: from the mean grey; brightness: black
        matrix = factor * matrix
        matrix[:, 3] += (1 - factor) * grey
    return matrix
