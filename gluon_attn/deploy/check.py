"""Does an exported file compute what the network computes?"""

from dataclasses import dataclass

import numpy as np

from ..utils.errors import UserError
from .predictor import load

#: Largest difference allowed, relative to the largest logit. Each engine adds up its products in its own order: in
#: float32 that is a relative 6e-8 a layer, and 1e-7 to 3e-6 was seen for networks of 20 to 164 layers. A wrong
#: epsilon, padding or constant shows from 1e-4 on.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Agreement:
    """How an exported file compares on `images` images: `difference` is relative to the largest logit."""

    kind: str
    path: str
    images: int
    difference: float
    other_class: int

    @property
    def good(self):
        """Whether the two may be taken for the same network."""
        return self.difference <= TOLERANCE and not self.other_class

    def __str__(self):
        verdict = "agrees with" if self.good else "DIFFERS from"
        return (
            f"{self.kind:6} {self.path} {verdict} the trained network on {self.images} images: "
            f"largest difference {self.difference:.1e} of the largest logit, {self.other_class} in another class"
        )


def compare(path, images, expected):
    """Load the file at `path` and compare its logits for `images` (N,H,W,C uint8) with `expected` (N, classes)."""
    predictor = load(path)
    found = predictor.predict(images)
    if found.shape != expected.shape:
        raise UserError(f"{path} gives outputs of shape {found.shape}, the trained network {expected.shape}")
    scale = max(float(np.abs(expected).max()), np.finfo(np.float32).tiny)
    difference = float(np.abs(found - expected).max()) / scale
    # A class counts as another one when it is not a tie within the tolerance.
    behind = expected.max(axis=1) - expected[np.arange(len(images)), found.argmax(axis=1)]
    return Agreement(
        kind=predictor.kind,
        path=str(path),
        images=len(images),
        difference=difference if np.isfinite(difference) else float("inf"),
        other_class=int((behind > 2 * TOLERANCE * scale).sum()),
    )
