"""One HTML page about any run folders and studies."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from ..analyze.page import Part, Section, Text, write_page
from ..config.detect import DetectRunConfig
from ..config.ean import EanSearchConfig
from ..config.run_kind import held_kind
from ..config.search import AnasConfig, AttDartsConfig
from ..utils.errors import UserError
from ..utils.paths import check_new_file, expanded
from .folder import RunFolder
from .pages.connections import connections_part
from .pages.detection import detection_part
from .pages.gradient_search import gradient_search_part, random_search_part
from .pages.study import study_part
from .pages.training import training_part
from .run_history import read_runs
from .study.folder import StudyFolder

_TRAINING, _RANDOM, _STUDY, _DETECTION = "train", "random search", "study", DetectRunConfig.kind
_GRADIENT = (AttDartsConfig.kind, AnasConfig.kind)
_TOGETHER = (_TRAINING, _DETECTION, *_GRADIENT)  # kinds whose runs are compared with each other


def report(folders: Sequence[str | Path], output: str | Path) -> list[Part]:
    """Write a page about run folders and studies of any kind.

    Training runs are compared with each other, and so are gradient searches of one kind; every other search and every
    study has a part of its own. A folder of several runs, such as those of several seeds, stands for all of them.

    Args:
        folders: run folders and studies; they may still be at work.
        output: HTML file to write.

    Returns:
        The parts of the page.

    Raises:
        UserError: a folder is neither, holds nothing to show yet, or the page cannot be written.
    """
    output = expanded(output)
    check_new_file(output, "option output")
    groups: dict[tuple[str, Path | None], list[Path]] = {}
    for folder in dict.fromkeys(one for path in folders for one in _members(Path(expanded(path)))):
        kind = _kind(folder)
        groups.setdefault((kind, None if kind in _TOGETHER else folder), []).append(folder)
    parts = [_part(kind, paths) for (kind, _), paths in groups.items()]
    if len(parts) == 1:
        write_page(output, parts[0].title, parts[0].summary, parts[0].sections)
    else:
        summary = f"{'; '.join(part.title for part in parts)}."
        write_page(output, f"{len(parts)} reports", summary, [one for part in parts for one in _below(part)])
    return parts


def _members(path: Path) -> list[Path]:
    """The folder itself, or the runs in a folder of several runs."""
    if StudyFolder(path).plan_file.is_file() or RunFolder(path).holds_run:
        return [path]
    if not path.is_dir():
        raise UserError(f"there is no folder {path}")
    parts = [path / name for name in RunFolder(path).parts]
    if not parts:
        raise UserError(f"{path} is not a run folder: it has no {RunFolder(path).config_file.name}")
    return parts


def _kind(path: Path) -> str:
    if StudyFolder(path).plan_file.is_file():
        return _STUDY
    kind = held_kind(path)
    if kind in _GRADIENT and RunFolder(path).random_file.is_file():
        return _RANDOM
    return kind if kind in (*_TOGETHER, EanSearchConfig.kind) else _TRAINING


def _part(kind: str, paths: Sequence[Path]) -> Part:
    if kind == _TRAINING:
        return training_part(read_runs(paths))
    if kind == _DETECTION:
        return detection_part(read_runs(paths))
    if kind in _GRADIENT:
        return gradient_search_part(kind, list(zip(read_runs(paths), map(RunFolder, paths), strict=True)))
    alone: dict[str, Callable[[Path], Part]] = {
        _STUDY: lambda path: study_part(StudyFolder(path)),
        _RANDOM: lambda path: random_search_part(RunFolder(path), path.resolve().name),
        EanSearchConfig.kind: lambda path: connections_part(RunFolder(path)),
    }
    return alone[kind](paths[0])


def _below(part: Part) -> list[Section]:
    """The sections of a part of a page with several."""
    return [
        Section(part.title, [Text([part.summary])]),
        *(dataclasses.replace(section, level=3) for section in part.sections),
    ]
