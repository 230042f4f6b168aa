"""Every attention of the library against the same formula in PyTorch, eager, on the CPU.

    OMP_NUM_THREADS=2 python benchmarks/attention.py --out benchmarks/results/attention.md

Needs PyTorch in the same environment (`pip install torch==2.13.0`), for this file only. Each side has a process of
its own and the two take turns run by run. Ours is hybridized with static_alloc; PyTorch's formulas are in
`benchmarks/lib`. "fwd" is inference, "fwd+bwd" a training pass until all gradients are there. Ratios are ours over
PyTorch's: below 1 ours is faster. Pairwise attention is measured on small feature maps, as networks use it. The last
column is how near our training pass is to what the processor can do: see `lib/limit.py`.
"""

import argparse
import math
import os
import statistics
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib import limit  # noqa: E402
from benchmarks.lib.process import CLOCK, Peer  # noqa: E402
from benchmarks.lib.reasons import REASONS  # noqa: E402
from benchmarks.lib.report import Table, machine, take_turns  # noqa: E402
from benchmarks.lib.torch_names import NAMES  # noqa: E402

SHAPES = ((16, 256, 56, 56), (64, 64, 32, 32))
#: attentions between all pixels, or many of them; measured at the sizes of the last stages
PAIRWISE = "nonlocal pam danet bot aa lambda halo fa"
SMALL = ((16, 256, 16, 16), (64, 64, 8, 8))
#: must not be slower than PyTorch
CHOSEN = ("se", "eca", "cbam", "sge", "cha_atac", "triplet")


def compare(
    peers: Sequence[Peer], name: str, shape: tuple[int, ...], repeat: int, same_malloc: bool = False
) -> tuple[dict[str, tuple[float, float]], limit.Work]:
    """Time one attention on both sides.

    Args:
        peers: processes of ours and of PyTorch.
        name: of the attention.
        shape: of its input.
        repeat: runs of each side and kind.
        same_malloc: let PyTorch keep freed memory, too.

    Returns:
        "forward" and "both" -> medians in milliseconds, (ours, PyTorch's); the least work of "both".
    """
    for peer, keep in zip(peers, ({}, {"keep_memory": same_malloc}), strict=True):
        peer.ask({"name": name, "shape": shape, **keep})
        for order in ("forward", "both", "both"):
            peer.ask(order)
    found = {}
    for order in ("forward", "both"):
        runs = {number: partial(peer.ask, order) for number, peer in enumerate(peers)}
        median = take_turns(runs, repeat)
        found[order] = (1e3 * median[0], 1e3 * median[1])
    return found, limit.training(peers[0].ask("macs"), elements=2 * math.prod(shape))


def measure(names: Sequence[str], repeat: int, same_malloc: bool) -> tuple[Table, dict[str, list[float]]]:
    """The table, and per attention the ratios of forward and backward at each shape."""
    columns = ["attention", "shape", "fwd", "PyTorch", "ratio", "fwd+bwd", "PyTorch", "ratio", limit.COLUMN]
    table, limits = Table(columns, numbers=7), limit.measured()
    ratios: dict[str, list[float]] = {}
    for name in names:
        peers = [Peer("benchmarks.lib.peer", side) for side in ("mxnet", "torch")]
        for shape in SMALL if name in PAIRWISE.split() else SHAPES:
            cells = [name, "x".join(map(str, shape))]
            try:
                found, work = compare(peers, name, shape, repeat, same_malloc)
            except RuntimeError as error:
                table.add(*cells, str(error), *[""] * 6)
                break
            for ours, theirs in found.values():
                cells += [f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}"]
            ratios.setdefault(name, []).append(found["both"][0] / found["both"][1])
            table.add(*cells, limits.share(work, found["both"][0] / 1e3))
        for peer in peers:
            peer.close()
    return table, ratios


def summary(ratios: dict[str, list[float]]) -> str:
    """The median ratio, and which attentions are above 1 and why, as text."""
    values = [value for row in ratios.values() for value in row]
    above = [name for name, row in ratios.items() if max(row) > 1]
    kept = [name for name in CHOSEN if name in ratios and max(ratios[name]) <= 1]
    return (
        f"Forward and backward, {len(values)} measurements: median ratio {statistics.median(values):.2f}, "
        f"{sum(value <= 1 for value in values)} at or below 1.\n"
        f"At or below 1 at both shapes of {', '.join(CHOSEN)}: {', '.join(kept) or 'none'}.\n"
        f"Above 1 at some shape: {', '.join(above) or 'none'}.\n"
        + "".join(f"\n- {name}: {REASONS.get(name, 'not looked into')}." for name in above)
        + "\n" * bool(above)
    )


def main() -> None:
    """Measure, print the table and, with --out, write it."""
    parser = argparse.ArgumentParser(description="every attention against PyTorch")
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--repeat", type=int, default=9, help="runs of each side and kind (default 9)")
    parser.add_argument("--same-malloc", action="store_true", help="PyTorch keeps freed memory, as gluon_attn does")
    parser.add_argument("names", nargs="*", default=sorted(NAMES), help="attentions (default: all)")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    unknown = set(arguments.names) - set(NAMES)
    if arguments.repeat < 1 or unknown:
        parser.error("--repeat must be at least 1" if not unknown else f"no peer for {', '.join(sorted(unknown))}")
    table, ratios = measure(arguments.names, arguments.repeat, arguments.same_malloc)
    text = summary(ratios) if ratios else ""
    print(text)
    import mxnet
    import torch

    named = "" if arguments.names == sorted(NAMES) else f" {' '.join(arguments.names)}"
    head = (
        f"# Attentions against PyTorch\n\n`{CLOCK}"
        f"OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']} python benchmarks/attention.py "
        f"--repeat {arguments.repeat}{' --same-malloc' * arguments.same_malloc}{named}` on "
        f"{machine(f'MXNet {mxnet.__version__}', f'PyTorch {torch.__version__} eager', 'float32')}.\n"
        "Medians in milliseconds; ratio = ours / PyTorch, below 1 ours is faster; limit of fwd+bwd.\n"
        f"{limit.measured().line()}\n\n" + text
    )
    table.write(arguments.out, head)


if __name__ == "__main__":
    main()
