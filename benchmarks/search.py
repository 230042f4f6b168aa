"""Second-order steps of the gradient searches against PyTorch on the CPU.

    OMP_NUM_THREADS=2 python benchmarks/search.py --out benchmarks/results/search.md

Needs PyTorch in the same environment (`pip install torch==2.13.0`), for this file only. A step updates the architecture
parameters by second order (four forward and backward passes: the training loss; the validation loss after the virtual
step; the training loss on both sides of the finite difference), then the weights (a fifth pass).
PyTorch is eager, in both memory layouts. Each side has a process of its own; they take turns. Ratios are steps per
second, ours over PyTorch's: above 1 ours is faster. The last column is how near our step is to the limit that the
processor's arithmetic sets: see `lib/limit.py`. CLOCK=processor counts processor time, for one thread on a busy
machine.
"""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # works in a clone that is not installed, too

from benchmarks.lib import limit  # noqa: E402
from benchmarks.lib.process import PROCESSOR, Peer  # noqa: E402
from benchmarks.lib.report import Table, command, machine, take_turns  # noqa: E402
from benchmarks.lib.search_steps import SEARCHES  # noqa: E402

#: side -> (its name in `search_steps`, environment)
SIDES = {"ours": ("mxnet", {}), "eager": ("eager", {}), "channels-last": ("eager", {"LAYOUT": "last"})}
COLUMNS = [
    "search", "batch", "ours, s", "eager, s", "channels-last, s", "ratio", "ours, GB", "eager, GB", limit.COLUMN,
]  # fmt: skip
#: forward passes of a step, those of backward included: three for a pass with all gradients, two without those of the
#: weights, which the two sides of the finite difference do not need
FORWARD_PASSES = 3 + 3 + 2 + 2 + 3


def row(name: str, repeat: int) -> tuple:
    """The row of a search: seconds of each side, the ratio to the faster PyTorch, peak memory, share of the limit."""
    batch = SEARCHES[name][2]
    peers = {side: Peer("benchmarks.lib.search_steps", kind, **extra) for side, (kind, extra) in SIDES.items()}
    for peer in peers.values():
        peer.ask({"name": name, "batch": batch})
        peer.ask("step")  # compiles and creates the momentum buffers
    counts = {peer.ask("weights") for peer in peers.values()}
    if len(counts) > 1:
        raise RuntimeError(f"{name}: the sides have {counts} parameters")
    seconds = take_turns({side: partial(peer.ask, "step") for side, peer in peers.items()}, repeat)
    memory = [peers[side].ask("memory") / 2**30 for side in ("ours", "eager")]
    work = limit.forward(FORWARD_PASSES * peers["ours"].ask("macs"))
    for peer in peers.values():
        peer.close()
    ratio = min(seconds["eager"], seconds["channels-last"]) / seconds["ours"]
    times = [f"{seconds[side]:.2f}" for side in SIDES]
    share = limit.measured().share(work, seconds["ours"])
    return name, batch, *times, f"{ratio:.2f}", *(f"{size:.2f}" for size in memory), share


def main() -> None:
    """Measure, print the table and, with --out, write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--repeat", type=int, default=5, help="steps of each side (default 5)")
    parser.add_argument("names", nargs="*", default=list(SEARCHES), help=f"default all: {' '.join(SEARCHES)}")
    arguments = parser.parse_args()
    if set(arguments.names) - set(SEARCHES) or arguments.repeat < 1:
        parser.error(f"known are {', '.join(SEARCHES)}, and --repeat must be at least 1")
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    table = Table(COLUMNS, numbers=len(COLUMNS) - 1)
    for name in arguments.names:
        table.add(*row(name, arguments.repeat))
    import mxnet
    import torch

    versions = f"MXNet {mxnet.__version__}", f"PyTorch {torch.__version__}"
    head = (
        f"# Steps of searches against PyTorch\n\n`{command(arguments.out)}` on {machine(*versions)}.\n"
        f"Medians of {arguments.repeat} steps{' in processor time' * PROCESSOR}; ratio = the faster PyTorch / ours, "
        "above 1 ours is faster. Memory is the peak of the process, libraries included.\n"
        f"{limit.measured().line()}\n"
    )
    table.write(arguments.out, head)


if __name__ == "__main__":
    main()
