"""`gluon-attn bench`: latency and throughput of exported files, run folders and networks.

Of a detector also those of each of its graphs.
"""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..utils import cpu
from ..utils.files import write_json
from ..utils.paths import check_new_file
from ..utils.table import render
from .values import png, whole

if TYPE_CHECKING:
    from ..deploy.bench import Speed

HEADER = ("target", "kind", "type", "batch", "threads", "p50 ms", "p95 ms", "p99 ms", "img/s")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn bench`."""
    parser.add_argument(
        "targets", nargs="+", metavar="TARGET",
        help="deploy bundle or its file, run folder, or name of a model (random weights)",
    )  # fmt: skip
    parser.add_argument(
        "-b", "--batch-size", nargs="+", type=whole, default=[1, 8], metavar="N", help="images per pass (default 1 8)"
    )
    parser.add_argument(
        "--threads", nargs="+", type=whole, metavar="N", help="threads of the computation (default: the usable cores)"
    )
    parser.add_argument("--repeat", type=whole, default=30, metavar="N", help="passes that count (default 30)")
    parser.add_argument("--warm-up", type=whole, default=5, metavar="N", help="passes before these (default 5)")
    parser.add_argument("--json", action="store_true", help="print a JSON list with an object for each measurement")
    parser.add_argument("--output", metavar="FILE", help="write that JSON list to a file")
    parser.add_argument("--picture", type=png, metavar="FILE", help="draw images per second, as PNG")


def run(args: argparse.Namespace) -> int:
    """Measure each target in a process of its own, one after the other; print, and write the files asked for."""
    from ..runs.bench import measure_all

    for name in ("output", "picture"):
        check_new_file(getattr(args, name), f"option {name}")
    threads = args.threads or [cpu.threads(cpu.Host())[0]]
    found = measure_all(args.targets, args.batch_size, threads, args.repeat, args.warm_up)
    rows = [speed.to_dict() for speed in found]
    if args.output:
        write_json(args.output, rows)
    if args.picture:
        _draw(found, args.picture)
    print(json.dumps(rows, indent=2) if args.json else table(found))
    return 0


def _draw(found: "Sequence[Speed]", path: str) -> None:
    from ..analyze.charts import draw_bars

    labels = [f"{speed.target}, {speed.threads} {'thread' if speed.threads == 1 else 'threads'}" for speed in found]
    series = [f"batch {speed.batch}" for speed in found]
    draw_bars(labels, series, [speed.images_per_second for speed in found], "images per second", path)


def table(found: "Sequence[Speed]") -> str:
    """The measurements as text with aligned columns."""
    rows = [
        (*values[:5], *(f"{value:8.2f}" for value in values[5:]))
        for values in (tuple(one.to_dict().values()) for one in found)
    ]
    return render(HEADER, rows)
