"""Training steps of ResNet-50 and the CIFAR ResNet-20, plain and with attention, against PyTorch on the CPU.

    OMP_NUM_THREADS=2 python benchmarks/train_step.py --out benchmarks/results/train_step.md

Needs PyTorch in the same environment (`pip install torch==2.13.0`), for this file only. A step is forward, backward
and an SGD update of one batch in memory, ours as `train_imagenet.py` makes it, PyTorch's in channels-last, eager and
after torch.compile. Each side has a process of its own; they take turns step by step. Both networks have the same
number of parameters, or the row says so. Ratios are images a second, ours over PyTorch's: above 1 ours is faster.
"""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib.networks import NETWORKS  # noqa: E402
from benchmarks.lib.process import Peer  # noqa: E402
from benchmarks.lib.report import Table, machine, take_turns  # noqa: E402

SIDES = ("mxnet", "eager", "compiled")
COLUMNS = ["network", "batch", "type", "img/s", "eager", "compiled", "to eager", "to compiled"]
DTYPES = ("float32", "bfloat16")
_WARM_UP = 3


def compare(order, repeat, sides=SIDES):
    """{side: images a second}; a side that cannot do it has its error in place of the number."""
    peers, found = {side: Peer("benchmarks.lib.steps", side) for side in sides}, {}
    weights = {}
    for side, peer in peers.items():
        try:
            peer.ask(order)
            for _ in range(_WARM_UP):
                peer.ask("step")
            weights[side] = peer.ask("weights")
        except RuntimeError as error:
            found[side] = str(error)
        if sides[0] in found:  # nothing to compare with
            found |= dict.fromkeys(sides[1:], "")
            break
    if len(set(weights.values())) > 1:
        found |= {side: f"{count} parameters" for side, count in weights.items()}
    runs = {side: partial(peer.ask, "step") for side, peer in peers.items() if side not in found}
    found |= {side: order["batch"] / seconds for side, seconds in take_turns(runs, repeat).items()}
    for peer in peers.values():
        peer.close()
    return found


def cells(found, sides=SIDES):
    """The speeds of all sides and the ratios of the first to the others, as text."""
    speeds = [f"{found[side]:.1f}" if isinstance(found[side], float) else found[side] for side in sides]
    ours = found[sides[0]]
    both = [isinstance(found[side], float) and isinstance(ours, float) for side in sides[1:]]
    ratios = [f"{ours / found[side]:.2f}" if fit else "" for side, fit in zip(sides[1:], both, strict=True)]
    return [*speeds, *ratios]


def parse(description, dtypes, out):
    """The command line of a comparison of steps; `out`: what --out holds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, help=f"write {out} to this Markdown file")
    parser.add_argument("--repeat", type=int, default=9, help="steps of each side (default 9)")
    parser.add_argument("--batch-size", type=int, help="images a step (default 16; CIFAR 64)")
    parser.add_argument("--size", type=int, default=224, help="height and width of photographs (default 224)")
    parser.add_argument("--dtype", nargs="+", choices=dtypes, default=dtypes, help="number types (default all)")
    parser.add_argument(
        "names", nargs="*", default=list(NETWORKS), help=f"networks (default all): {' '.join(NETWORKS)}"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NETWORKS)
    if unknown:
        parser.error(f"no network {', '.join(sorted(unknown))}")
    if min(arguments.repeat, arguments.batch_size or 1, arguments.size) < 1:
        parser.error("--repeat, --batch-size and --size must be at least 1")
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    return arguments


def measure(arguments, device, sides=SIDES, columns=COLUMNS):
    """The table of all networks and number types."""
    table = Table(columns, numbers=len(columns) - 3)
    for name in arguments.names:
        batch = arguments.batch_size or (64 if NETWORKS[name].small else 16)
        size = 32 if NETWORKS[name].small else arguments.size
        for dtype in arguments.dtype:
            order = {"name": name, "batch": batch, "size": size, "dtype": dtype, "device": device}
            table.add(name, batch, dtype, *cells(compare(order, arguments.repeat, sides), sides))
    return table


def head(title, arguments, *extra):
    """What stands above the table."""
    given = [word for word in sys.argv[1:] if word != "--out" and word != str(arguments.out)]
    return (
        f"# {title}\n\n`python benchmarks/{Path(sys.argv[0]).name} {' '.join(given)}` on {machine(*extra)}.\n"
        f"Medians of {arguments.repeat} steps, in images a second; ratio = ours / PyTorch's, above 1 ours is faster.\n"
    )


def main():
    """Measure, print the table and, with --out, write it."""
    arguments = parse(__doc__.splitlines()[0], DTYPES, "the table")
    table = measure(arguments, "cpu")
    import mxnet
    import torch

    versions = f"MXNet {mxnet.__version__}", f"PyTorch {torch.__version__} in channels-last"
    table.write(arguments.out, head("Training steps against PyTorch", arguments, *versions))


if __name__ == "__main__":
    main()
