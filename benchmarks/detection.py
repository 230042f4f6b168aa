"""Mask R-CNN against torchvision on one thread: training steps, inference, evaluation.

    python benchmarks/detection.py --torch TORCHENV/bin/python --out benchmarks/results/detection.md

TORCHENV is an environment of its own, for this file only: `pip install torch==2.14.1 torchvision==0.29.1 pycocotools`
(Python 3.11). Both sides have the same weights, images, objects, proposals and samples; a row whose losses or
detections differ says so. A training step goes from pixels and objects to new weights, inference from pixels to masks
in the image, evaluation from detections to COCO's figures. Each side has a process of its own, and they take turns.
CLOCK=processor counts processor time, for a busy machine. Ratios are theirs over ours in time: above 1 ours is faster.
The last column is how near ours is to the limit that the processor's arithmetic sets (`lib/limit.py`), for the rois
that reached the heads; evaluation is no such arithmetic.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib import limit  # noqa: E402
from benchmarks.lib.detection_steps import FORMS  # noqa: E402
from benchmarks.lib.process import PROCESSOR, Peer  # noqa: E402
from benchmarks.lib.report import Table, command, machine, take_turns  # noqa: E402

#: name -> network and images
CASES: dict[str, dict[str, Any]] = {
    "small-256": {"backbone": "resnet18", "full": False, "height": 256, "width": 256, "batch": 1},
    "small-256x2": {"backbone": "resnet18", "full": False, "height": 256, "width": 256, "batch": 2},
    "full-256": {"backbone": "resnet50", "full": True, "height": 256, "width": 256, "batch": 1},
    "full-256x2": {"backbone": "resnet50", "full": True, "height": 256, "width": 256, "batch": 2},
    "small-800": {"backbone": "resnet18", "full": False, "height": 800, "width": 1333, "batch": 1},
    "full-800": {"backbone": "resnet50", "full": True, "height": 800, "width": 1333, "batch": 1},
}
EVALUATIONS = {"evaluation-256": 256, "evaluation-640": 640}
SIDES = ("eager", "compiled")
_IMAGES, _WARM_UP, _ALIKE = 100, 2, 2e-2
COLUMNS = ["what", "network", "images", "ours", *SIDES, *(f"to {side}" for side in SIDES), "agreement", limit.COLUMN]


def main() -> None:
    """Measure, print the table and, with --out, write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", default=sys.executable, help="Python of the environment with torchvision")
    parser.add_argument("--repeat", type=int, default=5, help="turns (default 5)")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES, help="torchvision's (default: both)")
    parser.add_argument("--form", nargs="+", choices=FORMS, default=list(FORMS), help="of inference (default: all)")
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("names", nargs="*", default=[*CASES, *EVALUATIONS], help="what (default: all)")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {*CASES, *EVALUATIONS}
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}")
    os.environ["OMP_NUM_THREADS"] = "1"
    table = Table(COLUMNS, numbers=len(COLUMNS) - 3)
    limit.measured()  # before others compute
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names:
            (_networks if name in CASES else _evaluation)(name, Path(folder), arguments, table)
    kind = "processor seconds" if PROCESSOR else "seconds"
    table.write(arguments.out, (
        f"# Detection against torchvision\n\n`{command(arguments.out, arguments.torch)}` on "
        f"{machine('MXNet 1.9.1', 'torch 2.14.1 and torchvision 0.29.1 in channels-last')}.\n"
        f"Medians of {arguments.repeat} turns in {kind}; ratio = theirs / ours, above 1 ours is faster. Small "
        "networks: ResNet-18, pyramid 64, box head 256, mask head 64, 64, trained norms. Full ones: ResNet-50, 256, "
        "1024, four times 256, norms that evaluate, stage 1 frozen. Inference includes masks in the image.\n"
        f"{limit.measured().line()}\n"
    ))  # fmt: skip


