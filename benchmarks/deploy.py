"""Exported networks against PyTorch, and against ONNX Runtime and OpenVINO on PyTorch's file, on the CPU.

    OMP_NUM_THREADS=2 python benchmarks/deploy.py --out benchmarks/results/deploy.md
    OMP_NUM_THREADS=2 python benchmarks/deploy.py --out benchmarks/results/deploy.md --join se_resnet50

Needs PyTorch, OpenVINO and NNCF in the same environment (`pip install torch==2.13.0`), for this file only; networks of
timm, by name, take PyTorch and timm from another (`--torch PYTHON`). Each side
has a process of its own; the sides of a precision take turns, batch by batch. PyTorch computes in channels-last,
eager and compiled with frozen weights, bfloat16 by autocast. Ratios are to the best of PyTorch's own in float32, for
bfloat16 and int8 to compiled bfloat16; above 1 is faster. Weights are random: accuracy is not the question.
The last column is how near a side is to the limit that the processor's arithmetic in its type sets: see
`lib/limit.py`. With --join the limits stay those of the file.
"""

import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib import limit  # noqa: E402
from benchmarks.lib.networks import DEPLOYED, TIMM  # noqa: E402
from benchmarks.lib.process import CLOCK, PROCESSOR, Peer  # noqa: E402
from benchmarks.lib.report import TORCH_HELP, Table, earlier, machine, take_turns, versions  # noqa: E402

MODULE = "benchmarks.lib.deployed"
COLUMNS = ["network", "batch", "side", "type", "img/s", "of PyTorch's best", limit.COLUMN]
#: (side, export target, precision) that take turns
FLOAT32 = (
    ("ours", "live", "float32"), ("ours", "optimized", "float32"), ("ours", "symbol-float32", "float32"),
    ("ours", "onnx-float32", "float32"), ("ours", "openvino-float32", "float32"), ("eager", "", "float32"),
    ("compiled", "", "float32"), ("runtime", "", "float32"), ("openvino", "", "float32"),
)  # fmt: skip
LOW = (
    ("ours", "optimized", "bfloat16"), ("ours", "symbol-bfloat16", "bfloat16"),
    ("ours", "openvino-bfloat16", "bfloat16"), ("ours", "symbol-int8", "int8"), ("ours", "openvino-int8", "int8"),
    ("eager", "", "bfloat16"), ("compiled", "", "bfloat16"), ("openvino", "", "bfloat16"),
)  # fmt: skip
#: what a ratio is taken to
_PEERS = {
    "float32": [("eager", "", "float32"), ("compiled", "", "float32")],
    "bfloat16": [("compiled", "", "bfloat16")],
    "int8": [("compiled", "", "bfloat16")],
}
_WARM_UP = 3


def compare(order, sides, repeat, python):
    """{side: images per second, or its error}, the sides taking turns; `python` runs PyTorch's."""
    peers, found = {}, {}
    for side in sides:
        kind, target, dtype = side
        peers[side] = Peer(MODULE, kind, python=python if kind in ("eager", "compiled") else sys.executable)
        try:
            peers[side].ask({**order, "target": target, "dtype": dtype})
            for _ in range(_WARM_UP):
                peers[side].ask("infer")
        except RuntimeError as error:
            found[side] = str(error)[:80]
    runs = {side: partial(peers[side].ask, "infer") for side in sides if side not in found}
    found |= {side: order["batch"] / seconds for side, seconds in take_turns(runs, repeat).items()}
    for peer in peers.values():
        peer.close()
    return found


def rows(name, batch, found, limits, macs):
    """Rows of the table: our targets first, each side with its ratio to PyTorch's best of the same precision.

    Args:
        name, batch: of the network, and of its images.
        found: as of `compare`.
        limits: of the processor.
        macs: of an image.
    """
    for side, speed in found.items():
        kind, target, dtype = side
        label = f"ours, {target.split('-')[0]}" if kind == "ours" else _LABELS[kind]
        if not isinstance(speed, float):
            yield name, batch, label, dtype, speed, "", ""
            continue
        peers = [found[peer] for peer in _PEERS[dtype] if isinstance(found.get(peer), float)]
        ratio = f"{speed / max(peers):.2f}" if peers else ""
        yield name, batch, label, dtype, f"{speed:.1f}", ratio, limits.share(limit.forward(macs, dtype), 1 / speed)


