"""Latency and throughput of exported forms and live networks, each measurement in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass

import numpy as np

from ..utils.errors import UserError


@dataclass(frozen=True)
class Speed:
    """What one process measured. Latencies are milliseconds of a pass of `batch` images; images a second go by p50."""

    target: str
    kind: str
    precision: str
    batch: int
    threads: int
    p50: float
    p95: float
    p99: float
    images_per_second: float

    def to_dict(self):
        """Plain data."""
        return asdict(self)

    def __str__(self):
        return f"{self.target}, batch {self.batch}, threads {self.threads}: {self.images_per_second:.1f} img/s"


def measure(target, batch=1, threads=1, repeat=30, warm_up=5):
    """The `Speed` of a run folder, an exported form or, with random weights, a model's name.

    threads: of the computation. repeat: passes that count, after `warm_up` others. What cannot be opened or run is a
    `UserError`.
    """
    order = {"target": str(target), "batch": batch, "repeat": repeat, "warm_up": warm_up}
    command = [sys.executable, "-m", "gluon_attn.deploy.measure", json.dumps(order)]
    # an engine that is told of its threads only here would spin beside those of another
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(child.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        reason = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
        raise UserError(f"{target} could not be measured: {reason}") from None
    if "error" in answer:
        raise UserError(answer["error"])
    return speed(str(target), answer, batch, threads)


def speed(target, answer, batch, threads):
    """The `Speed` of what the process answered."""
    p50, p95, p99 = (float(np.percentile(answer["seconds"], share)) * 1000 for share in (50, 95, 99))
    return Speed(target, answer["kind"], answer["precision"], batch, threads, p50, p95, p99, batch * 1000 / p50)
