"""Options of knowledge distillation: the teacher and the weights of the loss."""

from dataclasses import dataclass, fields

from ..utils.errors import UserError
from .base import Config, above, option, rate


@dataclass(frozen=True)
class DistillConfig(Config):
    """Knowledge distillation (Hinton et al. 2015): the outputs of a trained network, the teacher, are targets, too."""

    teacher: str | None = option(
        None,
        "teacher network: a run folder, or the name of a model with --teacher-params",
        metavar="DIR|NAME",
        path=True,
    )
    teacher_params: str | None = option(
        None, "parameter file of the model named by --teacher", metavar="FILE", path=True
    )
    temperature: float = option(20.0, "divides the logits of both networks before the softmax", check=above(0))
    hard_weight: float = option(
        0.5, "weight of the loss on the labels; the rest is the weight of the loss on the teacher's outputs", check=rate
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in fields(self):
            if not self.teacher and getattr(self, field.name) != field.default:
                raise UserError(f"option {field.name} needs option teacher")
