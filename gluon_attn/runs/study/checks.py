"""What keeps the runs of a study from being trained, told before anything is."""

from collections.abc import Mapping
from typing import Any

from ...registry import UnknownName
from ...utils.errors import UserError
from .plan import COMPARISON, StudyPlan


def check_runs(plan: StudyPlan) -> None:
    """Open each data set and build each network once.

    A combination of a sweep may be one that cannot be built: its run fails, and the others are compared.

    Args:
        plan: of the study.

    Raises:
        UserError: a data set cannot be opened, a network cannot be built or has an unknown name, or no epoch has the
            score; the message names the options that differ.
    """
    from ...data.factory import open_dataset  # loads MXNet
    from ...models.build import build

    facts: dict[str, tuple[int, int]] = {}
    built = set()
    for values in plan.samples:
        config = plan.run_options(values).config()
        data = str(config.data)
        if data not in facts:
            found = open_dataset(config.data, plan.seeds[0])
            facts[data] = found.classes, found.input_shape[1]
        classes, size = facts[data]
        if plan.score.key == "val_top5" and classes < 6:
            raise UserError(f"no epoch has {plan.score.key}: {config.data.dataset} has {classes} classes")
        model = config.model.replace(pretrained=None, use_pretrained=False)
        if (str(model), classes, size) in built:
            continue
        built.add((str(model), classes, size))
        try:
            build(model, classes, size)
        except UserError as error:
            if plan.kind == COMPARISON or isinstance(error, UnknownName):
                raise UserError(f"{_words(values)}: {error}") from None


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.partition('.')[2]} {'plain' if value is None else value}" for key, value in values.items())
