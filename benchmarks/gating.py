"""The two forms of `gluon_attn.nn.fast`, timed against each other on the CPU.

    OMP_NUM_THREADS=2 python benchmarks/gating.py --out benchmarks/results/gating.md

Blocks are hybridized with static_alloc and static_shape; the two forms take turns in one process. A figure is
the median in milliseconds; "fwd+bwd" ends when the gradients of all inputs are there. It takes a minute.
Run it on a quiet machine: with more threads than cores the ratios mean nothing.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

import gluon_attn  # noqa: E402, F401, I001 - before MXNet: it sets threads and malloc
import mxnet as mx  # noqa: E402

from gluon_attn.nn import fast  # noqa: E402
from gluon_attn.utils import cpu  # noqa: E402
from gluon_attn.utils.files import write_text  # noqa: E402

#: function -> its inputs: x, c(hannel gate), s(patial gate)
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
    *(f"{part} {what}" for part in ("fwd", "fwd+bwd") for what in ("plain", "fast", "ratio")),
)


class Layer(mx.gluon.HybridBlock):
    """One function, traced in one of its forms."""

    def __init__(self, name):
        super().__init__()
        self.operation = getattr(fast, name)
        self.hybridize(static_alloc=True, static_shape=True)

    def hybrid_forward(self, F, *inputs):
        return self.operation(F, *inputs)


class Timer:
    """Times one form; the first call compiles it."""

    def __init__(self, name, inputs):
        self.layer, self.inputs = Layer(name), inputs
        self.head = mx.nd.random.normal(shape=self.layer(*inputs).shape)
        self.seconds = {"fwd": [], "fwd+bwd": []}
        self.run("fwd")
        self.run("fwd+bwd")

    def run(self, part):
        """Seconds of one forward pass, or of one forward and backward pass."""
        mx.nd.waitall()
        start = time.perf_counter()
        if part == "fwd":
            self.layer(*self.inputs)
        else:
            with mx.autograd.record():
                out = self.layer(*self.inputs)
            out.backward(self.head)
        mx.nd.waitall()
        return time.perf_counter() - start

    def median(self, part):
        """Milliseconds."""
        return 1e3 * statistics.median(self.seconds[part])


def measure(name, shape, repeat):
    """One row of the table: both forms of one function at one shape, turn by turn."""
    n, c, h, w = shape
    shapes = {"x": shape, "c": (n, c, 1, 1), "s": (n, 1, h, w)}
    inputs = [mx.nd.random.normal(shape=shapes[kind]) for kind in OPERATIONS[name]]
    for array in inputs:
        array.attach_grad()
    with fast.plain_operators():
        plain = Timer(name, inputs)
    quick = Timer(name, inputs)
    for _ in range(repeat):
        for part in ("fwd", "fwd+bwd"):
            for timer in (plain, quick):
                timer.seconds[part].append(timer.run(part))
    row = [name, "x".join(map(str, shape))]
    for part in ("fwd", "fwd+bwd"):
        a, b = plain.median(part), quick.median(part)
        row += [f"{a:.2f}", f"{b:.2f}", f"{a / b:.1f}"]
    return row


def heading(repeat):
    """What stands above the table in the file: the command, the machine, how to read it."""
    threads = os.environ.get("OMP_NUM_THREADS", "unset")
    machine = f"{cpu.model_name(cpu.Host())}, OMP_NUM_THREADS={threads}, MXNet {mx.__version__}, float32"
    return (
        "# Plain operators against `nn/fast.py`\n\n"
        f"`OMP_NUM_THREADS={threads} python benchmarks/gating.py --repeat {repeat}` on {machine}.\n"
        "Medians in milliseconds, both forms turn by turn in one process; ratio = plain / fast.\n\n"
    )


def main():
    """Measure, print the table and, with --out, write it."""
    parser = argparse.ArgumentParser(description="plain operators against nn/fast.py")
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--repeat", type=int, default=15, help="passes of each form and kind (default 15)")
    arguments = parser.parse_args()
    if arguments.repeat < 1:
        parser.error("--repeat must be at least 1")
    lines = [f"| {' | '.join(HEADER)} |", "|---|---|" + "---:|" * 6]
    print(*lines, sep="\n")
    for shape in SHAPES:
        for name in OPERATIONS:
            lines.append(f"| {' | '.join(measure(name, shape, arguments.repeat))} |")
            print(lines[-1], flush=True)
    if arguments.out:
        write_text(arguments.out, heading(arguments.repeat) + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
