"""The forms of `gluon_attn.nn.fast`, timed against each other on the CPU.

    OMP_NUM_THREADS=2 python benchmarks/gating.py --out benchmarks/results/gating.md

Blocks are hybridized with static_alloc and static_shape; the forms take turns in one process. A figure is
the median in milliseconds; "fwd+bwd" ends when the gradients of all inputs are there. It takes a minute.
Run it on a quiet machine: with more threads than cores the ratios mean nothing. CLOCK=processor counts processor time,
for one thread on a busy machine. The last column is how near the compiled form is to the rate at which the processor
moves bytes: see `lib/limit.py`.
"""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

import gluon_attn  # noqa: E402, F401, I001 - before MXNet: it sets threads and malloc
import mxnet as mx  # noqa: E402

from benchmarks.lib import limit  # noqa: E402
from benchmarks.lib.process import CLOCK, PROCESSOR, clock  # noqa: E402
from benchmarks.lib.report import Table, machine, take_turns  # noqa: E402
from gluon_attn.nn import fast, kernels  # noqa: E402

#: function -> its inputs: x: feature map, c: channel gate, s: spatial gate
OPERATIONS = {
    "channel_gate": "xc",
    "spatial_gate": "xs",
    "channel_mean": "x",
    "channel_max": "x",
    "global_avg": "x",
    "global_max": "x",
    "sigmoid": "x",
}
SHAPES = [(16, 256, 56, 56), (128, 16, 32, 32), (128, 64, 8, 8), (32, 2048, 7, 7)]
HEADER = (
    "operation",
    "shape",
    *(f"{part} {what}" for part in ("fwd", "fwd+bwd") for what in ("plain", "fast", "compiled")),
    limit.COLUMN,
)


class Layer(mx.gluon.HybridBlock):
    """One function, traced in one of its forms."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.operation = getattr(fast, name)
        self.hybridize(static_alloc=True, static_shape=True)

    def hybrid_forward(self, F: Any, *inputs: Any) -> Any:
        return self.operation(F, *inputs)


class Timer:
    """Times one form; the first call compiles it."""

    def __init__(self, name: str, inputs: Sequence[mx.nd.NDArray]) -> None:
        self.layer, self.inputs = Layer(name), inputs
        self.head = mx.nd.random.normal(shape=self.layer(*inputs).shape)
        self.run("fwd")
        self.run("fwd+bwd")

    def run(self, part: str) -> float:
        """Seconds of one forward pass ("fwd"), or of one forward and backward pass ("fwd+bwd")."""
        mx.nd.waitall()
        start = clock()
        if part == "fwd":
            self.layer(*self.inputs)
        else:
            with mx.autograd.record():
                out = self.layer(*self.inputs)
            out.backward(self.head)
        mx.nd.waitall()
        return clock() - start


def measure(name: str, shape: tuple[int, int, int, int], repeat: int) -> list[str]:
    """One row of the table: all forms of one function at one shape, in turns."""
    n, c, h, w = shape
    shapes = {"x": shape, "c": (n, c, 1, 1), "s": (n, 1, h, w)}
    inputs = [mx.nd.random.normal(shape=shapes[kind]) for kind in OPERATIONS[name]]
    for array in inputs:
        array.attach_grad()
    with fast.plain_operators():
        plain = Timer(name, inputs)
    quick = Timer(name, inputs)
    with kernels.compiled_operators():
        compiled = Timer(name, inputs)
    row = [name, "x".join(map(str, shape))]
    for part in ("fwd", "fwd+bwd"):
        timers = {"plain": plain, "fast": quick, "compiled": compiled}
        found = take_turns({form: partial(timer.run, part) for form, timer in timers.items()}, repeat)
        row += [f"{1e3 * seconds:.2f}" for seconds in found.values()]
    elements = math.prod(compiled.head.shape) + sum(array.size for array in inputs)
    return [*row, limit.measured().share(limit.training(0, elements=elements), found["compiled"])]


def heading(repeat: int) -> str:
    """The text above the table in the file: the command, the machine, how to read it."""
    threads = os.environ.get("OMP_NUM_THREADS", "unset")
    kind = " of processor time" if PROCESSOR else ""
    return (
        "# Plain, fast and compiled forms of `nn/fast.py`\n\n"
        f"`{CLOCK}OMP_NUM_THREADS={threads} python benchmarks/gating.py --repeat {repeat}` on "
        f"{machine(f'MXNet {mx.__version__}', 'float32')}.\n"
        f"Medians in milliseconds{kind}, the forms turn by turn in one process; limit of the compiled fwd+bwd.\n"
        f"{limit.measured().line()}\n"
    )


def main() -> None:
    """Measure, print the table and, with --out, write it."""
    parser = argparse.ArgumentParser(description="plain operators against nn/fast.py")
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--repeat", type=int, default=15, help="passes of each form and kind (default 15)")
    arguments = parser.parse_args()
    if arguments.repeat < 1:
        parser.error("--repeat must be at least 1")
    table = Table(HEADER, numbers=7)
    for shape in SHAPES:
        for name in OPERATIONS:
            table.add(*measure(name, shape, arguments.repeat))
    table.write(arguments.out, heading(arguments.repeat))


if __name__ == "__main__":
    main()
