"""The number by which the epochs of a run, and runs, are compared: its key in records, its name, its direction."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Score:
    """The score by which a task ranks epochs.

    Attributes:
        key: key of the score in an epoch's record.
        name: its name in messages.
        higher_is_better: the direction; False for an error or a loss.
    """

    key: str
    name: str
    higher_is_better: bool = True

    def of(self, record: Mapping[str, Any]) -> float:
        """The score of a record; without a finite number the worst possible one, minus or plus infinity."""
        value = record.get(self.key)
        if isinstance(value, int | float) and math.isfinite(value):
            return value
        return -math.inf if self.higher_is_better else math.inf

    def last(self, history: Sequence[Mapping[str, Any]]) -> float:
        """The score of the last record that has one; detectors are not evaluated after every epoch."""
        known = [record for record in history if record.get(self.key) is not None]
        return self.of(known[-1] if known else {})

    def is_better(self, record: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether a record has a better score; with equal scores the earlier one stays the best.

        Args:
            record: the record of a later epoch.
            other: the record to compare with.
        """
        return self.of(record) > self.of(other) if self.higher_is_better else self.of(record) < self.of(other)


#: classification, distillation and the searches that train classifiers
ACCURACY = Score("val_accuracy", "test accuracy")
#: detection: the mean over classes and overlaps, as COCO has it
BOX_AP = Score("val_bbox_mAP", "box AP")
MASK_AP = Score("val_segm_mAP", "mask AP")
#: with one overlap, 0.5
BOX_AP50 = Score("val_bbox_mAP_50", "box AP50")
MASK_AP50 = Score("val_segm_mAP_50", "mask AP50")
