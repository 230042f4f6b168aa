"""Dynamic loss scaling for float16, Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740"""

from ..utils.errors import TrainingError
from ..utils.log import get_logger


class LossScaler:
    """The factor on the loss that keeps small gradients above float16's smallest number.

    A step whose gradients are not finite is skipped and halves the scale; `window` steps in a row without one double
    it, up to `most`. The losses of a batch are summed here, not averaged, hence a first scale below the usual 2**16.

    Args:
        scale: the first factor (default 1024).
        window: steps without an overflow after which the scale is doubled (default 2000).
        most: the largest factor (default 2**24).

    Attributes:
        scale: the factor now.
        good: finite steps since it changed.
    """

    def __init__(self, scale: float = 2.0**10, window: int = 2000, most: float = 2.0**24):
        self.scale, self.good, self.window, self.most = scale, 0, window, most

    def accept(self, finite: bool) -> bool:
        """Adapt the scale to a step.

        Args:
            finite: whether all gradients of the step are finite.

        Returns:
            Whether to make the step.

        Raises:
            TrainingError: gradients are not finite even at scale 1.
        """
        if finite:
            self.good += 1
            if self.good == self.window:
                self.scale, self.good = min(self.most, 2 * self.scale), 0
            return True
        if self.scale <= 1:
            raise TrainingError(
                "gradients are not finite even at loss scale 1; lower option lr, or give option dtype float32"
            )
        self.scale, self.good = self.scale / 2, 0
        get_logger().info("gradients overflowed: step left out, loss scale lowered to %g", self.scale)
        return False

    def state(self) -> dict:
        """Numbers that `load` takes back."""
        return {"scale": self.scale, "good": self.good}

    def load(self, state: dict) -> None:
        """Resume from the `state` of another scaler."""
        self.scale, self.good = state["scale"], state["good"]
