"""Measure the speed of networks of any kind, one process after the other."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from ..deploy.bench import Speed, ask, measure, summarize
from ..utils.log import get_logger
from ..utils.paths import expanded
from ..utils.progress import Progress
from .export_detector import exports_detector

_OF_DETECTORS = "gluon_attn.runs.measure_detector"


def measure_all(
    targets: Sequence[Path | str], batches: Sequence[int], threads: Sequence[int], repeat: int = 30, warm_up: int = 5
) -> list[Speed]:
    """Measure each target with each number of threads and each batch size, one after the other; logs each.

    Args:
        targets: Run folders, exported files or bundles, names of models. Of a detector the whole detection is measured,
            from images in memory to boxes and masks, and each of its graphs.
        batches: Images per pass.
        threads: Threads of the computation.
        repeat: Passes that count, of each measurement.
        warm_up: Passes before these.

    Raises:
        UserError: A target cannot be opened or run.
    """
    found: list[Speed] = []
    orders = list(itertools.product(dict.fromkeys(targets), dict.fromkeys(threads), dict.fromkeys(batches)))
    with Progress("measuring", len(orders)) as progress:
        for target, count, batch in orders:
            progress.update(0, f"{target}, batch {batch}")
            new = _measured(target, batch, count, repeat, warm_up)
            for one in new:
                get_logger().info("%s", one)
            found += new
            progress.update()
    return found


def _measured(target: Path | str, batch: int, threads: int, repeat: int, warm_up: int) -> list[Speed]:
    path = expanded(str(target))
    if not exports_detector(path):
        return [measure(target, batch, threads, repeat, warm_up)]
    answer = ask(path, batch, threads, repeat, warm_up, _OF_DETECTORS)
    return [
        summarize(f"{target}{name and ': '}{name}", {**answer, "seconds": seconds}, batch, threads)
        for name, seconds in answer["parts"].items()
    ]
