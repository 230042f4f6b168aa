"""How near a measurement is to what the processor can do at all: the least time of its work over the time it took.

The least time is that of the arithmetic or of moving bytes, whichever is longer, by the limits that `peak` measures at
the start of a run, with as many threads and by the same clock as the run. What counts as necessary work:

- Arithmetic: the MACs of convolutions, dense layers and matrix products that `gluon_attn.analyze` counts, two
  operations each. A backward pass has twice those of the forward pass, the gradients of the inputs and of the weights
  (of a product: of both factors; of the first convolution, too, although a training step can spare the gradients of
  images, one or two hundredths of it). Of the lambda layer's kernels of 23x23 only the taps that meet the map count.
  Other arithmetic is left out: it is one operation or a few per number that is moved, and a core does several for each
  byte that it moves. Convolutions count as direct ones: Winograd's method, which float32 training has for 3x3, needs 16
  of 36 products, and could pass this limit.
- Bytes: each input, each output and their gradients once, in float32. Forward reads the inputs and writes the outputs,
  backward reads the gradients of the outputs and writes those of the inputs; no formulation can avoid that. All between
  may stay in caches, in principle, and does not count; nor do weights, which are few. What backward reads a second time
  does not count, either, although a product or a sigmoid needs its input again: those reach four fifths at most.
  The rate is that of a buffer that is not larger than all these arrays together, in equal parts for the threads, so
  that arrays which caches hold are not measured by the memory behind them.

So the share is of a bound that cannot be passed otherwise, not of one that can be reached. It can be above 100 % by
noise, where other work slowed the measurement of the limits.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lib import peak
from benchmarks.lib.networks import Row
from benchmarks.lib.peak import MEMORY

COLUMN = "of the limit"
_TITLE = "Limits per second"


@dataclass(frozen=True)
class Work:
    """What something must do at least.

    Attributes:
        operations: Two for each MAC.
        dtype: What computes them.
        memory: Bytes that are read or written.
    """

    operations: float
    dtype: str = "float32"
    memory: float = 0.0


def forward(macs: float, dtype: str = "float32") -> Work:
    """The work of forward passes with so many MACs."""
    return Work(2 * macs, dtype)


def training(macs: float, dtype: str = "float32", elements: int = 0) -> Work:
    """The work of forward and backward passes.

    Args:
        macs: MACs of the forward passes.
        dtype: What computes.
        elements: Numbers in all inputs and outputs, where their bytes may be the limit.
    """
    return Work(3 * forward(macs).operations, dtype, 2 * 4 * elements)


def taps_inside(size: int, kernel: int) -> float:
    """The share of a kernel's taps that meet an axis of so many pixels, of all with padding that keeps the size."""
    pad = kernel // 2
    met = sum(min(kernel, size + pad - pixel) - max(0, pad - pixel) for pixel in range(size))
    return met / (size * kernel)


def network_macs(row: Row, size: int) -> int:
    """MACs of a network for one image of that height and width."""
    from gluon_attn.config.model import ModelConfig
    from gluon_attn.runs.describe import model_cost

    return model_cost(ModelConfig(model=row.model, attention=row.attention), input_size=size).cost.macs


class Limits:
    """What the processor can do.

    Args:
        rates: As `peak.limits` returns them.
    """

    def __init__(self, rates: Mapping[str, float]):
        self.rates = dict(rates)

    def share(self, work: Work, seconds: float) -> str:
        """How near to the limit something was, such as "61 %"; empty where the limit is not known."""
        least = [self._least(work.operations, work.dtype)] if work.operations else []
        least += [self._least(work.memory, self._buffer(work.memory))] if work.memory else []
        if not least or None in least:
            return ""
        return f"{max(one for one in least if one is not None) / seconds:.0%}".replace("%", " %")

    def line(self) -> str:
        """The figures, as the line above a table that has the column."""
        if not self.rates:
            return f"{_TITLE}: not measured, there is no g++."
        dtypes = [name for name in self.rates if not name.startswith(MEMORY)]
        operations = ", ".join(f"{name} {self.rates[name] / 1e9:.1f}" for name in dtypes)
        moved = ", ".join(f"{self.rates[f'{MEMORY}{size}'] / 1e9:.1f}" for size in self._sizes())
        within = ", ".join(map(str, self._sizes()))
        left_out = f" (none for {' and '.join(peak.amx())}, which AMX computes)" if peak.amx() else ""
        return f"{_TITLE}: {operations} G operations{left_out}; memory {moved} GB within {within} MiB."

    def _sizes(self):
        return sorted(int(name.removeprefix(MEMORY)) for name in self.rates if name.startswith(MEMORY))

    def _buffer(self, size):
        fitting = [mebibytes for mebibytes in self._sizes() if mebibytes << 20 <= size]
        return f"{MEMORY}{max(fitting, default=min(self._sizes(), default=0))}"

    def _least(self, units, name):
        return units / self.rates[name] if name in self.rates else None


def measured() -> Limits:
    """The limits of OMP_NUM_THREADS threads, measured once in a run."""
    return Limits(peak.limits())


def of_table(path: Path) -> Limits:
    """The limits that an earlier table names, for rows that join it.

    Raises:
        ValueError: The table is older than the column.
    """
    line = re.search(rf"^{_TITLE}: .*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    if line is None:
        raise ValueError(f"{path} has no limits: its rows lack a column, measure them again without --join")
    if ";" not in line[0]:  # there was no compiler
        return Limits({})
    rates = {name: float(units) * 1e9 for name, units in re.findall(r"(\w+\d+) ([\d.]+)", line[0].partition(";")[0])}
    moved, sizes = (part.split(", ") for part in re.findall(r"memory (.*) GB within (.*) MiB", line[0])[0])
    return Limits(rates | {f"{MEMORY}{size}": float(units) * 1e9 for size, units in zip(sizes, moved, strict=True)})
