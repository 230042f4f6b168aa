"""Training steps of ResNet-50 and the CIFAR ResNet-20, plain and with attention, against PyTorch on the CPU.

    OMP_NUM_THREADS=2 python benchmarks/train_step.py --out benchmarks/results/train_step.md

Needs PyTorch in the same environment (`pip install torch==2.13.0`), for this file only; networks of timm, by name, in
one that has it: `--torch PYTHON`. A step is forward, backward
and an SGD update of one batch in memory, ours as in `train_imagenet.py`, PyTorch's in channels-last, eager and after
torch.compile. Each side has a process of its own, and their steps alternate. Both networks have the same number of
parameters, or the row says that they do not. Ratios are those of images per second, ours over PyTorch's: above 1 ours
is faster. The last column is how near our step is to the limit that the processor's arithmetic in that dtype sets,
see `lib/limit.py`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib import limit  # noqa: E402
from benchmarks.lib.networks import NETWORKS, TIMM  # noqa: E402
from benchmarks.lib.process import PROCESSOR, Peer  # noqa: E402
from benchmarks.lib.report import TORCH_HELP, Table, command, machine, take_turns, versions  # noqa: E402

PEERS = ("eager", "compiled")
SIDES = ("mxnet", *PEERS)
DTYPES = ("float32", "bfloat16")
_WARM_UP = 3


def compare(
    order: dict[str, Any], repeat: int, sides: Sequence[str] = SIDES, python: str = sys.executable
) -> dict[str, float | str]:
    """Measure the steps of one network.

    Args:
        order: Arguments of the classes in `lib.steps`.
        repeat: Number of steps of each side.
        sides: Which sides, ours first.
        python: Interpreter of PyTorch's sides.

    Returns:
        Side -> images per second, or the reason why there is no number: an error, or a number of parameters that is not
        that of the other sides.
    """
    peers = {
        side: Peer("benchmarks.lib.steps", side, python=sys.executable if side == "mxnet" else python) for side in sides
    }
    found: dict[str, float | str] = {}
    weights: dict[str, int] = {}
    for side, peer in peers.items():
        try:
            peer.ask(order)
            for _ in range(_WARM_UP):
                peer.ask("step")
            weights[side] = peer.ask("weights")
        except RuntimeError as error:
            found[side] = str(error)
        if sides[0] in found:  # ours failed: there is nothing to compare with
            found |= dict.fromkeys(sides[1:], "")
            break
    if len(set(weights.values())) > 1:
        found |= {side: f"{count} parameters" for side, count in weights.items()}
    runs = {side: partial(peer.ask, "step") for side, peer in peers.items() if side not in found}
    found |= {side: order["batch"] / seconds for side, seconds in take_turns(runs, repeat).items()}
    for peer in peers.values():
        peer.close()
    return found


def cells(found: dict[str, float | str], sides: Sequence[str] = SIDES) -> list[str]:
    """Return the speeds of all sides and the ratios of the first to each other side, as text."""
    ours, *others = (found[side] for side in sides)
    speeds = [f"{speed:.1f}" if isinstance(speed, float) else speed for speed in (ours, *others)]
    both = ((ours, other) if isinstance(ours, float) and isinstance(other, float) else None for other in others)
    return [*speeds, *(f"{pair[0] / pair[1]:.2f}" if pair else "" for pair in both)]


def parse(description: str, dtypes: Sequence[str], out: str) -> argparse.Namespace:
    """Parse the command line of a comparison of training steps, and set OMP_NUM_THREADS if it is not set.

    Args:
        description: First line of the help.
        dtypes: The dtypes that can be measured.
        out: What --out writes, for the help.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, help=f"write {out} to this Markdown file")
    parser.add_argument("--repeat", type=int, default=9, help="steps of each side (default 9)")
    parser.add_argument("--batch-size", type=int, help="images per step (default 16; CIFAR 64)")
    parser.add_argument("--size", type=int, default=224, help="height and width of photographs (default 224)")
    parser.add_argument("--dtype", nargs="+", choices=dtypes, default=dtypes, help="dtypes (default: all)")
    parser.add_argument(
        "names",
        nargs="*",
        default=[name for name in NETWORKS if name not in TIMM],
        help=f"networks (default: all whose peer is here): {' '.join(NETWORKS)}",
    )
    parser.add_argument("--sides", nargs="+", choices=PEERS, default=PEERS, help="PyTorch's (default: both)")
    parser.add_argument("--torch", metavar="PYTHON", default=sys.executable, help=TORCH_HELP)
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NETWORKS)
    if unknown:
        parser.error(f"no network {', '.join(sorted(unknown))}")
    if min(arguments.repeat, arguments.batch_size or 1, arguments.size) < 1:
        parser.error("--repeat, --batch-size and --size must be at least 1")
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    return arguments


def measure(arguments: argparse.Namespace, device: str) -> Table:
    """Measure all networks in all dtypes that the command line asks for.

    Args:
        arguments: The result of `parse`.
        device: "cpu" or "gpu".

    Returns:
        The table, already printed.
    """
    sides = ("mxnet", *arguments.sides)
    limits = limit.measured() if device == "cpu" else None
    last = [limit.COLUMN] if limits else []
    columns = ["network", "batch", "type", "img/s", *sides[1:], *(f"to {side}" for side in sides[1:]), *last]
    table = Table(columns, numbers=len(columns) - 3)
    for name in arguments.names:
        batch = arguments.batch_size or (64 if NETWORKS[name].small else 16)
        size = 32 if NETWORKS[name].small else arguments.size
        for dtype in arguments.dtype:
            order = {"name": name, "batch": batch, "size": size, "dtype": dtype, "device": device}
            found = compare(order, arguments.repeat, sides, arguments.torch)
            row, speed = cells(found, sides), found[sides[0]]
            if limits:
                work = limit.training(limit.network_macs(NETWORKS[name], size), dtype)
                row.append(limits.share(work, 1 / speed) if isinstance(speed, float) else "")
            table.add(name, batch, dtype, *row)
    return table


def head(title: str, arguments: argparse.Namespace, *extra: str, on_cpu: bool) -> str:
    """Return the text above the table: title, command, machine and versions (`extra`), on a CPU its limits."""
    kind = " of processor time" if PROCESSOR else ""
    return (
        f"# {title}\n\n`{command(arguments.out, arguments.torch)}` on {machine(*extra)}.\n"
        f"Medians of {arguments.repeat} steps, in images a second{kind}; ratio: ours / PyTorch's, above 1 is faster.\n"
        + (f"{limit.measured().line()}\n" if on_cpu else "")
    )


def main() -> None:
    """Measure, print the table and, with --out, write it."""
    arguments = parse(__doc__.splitlines()[0], DTYPES, "the table")
    table = measure(arguments, "cpu")
    found = [*versions("mxnet"), *versions("torch", "timm", python=arguments.torch), "PyTorch in channels-last"]
    table.write(arguments.out, head("Training steps against PyTorch", arguments, *found, on_cpu=True))


if __name__ == "__main__":
    main()
