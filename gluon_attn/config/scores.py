"""The number by which the epochs of a run, and runs, are compared: its key in records, its name, its direction."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Score:
    """What a task is judged by.

    Attributes:
        key: key of the score in an epoch's record.
        name: what people read.
        higher_is_better: the direction; False for an error or a loss.
    """

    key: str
    name: str
    higher_is_better: bool = True

    def of(self, record: Mapping[str, Any]) -> float:
        """The score of a record; the worst there is where the record has no finite number for it."""
        value = record.get(self.key)
        if isinstance(value, int | float) and math.isfinite(value):
            return value
        return -math.inf if self.higher_is_better else math.inf

    def is_better(self, record: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether a record beats another; among equals the earlier one stays the best."""
        return self.of(record) > self.of(other) if self.higher_is_better else self.of(record) < self.of(other)


#: classification, distillation and the searches that train classifiers
ACCURACY = Score("val_accuracy", "test accuracy")
