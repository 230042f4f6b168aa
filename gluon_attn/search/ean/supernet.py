"""EAN's supernet: a network with one shared attention per stage, whose connections are sampled in each step.

The weights are those of the plain network. `switchable_stage` says how the scheme changes without a new graph.
"""

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import Block

from ...config.model import ModelConfig
from ...models.build import build
from ...models.factory import get_model, has_own_attention, model_info
from ...models.plan import Plan
from ...models.scheme import by_stage
from ...models.slots import Stage
from ...utils.errors import UserError
from .switchable_stage import SwitchableStage


class Supernet(Block):
    """A network that can be called with every connection scheme: N,3,H,W -> N,classes.

    Huang et al. 2020, https://arxiv.org/abs/2011.14058. In training each forward pass samples a scheme uniformly from
    NumPy's global stream. In evaluation `scheme` is used, at first no block connected, as EAN's authors evaluate.
    Parameters have the names of the plain network.

    Args:
        net: a network whose blocks share one attention per stage; it is changed.

    Attributes:
        net: that network.
        sample_schemes: whether training samples schemes (default) or uses `scheme`.
        blocks: number of blocks of each stage.

    Raises:
        UserError: if the network has no stages of residual blocks, or these do not share one attention per stage.
    """

    net: Block
    sample_schemes: bool
    blocks: tuple[int, ...]

    def __init__(self, net: Block) -> None:
        super().__init__(prefix="")
        self.net, self.sample_schemes = net, True
        self._parts = SimpleNamespace(stages=tuple(_make_switchable(net)))  # no children: they belong to the network
        if not self._parts.stages:
            raise UserError("this network has no stages of residual blocks: a supernet needs a ResNet")
        self.blocks = tuple(len(stage.bits) for stage in self._parts.stages)
        self.scheme = "0" * sum(self.blocks)

    @property
    def scheme(self) -> str:
        """A 0 or 1 for each block; setting one of another length or with other characters is a `UserError`."""
        return "".join(stage.bits for stage in self._parts.stages)

    @scheme.setter
    def scheme(self, bits: str) -> None:
        """Sets the scheme, a 0 or 1 for each block."""
        for stage, stage_bits in zip(self._parts.stages, by_stage(bits, self.blocks), strict=True):
            stage.bits = stage_bits

    def forward(self, x: mx.nd.NDArray) -> mx.nd.NDArray:
        """Logits (N,classes) of images x (N,3,H,W).

        Raises:
            UserError: if x is a symbol: there is no graph of all schemes.
        """
        if not isinstance(x, mx.nd.NDArray):
            raise UserError("a supernet has a graph for each scheme: train it in float32, export a network of a scheme")
        if not (self.sample_schemes and autograd.is_training()):
            return self.net(x)
        evaluated, self.scheme = self.scheme, "".join(map(str, np.random.randint(0, 2, sum(self.blocks))))
        out = self.net(x)
        with autograd.pause():
            for stage in self._parts.stages:
                stage.zero_unused_gradients()
        self.scheme = evaluated
        return out

    @contextlib.contextmanager
    def all_connected(self) -> Iterator[None]:
        """A context in which evaluation has all blocks connected."""
        before, self.scheme = self.scheme, "1" * sum(self.blocks)
        try:
            yield
        finally:
            self.scheme = before

    def hybridize(
        self, active: bool = True, static_alloc: bool = False, static_shape: bool = False, **options: Any
    ) -> None:
        """Compiles the parts between which a scheme chooses; the network as a whole is not compiled.

        Static memory is never used: with it MXNet keeps an old gradient of a parameter that several graphs share.

        Args:
            active: False for imperative execution.
            static_alloc, static_shape: ignored.
            options: further options of Gluon's `hybridize`.
        """
        _hybridize(self.net, active, options)

    def compile_for_evaluation(self, fused: bool) -> None:
        """Compiles for evaluation only, with static memory.

        Args:
            fused: with oneDNN's fused operators, on a CPU.
        """
        options = {"static_alloc": True, "static_shape": True}
        _hybridize(self.net, True, {**options, "backend": "MKLDNN"} if fused else options)

    @property
    def stages(self) -> tuple[SwitchableStage, ...]:
        """Its stages."""
        return self._parts.stages

    @property
    def recipe(self) -> dict[str, Any]:
        """How `get_model` made the network, with all blocks connected."""
        return self.net.recipe

    def _collect_params_with_prefix(self, prefix: str = "") -> dict[str, mx.gluon.Parameter]:
        return self.net._collect_params_with_prefix(prefix)


def _make_switchable(parent: Block) -> Iterator[SwitchableStage]:
    """Replaces each `Stage` below a block by a `SwitchableStage`, and yields these."""
    for name, child in list(parent._children.items()):
        if not isinstance(child, Stage):
            yield from _make_switchable(child)
            continue
        stage = SwitchableStage(child)
        if name in vars(parent):
            setattr(parent, name, stage)
        parent._children[name] = stage
        yield stage


def _hybridize(block: Block, active: bool, options: dict[str, Any]) -> None:
    if isinstance(block, SwitchableStage) or not _is_switchable(block):
        block.hybridize(active, **options)
    else:
        for child in block._children.values():
            _hybridize(child, active, options)


def _is_switchable(block: Block) -> bool:
    """Whether a block is or contains a `SwitchableStage`."""
    return isinstance(block, SwitchableStage) or any(_is_switchable(child) for child in block._children.values())


def build_supernet(config: ModelConfig, classes: int, input_size: int | None = None) -> Supernet:
    """Builds the uninitialized `Supernet` of a `ModelConfig`; its attention is shared.

    Args:
        config, classes, input_size: as of `models.build.build`.

    Raises:
        UserError: if the config names no attention.
    """
    if not (config.attention or model_info(config.model).own_plan):
        raise UserError(
            "a supernet needs option attention, the attention to share, or a network such as dia_fbresnet50"
        )
    return Supernet(build(config.replace(shared=True) if config.attention else config, classes, input_size))


def make_supernet(
    name: str,
    classes: int,
    attention: str | None = None,
    attention_options: dict[str, Any] | None = None,
    **options: Any,
) -> Supernet:
    """Makes an uninitialized `Supernet`.

    Args:
        name: a backbone, or a network that has its attention in its name, such as dia_fbresnet50.
        classes: number of outputs.
        attention: the attention to share, for a backbone.
        attention_options: its options.
        options: of the network, as `get_model` takes them.

    Raises:
        UserError: if there is no attention, or two.
    """
    if model_info(name).own_plan:
        if attention is not None:
            raise has_own_attention(name)
        return Supernet(get_model(name, classes, **options))
    if attention is None:
        raise UserError(f"a supernet of {name} needs an attention to share, such as sge")
    plan = Plan([{"slot": "post", "name": attention, "shared": True, "options": attention_options or {}}])
    return Supernet(get_model(name, classes, plan=plan, **options))
