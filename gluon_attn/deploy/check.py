"""Does an exported file compute what the network computes?"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..utils.errors import UserError
from .predictor import Predictor, load

#: Largest difference of the logits that float32 files of the network's own operators may have, relative to the largest
#: logit. Each engine adds up its products in its own order: in float32 that is a relative 6e-8 per layer, and 1e-7 to
#: 3e-6 was seen for networks of 20 to 164 layers. A wrong epsilon, padding or constant shows from 1e-4 on.
TOLERANCE = 1e-5
#: The same for optimized graphs by precision: rounding in float32 by operators in another order through sharp
#: softmaxes, then 2^-11 and 2^-9 per layer. A wrong graph is beyond. Int8 is judged by its accuracy.
ROUNDING = {"float32": 1e-4, "float16": 1e-1, "bfloat16": 3e-1, "int8": float("inf")}


@dataclass(frozen=True)
class Agreement:
    """How an exported file compares with the network that it was made of.

    Attributes:
        kind: `Predictor.kind` of the file.
        path: Where it is.
        images: Number of images compared.
        difference: Largest difference of the logits, relative to the largest logit; infinite if one is not finite.
        other_class: Number of images whose best class is another one; ties within the tolerance are none.
        tolerance: Largest `difference` allowed.
    """

    kind: str
    path: str
    images: int
    difference: float
    other_class: int
    tolerance: float = TOLERANCE

    @property
    def good(self) -> bool:
        """Whether the file may be taken for the same network."""
        return math.isfinite(self.difference) and self.difference <= self.tolerance and not self.other_class

    @property
    def told(self) -> str:
        """In words."""
        return f"largest difference {self.difference:.1e} of the largest logit"

    def __str__(self) -> str:
        verdict = "agrees with" if self.good else "DIFFERS from"
        return (
            f"{self.kind:6} {self.path} {verdict} the trained network on {self.images} images: "
            f"largest difference {self.difference:.1e} of the largest logit, {self.other_class} in another class"
        )


def compare(path: Path | str, images: np.ndarray, expected: np.ndarray) -> Agreement:
    """Load an exported file and compare its logits with those of the network.

    Args:
        path: The file.
        images: (N,H,W,C) uint8.
        expected: Logits (N,classes) of the network.

    Raises:
        UserError: The file cannot be loaded, or its outputs have another shape.
    """
    return compare_predictor(load(path), path, images, expected)


def compare_predictor(
    predictor: Predictor, path: Path | str, images: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE
) -> Agreement:
    """Compare the logits of a file that is loaded already with those of the network.

    Args:
        predictor: The loaded file.
        path: Where it is, for messages.
        images: (N,H,W,C) uint8.
        expected: Logits (N,classes) of the network.
        tolerance: Largest difference allowed, relative to the largest logit.

    Raises:
        UserError: The outputs have another shape.
    """
    found = predictor.predict(images)
    if found.shape != expected.shape:
        raise UserError(f"{path} gives outputs of shape {found.shape}, the trained network {expected.shape}")
    scale = max(float(np.abs(expected).max()), float(np.finfo(np.float32).tiny))
    difference = float(np.abs(found - expected).max()) / scale
    # by how much the logit of the class that the file predicts is below the largest one, in the network
    margin = expected.max(axis=1) - expected[np.arange(len(images)), found.argmax(axis=1)]
    return Agreement(
        kind=predictor.kind,
        path=str(path),
        images=len(images),
        difference=difference if np.isfinite(difference) else float("inf"),
        other_class=int((margin > 2 * tolerance * scale).sum()),
        tolerance=tolerance,
    )