_LABELS = {
    "eager": "PyTorch eager", "compiled": "PyTorch compiled, frozen", "runtime": "ONNX Runtime, PyTorch's file",
    "openvino": "OpenVINO, PyTorch's file",
}  # fmt: skip


def write(name, size, folder, python):
    """Write our targets and PyTorch's file into a folder; prints what could not be written."""
    for side, interpreter in (("write", sys.executable), ("export", python)):
        peer = Peer(MODULE, side, python=interpreter)
        try:
            peer.ask({"name": name, "size": size, "folder": folder})
            problems = peer.ask("problems") if side == "write" else {}
        except RuntimeError as error:
            problems = {side: error}
        for target, problem in problems.items():
            print(f"{name}: {target}: {problem}", file=sys.stderr)
        peer.close()


def measure(arguments):
    """The table of all networks and batches, in the file after each network."""
    joined = arguments.join and arguments.out.is_file()
    limits = limit.of_table(arguments.out) if joined else limit.measured()
    head = heading(arguments, limits)
    lines = earlier(arguments.out, head, arguments.names) if arguments.join else ()
    table = Table(COLUMNS, numbers=3, lines=lines)
    for name in arguments.names:
        macs = limit.network_macs(DEPLOYED[name], arguments.size)
        with tempfile.TemporaryDirectory() as folder:
            write(name, arguments.size, folder, arguments.torch)
            for batch in arguments.batch_size:
                order = {"name": name, "size": arguments.size, "folder": folder, "batch": batch}
                for sides in (FLOAT32, LOW):
                    found = compare(order, sides, arguments.repeat, arguments.torch)
                    for row in rows(name, batch, found, limits, macs):
                        table.add(*row)
        table.write(arguments.out, head)


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--join", action="store_true", help="keep the rows that this file has of other networks")
    parser.add_argument("--repeat", type=int, default=15, help="batches of each side (default 15)")
    parser.add_argument("--batch-size", type=int, nargs="+", default=[1, 8], help="images a batch (default 1 8)")
    parser.add_argument("--size", type=int, default=224, help="height and width (default 224)")
    parser.add_argument("--torch", metavar="PYTHON", default=sys.executable, help=TORCH_HELP)
    here = [name for name in DEPLOYED if name not in TIMM]
    parser.add_argument("names", nargs="*", default=here, help=f"default {' '.join(here)}; or {' '.join(TIMM)}")
    arguments = parser.parse_args()
    if arguments.join and not arguments.out:
        parser.error("--join goes with --out")
    unknown = set(arguments.names) - set(DEPLOYED)
    if unknown:
        parser.error(f"no network {', '.join(sorted(unknown))}")
    if min(arguments.repeat, *arguments.batch_size, arguments.size) < 1:
        parser.error("--repeat, --batch-size and --size must be at least 1")
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    return arguments


def heading(arguments, limits):
    """What stands above the table in the file: the command, the machine, how to read it, the limits."""
    found = [*versions("mxnet", "onnxruntime", "openvino", "nncf"), *versions("torch", "timm", python=arguments.torch)]
    batches = " ".join(map(str, arguments.batch_size))
    given = f"--repeat {arguments.repeat} --size {arguments.size} --batch-size {batches}"
    command = f"{CLOCK}python benchmarks/deploy.py {given}"
    return (
        f"# Exported networks against PyTorch\n\n`{command}` on {machine(*found)}.\n"
        f"Medians of {arguments.repeat} batches, in images per second{' of processor time' * PROCESSOR}; ratio to the "
        f"best of PyTorch's own in float32, for bfloat16 and int8 to compiled bfloat16: "
        f"above 1 is faster.\n{limits.line()}\n"
    )


def main():
    """Measure, print the table and, with --out, write it."""
    arguments = parse()
    try:
        measure(arguments)
    except ValueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
