"""The data sets that the runs of a study need, opened before anything is trained."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...config.train import RunConfig
from ...utils.errors import UserError
from .plan import StudyPlan


def with_data(plan: StudyPlan) -> Iterator[tuple[Mapping[str, Any], RunConfig, int, tuple[int, int, int]]]:
    """The combinations of a plan that are tried before anything runs.

    Yields:
        (the options that differ, all options, number of classes, shape of an image).

    Raises:
        UserError: a data set cannot be opened.
    """
    from ...data.factory import open_dataset  # loads MXNet

    seen: dict[str, tuple[int, tuple[int, int, int]]] = {}
    for values in plan.samples:
        config = plan.run_options(values).config()
        key = str(config.data)
        if key not in seen:
            data = open_dataset(config.data, plan.seeds[0])
            seen[key] = data.classes, data.input_shape
        yield values, config, *seen[key]


def check_data(plan: StudyPlan) -> None:
    """See that the data sets can be opened, and that epochs have the score of the study.

    Raises:
        UserError: they cannot, or have not.
    """
    for _, config, classes, _ in with_data(plan):
        if plan.score.key == "val_top5" and classes < 6:
            raise UserError(f"no epoch has {plan.score.key}: {config.data.dataset} has {classes} classes")
