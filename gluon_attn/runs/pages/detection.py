"""What a report shows of the training of detectors: figures of the best epoch, AP of each class, curves."""

from collections.abc import Sequence
from typing import Any

from ...analyze.page import Part, Section, Table
from ...analyze.plots import compare_histories
from ...config.scores import BOX_AP, MASK_AP, Score
from ...utils.table import without_empty
from ..run_history import Run, about, differences

#: heading of a column -> end of the key of the records
_FIGURES = {"AP": "mAP", "AP50": "mAP_50", "AP75": "mAP_75", "small": "mAP_s", "medium": "mAP_m", "large": "mAP_l"}
_KINDS = {"box": "bbox", "mask": "segm"}
#: heading of a panel -> key of the records that it shows
PANELS = {
    "box AP": BOX_AP.key, "mask AP": MASK_AP.key, "loss": "train_loss", "loss of the masks": "train_loss_mask",
    "loss of the classes": "train_loss_cls", "loss of the boxes": "train_loss_bbox",
    "loss of the proposals' scores": "train_loss_rpn_cls", "loss of the proposals' boxes": "train_loss_rpn_bbox",
    "learning rate": "lr",
}  # fmt: skip


def detection_part(runs: Sequence[Run]) -> Part:
    """What a report shows of the training of detectors, one run or more."""
    header, known = about(runs)
    header, rows = without_empty(
        ("run", *header, "epochs", "best epoch", *(f"{kind} {name}" for kind in _KINDS for name in _FIGURES)),
        [_row(run, cells) for run, cells in zip(runs, known, strict=True)],
    )
    names, options, classes = ", ".join(run.name for run in runs), differences(runs), _classes(runs)
    sections = [
        Section("Figures", [Table(header, rows, caption="COCO's figures of the best epoch of each run")]),
        Section("Curves", [compare_histories(
            {run.name: _evaluated(run) for run in runs},
            f"AP, losses and learning rate over the epochs of {names}; the table has the figures.",
            PANELS,
        )]),
        Section("Classes", [Table(*classes, caption="AP of each class in the best epoch")] if classes[1] else []),
        Section("Options that differ", [Table(*options, caption="Options that differ")] if options[1] else []),
    ]  # fmt: skip
    summary = (
        "AP is COCO's: the mean over the classes and over overlaps from 0.5 to 0.95; AP50 and AP75 are those of one "
        "overlap, small, medium and large those of objects below 32, below 96 and from 96 pixels a side on."
    )
    title = f"{len(runs)} trainings of detectors" if len(runs) > 1 else f"{runs[0].name} (detection)"
    return Part(title, summary, header, rows, sections)


def _score(run: Run) -> Score:
    return MASK_AP if any(MASK_AP.key in record for record in run.history) else BOX_AP


def _best(run: Run) -> dict[str, Any]:
    return max(run.history, key=_score(run).of)


def _row(run: Run, known: Sequence[Any]) -> list[Any]:
    best = _best(run)
    figures = [best.get(f"val_{kind}_{name}") for kind in _KINDS.values() for name in _FIGURES.values()]
    return [
        run.name,
        *known,
        len(run.history),
        best["epoch"],
        *(None if one is None else f"{one:.3f}" for one in figures),
    ]


def _evaluated(run: Run) -> list[dict[str, Any]]:
    """The records; an epoch that was not evaluated has no AP, and a figure without objects is none."""
    return [{key: value for key, value in record.items() if value is not None} for record in run.history]


def _classes(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """(header, rows) of the AP of each class, a column for each run and kind."""
    columns = {
        f"{run.name}, {kind}": _best(run).get(f"val_{key}_per_class") or {}
        for run in runs for kind, key in _KINDS.items()
    }  # fmt: skip
    columns = {name: found for name, found in columns.items() if found}
    classes = list(dict.fromkeys(one for found in columns.values() for one in found))
    rows = [
        [one, *("" if found.get(one) is None else f"{found[one]:.3f}" for found in columns.values())] for one in classes
    ]
    return ["class", *columns], rows
