"""Training with two processes of one thread each against one such process.

    python benchmarks/horovod.py --out benchmarks/results/horovod.md

Needs `make horovod`, and two cores. Each measurement is a new `train_imagenet.py --benchmark`, under `horovodrun` for
two processes. One process, two processes, and two that do not communicate alternate: the last show what memory and
clock of the machine leave to the second core. Efficiency is the speed of two over twice that of one, or over that of
the two that do not communicate ("apart").
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib.report import Table, machine  # noqa: E402

#: network -> (options, default batch size)
NETWORKS: dict[str, tuple[list[str], int]] = {
    "resnet50_v1b": (["--dataset", "imagenet_rec"], 16),
    "eca_resnet50": (["--dataset", "imagenet_rec"], 16),
    "cifar_resnet20_v1": (["--dataset", "cifar10"], 64),
}


def speed(mode: str, options: list[str]) -> float:
    """Measure once.

    Args:
        mode: "one" process, two that train "together", or two "apart".
        options: Of `train_imagenet.py`.

    Returns:
        Images per second, summed over the processes.

    Raises:
        RuntimeError: A process failed; the message is the last line of its output.
    """
    script = [sys.executable, str(ROOT / "train_imagenet.py"), *options, "--benchmark"]
    launcher = [launch() or "horovodrun", "-np", "2", "--gloo"] if mode == "together" else []
    started = [
        subprocess.Popen(
            [*launcher, *script], cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2 if mode == "apart" else 1)
    ]  # fmt: skip
    total = 0.0
    for process, (out, errors) in zip(started, [process.communicate() for process in started], strict=True):
        found = re.search(r": ([\d.]+) img/s", out)
        if process.returncode or not found:
            raise RuntimeError((errors.strip() or "no output").splitlines()[-1][:200])
        total += float(found.group(1))
    return total


def launch() -> str | None:
    """Return the path of horovodrun, next to this Python or on PATH, or None."""
    return shutil.which("horovodrun", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


def row(name: str, arguments: argparse.Namespace) -> tuple:
    """Measure one network and return its cells; an error is in place of the speeds."""
    flags, usual = NETWORKS[name]
    batch = arguments.batch_size or usual
    steps = ["--batch-size", str(batch), "--benchmark-batches", str(arguments.steps), "--dtype", arguments.dtype]
    speeds: dict[str, list[float]] = {"one": [], "together": [], "apart": []}
    try:
        for _ in range(arguments.repeat):
            for mode, seen in speeds.items():
                seen.append(speed(mode, ["--model", name, *flags, *steps]))
    except RuntimeError as error:
        return name, batch, arguments.dtype, str(error), *[""] * 4
    one, two, apart = (statistics.median(seen) for seen in speeds.values())
    texts = [f"{value:.1f}" for value in (one, two, apart)]
    return name, batch, arguments.dtype, *texts, f"{two / one / 2:.2f}", f"{two / apart:.2f}"


def main() -> None:
    """Measure, print the table and, with --out, write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each number of processes (default 3)")
    parser.add_argument("--batch-size", type=int, help="images per step and process (default 16; CIFAR 64)")
    parser.add_argument("--steps", type=int, default=10, help="steps of each run (default 10)")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"), help="dtype")
    parser.add_argument("names", nargs="*", default=list(NETWORKS), help="networks (default: all)")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NETWORKS)
    if unknown or min(arguments.repeat, arguments.steps, arguments.batch_size or 1) < 1:
        parser.error(f"no network {', '.join(unknown)}" if unknown else "numbers must be at least 1")
    if not launch():
        print("no horovodrun here: make horovod builds it; nothing was measured")
        return
    columns = ["1 process", "2 processes", "2 apart", "efficiency", "to 2 apart"]
    table = Table(["network", "batch a process", "type", *columns], numbers=len(columns))
    for name in arguments.names:
        table.add(*row(name, arguments))
    head = (
        f"# Two processes against one\n\n`python benchmarks/horovod.py --repeat {arguments.repeat} --steps "
        f"{arguments.steps} {' '.join(arguments.names)}` on {machine(f'{len(os.sched_getaffinity(0))} cores')}.\n"
        f"One thread each. Images a second, medians of {arguments.repeat} runs; "
        "efficiency = two processes / (2 x one), or to two that do not exchange gradients.\n"
    )
    table.write(arguments.out, head)


if __name__ == "__main__":
    main()
