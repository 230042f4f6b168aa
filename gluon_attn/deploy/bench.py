"""Latency and throughput of exported files and live networks, each measurement in a process of its own."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.child_process import child_environment
from ..utils.errors import UserError


@dataclass(frozen=True)
class Speed:
    """What one process measured.

    Attributes:
        target: What was measured, as it was named.
        kind: `Predictor.kind`.
        precision: dtype that it computes in.
        batch: Images per pass.
        threads: Threads of the computation.
        p50: Median latency of a pass in milliseconds.
        p95: 95th percentile.
        p99: 99th percentile.
        images_per_second: By the median.
    """

    target: str
    kind: str
    precision: str
    batch: int
    threads: int
    p50: float
    p95: float
    p99: float
    images_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.target}, batch {self.batch}, threads {self.threads}: {self.images_per_second:.1f} img/s"


def measure(target: Path | str, batch: int = 1, threads: int = 1, repeat: int = 30, warm_up: int = 5) -> Speed:
    """Measure a run folder, an exported file or bundle or, with random weights, a model.

    Args:
        target: What to measure: a path, or the name of a model.
        batch: Images per pass.
        threads: Threads of the computation.
        repeat: Passes that count.
        warm_up: Passes before these.

    Raises:
        UserError: The target cannot be opened or run.
    """
    answer = ask(target, batch, threads, repeat, warm_up)
    return summarize(str(target), answer, batch, threads)


def ask(
    target: Path | str, batch: int, threads: int, repeat: int, warm_up: int, module: str = "gluon_attn.deploy.measure"
) -> dict[str, Any]:
    """The answer of a process that measures.

    Args:
        target: What to measure.
        batch: Images per pass.
        threads: Threads of the computation.
        repeat: Passes that count.
        warm_up: Passes before these.
        module: Program that takes an order and answers, see `deploy.measure`.

    Raises:
        UserError: The target cannot be opened or run.
    """
    order = {"target": str(target), "batch": batch, "repeat": repeat, "warm_up": warm_up}
    command = [sys.executable, "-m", module, json.dumps(order)]
    # set before the process starts: idle threads of another library's OpenMP would spin beside those of the engine
    environment = child_environment(OMP_NUM_THREADS=str(threads))
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(child.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        reason = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
        raise UserError(f"{target} could not be measured: {reason}") from None
    if "error" in answer:
        raise UserError(answer["error"])
    return answer


def summarize(target: str, answer: dict[str, Any], batch: int, threads: int) -> Speed:
    """The `Speed` of what a process measured.

    Args:
        target: What was measured.
        answer: {"kind", "precision", "seconds": of each pass}.
        batch: Images per pass.
        threads: Threads of the computation.
    """
    p50, p95, p99 = (float(np.percentile(answer["seconds"], share)) * 1000 for share in (50, 95, 99))
    return Speed(target, answer["kind"], answer["precision"], batch, threads, p50, p95, p99, batch * 1000 / p50)
