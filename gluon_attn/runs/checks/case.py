"""What is checked: a new block with random weights, the images for it, and what counts as the same output."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock

from ...attention.factory import attention_options, get_attention
from ...models.factory import get_model

#: batch sizes that each check goes through
BATCHES = (1, 3)


class CheckFailed(Exception):
    """A check that does not hold; the message says what is wrong.

    Args:
        message: one line.
        difference: the largest difference from what was expected, where there is one.
    """

    def __init__(self, message: str, difference: float | None = None) -> None:
        super().__init__(message)
        self.difference = difference


class NotChecked(Exception):
    """A check that does not apply or cannot be made here; the message says why."""


@dataclass(frozen=True)
class Case:
    """An attention at one number of channels and one size of the feature map.

    Attributes:
        name: of the attention.
        channels: C.
        size: (H, W).
        options: of the attention.
        rtol: relative difference that the order of additions explains.
        atol: absolute one, in units of the output.
    """

    name: str
    channels: int = 16
    size: tuple[int, int] = (7, 5)
    options: Mapping[str, Any] = field(default_factory=dict)
    rtol: float = 1e-5
    atol: float = 1e-6

    def __str__(self) -> str:
        return f"{self.channels} channels of {self.size[0]}x{self.size[1]}"

    def new(self) -> HybridBlock:
        """A new block without weights."""
        spatial = {"spatial": self.size} if "spatial" in attention_options(self.name) else {}
        return get_attention(self.name, self.channels, **{**spatial, **self.options})

    def make(self) -> HybridBlock:
        """A new block with random weights and statistics, as after training."""
        block = self.new()
        block.initialize(mx.init.Xavier())
        block(self.image())  # a layer without a number of inputs has its weights only now
        randomize_norms(block)
        return block

    def image(self, batch: int = 1) -> mx.nd.NDArray:
        """A random batch, (N,C,H,W)."""
        return mx.nd.random.normal(shape=(batch, self.channels, *self.size))

    def output(self, batch: int) -> tuple[int, ...]:
        """Shape of the output for a batch."""
        return (batch, self.channels, *self.size)


@dataclass(frozen=True)
class ModelCase(Case):
    """A model at one size of its images. `channels` is the number of classes."""

    def __str__(self) -> str:
        return f"{self.size[0]}x{self.size[1]} images"

    def new(self) -> HybridBlock:
        """A new network without weights."""
        return get_model(self.name, self.channels, **{"input_size": self.size[0], **self.options})

    def image(self, batch: int = 1) -> mx.nd.NDArray:
        """A random batch, (N,3,H,W)."""
        return mx.nd.random.normal(shape=(batch, 3, *self.size))

    def output(self, batch: int) -> tuple[int, ...]:
        """Shape of the output for a batch."""
        return batch, self.channels


def randomize_norms(block: HybridBlock, spread: float = 0.2) -> None:
    """Give a block random scales, shifts, biases and statistics, as after training; draws from MXNet's generator.

    Args:
        block: initialized, of known shapes.
        spread: standard deviation of shifts, biases and means.
    """
    for key, param in block.collect_params().items():
        if key.endswith(("gamma", "running_var")):
            param.set_data(mx.nd.random.uniform(0.5, 1.5, param.shape))
        elif key.endswith(("beta", "running_mean", "bias")):
            param.set_data(mx.nd.random.normal(0, spread, param.shape))


def same(got: Any, wanted: Any, what: str, rtol: float = 1e-5, atol: float = 1e-6) -> float:
    """Check that an output is what was expected.

    Args:
        got, wanted: arrays of MXNet or NumPy.
        what: what `got` is, for the message.
        rtol, atol: how far a value may be off: atol + rtol * |wanted|.

    Returns:
        The largest difference.

    Raises:
        CheckFailed: shapes differ, a value is not finite or further off.
    """
    got, wanted = (np.asarray(x.asnumpy() if isinstance(x, mx.nd.NDArray) else x) for x in (got, wanted))
    if got.shape != wanted.shape:
        raise CheckFailed(f"{what} has the shape {got.shape}, not {wanted.shape}")
    if not (np.isfinite(got).all() and np.isfinite(wanted).all()):
        raise CheckFailed(f"{what} has values that are not finite")
    off = np.abs(got.astype(np.float64) - wanted)
    difference = float(off.max(initial=0))
    if (off > atol + rtol * np.abs(wanted)).any():
        raise CheckFailed(f"{what} differs by {difference:.1e}", difference)
    return difference


def plain_data(options: Mapping[str, Any]) -> bool:
    """Whether options survive as JSON, as a card keeps them."""
    try:
        return json.loads(json.dumps(options)) == options
    except TypeError:
        return False
