"""Mask R-CNN against torchvision on one thread: training steps, inference, evaluation.

    python benchmarks/detection.py --torch TORCHENV/bin/python --out benchmarks/results/detection.md

TORCHENV is an environment of its own, for this file only: `pip install torch==2.14.1 torchvision==0.29.1 pycocotools`
(Python 3.11). Both sides have the same weights, images, objects, proposals and samples; a row whose losses or
detections differ says so. A training step goes from pixels and objects to new weights, inference from pixels to masks
in the image, evaluation from detections to COCO's figures. Each side has a process of its own, and they take turns.
CLOCK=processor counts processor time, for a busy machine. Ratios are theirs over ours in time: above 1 ours is faster.
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

from benchmarks.lib.detection_steps import FORMS  # noqa: E402
from benchmarks.lib.process import Peer  # noqa: E402
from benchmarks.lib.report import Table, machine, take_turns  # noqa: E402

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
COLUMNS = ["what", "network", "images", "ours", *SIDES, *(f"to {side}" for side in SIDES), "agreement"]


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
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names:
            (_networks if name in CASES else _evaluation)(name, Path(folder), arguments, table)
    given = [word for word in sys.argv[1:] if word not in ("--out", str(arguments.out))]
    kind = "processor seconds" if os.environ.get("CLOCK") == "processor" else "seconds"
    table.write(arguments.out, (
        f"# Detection against torchvision\n\n`python benchmarks/detection.py {' '.join(given)}` on "
        f"{machine('MXNet 1.9.1', 'torch 2.14.1 and torchvision 0.29.1 in channels-last')}.\n"
        f"Medians of {arguments.repeat} turns in {kind}; ratio = theirs / ours, above 1 ours is faster. Small "
        "networks: ResNet-18, pyramid 64, box head 256, mask head 64, 64, trained norms. Full ones: ResNet-50, 256, "
        "1024, four times 256, norms that evaluate, stage 1 frozen. Inference includes masks in the image.\n"
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
    calls = {side: peer.ask for side, peer in peers.items()}
    for form in arguments.form:
        own = "" if form == "hybrid" else f"_{form}"
        _row(table, (f"inference, {form}", *shown), calls, f"infer{own}", f"found{own}", said, arguments, own)
    _row(
        table, ("training", *shown), {side: peer.ask for side, peer in peers.items()}, "step", "losses", said, arguments
    )
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
    shown = "evaluation", "masks and boxes", f"{_IMAGES} of {size}"
    _row(table, shown, {side: peer.ask for side, peer in peers.items()}, "evaluate", "figures", said, arguments)
    for peer in peers.values():
        peer.close()


def _asked(said: dict[str, str], side: str, call: Callable[[], Any]) -> Any:
    """What a side answers; its error is noted."""
    try:
        return None if side in said else call()
    except RuntimeError as error:
        said[side] = str(error)
        return None


def _row(
    table: Table, shown: tuple, calls: dict, what: str, check: str, said: dict, arguments: Any, own: str = ""
) -> None:
    """Measure one method of all sides in turns; of ours it may be that of another form, which ends in `own`."""
    said = dict(said)
    asks = {side: (what if side == "ours" else what.removesuffix(own)) for side in calls}
    checks = {side: (check if side == "ours" else check.removesuffix(own)) for side in calls}
    before = check != "figures"  # which are there afterwards only
    found = {side: _asked(said, side, partial(calls[side], checks[side])) for side in calls} if before else {}
    for side in calls:
        for _ in range(_WARM_UP):
            _asked(said, side, partial(calls[side], asks[side]))
    runs = {side: partial(calls[side], asks[side]) for side in calls if side not in said}
    times = take_turns(runs, arguments.repeat)
    if not before:
        found = {side: _asked(said, side, partial(calls[side], checks[side])) for side in calls}
    cells = [f"{times[side]:.3f}" if side in times else said.get(side, "") for side in ("ours", *SIDES)]
    ratios = [f"{times[side] / times['ours']:.2f}" if {"ours", side} <= set(times) else "" for side in SIDES]
    table.add(*shown, *cells, *ratios, _agreement(found))


def _agreement(found: dict[str, Any]) -> str:
    """Whether all sides gave the same numbers, and the largest relative difference."""
    ours, *others = ([*_flat(one)] for one in found.values() if one is not None)
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