def _networks(name: str, folder: Path, arguments: argparse.Namespace, table: Table) -> None:
    """The rows of a network: training, and inference in each form."""
    order = {**CASES[name], "file": str(folder / "shared.npz")}
    peers = {"ours": Peer("benchmarks.lib.detection_steps")}
    for side in arguments.sides:
        peers[side] = Peer("benchmarks.lib.torch_detection", side, python=arguments.torch)
    said: dict[str, str] = {}
    for side, peer in peers.items():
        _asked(said, side, partial(peer.ask, order))
    shown = order["backbone"], f"{order['batch']} of {order['height']}x{order['width']}"
    forms = {f"inference, {form}": "" if form == "hybrid" else f"_{form}" for form in arguments.form}
    _rows(table, shown, peers, forms, ("infer", "found"), said, arguments)
    _rows(table, shown, peers, {"training": ""}, ("step", "losses"), said, arguments)
    for peer in peers.values():
        peer.close()


def _evaluation(name: str, folder: Path, arguments: argparse.Namespace, table: Table) -> None:
    """The row of an evaluation."""
    size = EVALUATIONS[name]
    order = {"size": size, "images": _IMAGES, "folder": str(folder / name), "file": str(folder / f"{name}.npz")}
    peers = {"ours": Peer("benchmarks.lib.detection_evaluation", "ours")}
    peers["eager"] = Peer("benchmarks.lib.detection_evaluation", "torchvision", python=arguments.torch)
    said: dict[str, str] = {}
    for side, peer in peers.items():
        _asked(said, side, partial(peer.ask, order))
    shown = "masks and boxes", f"{_IMAGES} of {size}"
    _rows(table, shown, peers, {"evaluation": ""}, ("evaluate", "figures"), said, arguments)
    for peer in peers.values():
        peer.close()


def _asked(said: dict[str, str], side: str, call: Callable[[], Any]) -> Any:
    """What a side answers; its error is noted."""
    try:
        return None if side in said else call()
    except RuntimeError as error:
        said[side] = str(error)
        return None


def _rows(
    table: Table, shown: tuple, peers: dict[str, Peer], ours: dict[str, str], what: tuple[str, str], said: dict,
    arguments: Any,
) -> None:  # fmt: skip
    """Measure one method of all sides in turns, of ours some forms: name of a row -> end of the method's name."""
    method, check = what
    calls = {name: (peers["ours"], end) for name, end in ours.items()}
    calls |= {side: (peer, "") for side, peer in peers.items() if side != "ours"}
    said = dict(said)
    found = {name: _asked(said, name, partial(peer.ask, check + end)) for name, (peer, end) in calls.items()}
    for name, (peer, end) in calls.items():  # after the check: what steps of training draw is each side's own
        for _ in range(_WARM_UP):
            _asked(said, name, partial(peer.ask, method + end))
    runs = {name: partial(peer.ask, method + end) for name, (peer, end) in calls.items() if name not in said}
    times = take_turns(runs, arguments.repeat)
    theirs = [side for side in SIDES if side in peers]
    counted = _asked(said, "ours", partial(peers["ours"].ask, f"{method}_operations")) if method != "evaluate" else None
    work = limit.Work(counted) if counted else None

    def share(name: str) -> str:
        return limit.measured().share(work, times[name]) if work and name in times else ""

    for name in ours:
        cells = [f"{times[one]:.3f}" if one in times else said.get(one, "") for one in (name, *SIDES)]
        ratios = [f"{times[side] / times[name]:.2f}" if {name, side} <= set(times) else "" for side in SIDES]
        table.add(name, *shown, *cells, *ratios, _agreement([found[one] for one in (name, *theirs)]), share(name))


def _agreement(found: list[Any]) -> str:
    """Whether all sides gave the same numbers, and the largest relative difference; ours come first."""
    ours, *others = [[*_flat(one)] for one in found if one is not None] or [[]]
    if not others:
        return ""
    pairs = [pair for other in others for pair in zip(ours, other, strict=True)]
    most = max(abs(one - two) / max(abs(two), 1e-6) for one, two in pairs)
    return f"{most:.0e}" if most < _ALIKE else f"no: {most:.0e}"


def _flat(values: Any) -> Any:
    if isinstance(values, list):
        for value in values:
            yield from _flat(value)
    else:
        yield values


if __name__ == "__main__":
    main()
