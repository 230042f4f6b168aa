"""What keeps the runs of a study from being trained, told before anything is."""

from collections.abc import Mapping
from typing import Any

from ...config.detect import has_masks
from ...config.tasks import DETECTION
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
    from ...models.build import build  # loads MXNet

    facts: dict[str, tuple[int, int]] = {}
    built = set()
    for values in plan.samples:
        config = plan.run_options(values).config()
        data = str(config.data)
        if data not in facts:
            facts[data] = _facts(plan, config)
        classes, size = facts[data]
        _check_score(plan, config, classes)
        model = config.model.replace(pretrained=None, use_pretrained=False)
        if (str(model), classes, size) in built:
            continue
        built.add((str(model), classes, size))
        try:
            build(model, classes, size)
        except UserError as error:
            if plan.kind == COMPARISON or isinstance(error, UnknownName):
                raise UserError(f"{_words(values)}: {error}") from None


def _facts(plan: StudyPlan, config: Any) -> tuple[int, int]:
    """(number of classes, height of the images) of the data of a run."""
    if plan.task is DETECTION:
        from ..detection_data import make_placement, open_sets
        from ..detection_network import check_detector

        check_detector(config.model.model)
        sets = open_sets(config)
        return len(sets[0].class_names), make_placement(config, sets).canvases.landscape[0]
    from ...data.factory import open_dataset
    from ..network import check_classifier

    check_classifier(config.model.model)
    found = open_dataset(config.data, plan.seeds[0])
    return found.classes, found.input_shape[1]


def _check_score(plan: StudyPlan, config: Any, classes: int) -> None:
    """See that epochs of a run have the score that runs are compared by."""
    if plan.score.key == "val_top5" and classes < 6:
        raise UserError(f"no epoch has {plan.score.key}: {config.data.dataset} has {classes} classes")
    if plan.task is DETECTION and "segm" in plan.score.key and not has_masks(config):
        raise UserError(f"no epoch has {plan.score.key}: {config.model.model} has no masks")


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.partition('.')[2]} {'plain' if value is None else value}" for key, value in values.items())
