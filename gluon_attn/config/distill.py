"""Options of distillation: from which network, how much."""

from dataclasses import dataclass, fields

from ..utils.errors import UserError
from .base import Config, above, option, rate


@dataclass(frozen=True)
class DistillConfig(Config):
    """A trained network, the teacher, whose outputs are targets beside the labels (Hinton et al. 2015)."""

    teacher: str | None = option(
        None, "network to learn from: a run folder, or a model's name with --teacher-params", metavar="DIR|NAME"
    )
    teacher_params: str | None = option(None, "parameter file of the model that --teacher names", metavar="FILE")
    temperature: float = option(20.0, "divides the outputs of both networks before their softmax", check=above(0))
    hard_weight: float = option(0.5, "weight of the labels; the rest is the teacher's", check=rate)

    def __post_init__(self):
        super().__post_init__()
        for field in fields(self):
            if not self.teacher and getattr(self, field.name) != field.default:
                raise UserError(f"--{field.name.replace('_', '-')} needs a --teacher")
