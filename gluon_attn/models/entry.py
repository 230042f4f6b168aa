"""One entry of a plan: an attention and the slots that it fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config.base import Config, connection_bits, option
from ..utils.errors import UserError

if TYPE_CHECKING:  # a plan needs no MXNet
    from mxnet.gluon import HybridBlock

#: post: end of a residual branch. inner: before a block's last convolution. act: in place of an activation. conv: in
#: place of the 3x3 convolution that keeps the number of channels. conv1: in place of a block's first 3x3 convolution.
#: stage: after a stage.
SLOTS = ("post", "inner", "act", "conv", "conv1", "stage")


@dataclass(frozen=True)
class Entry(Config):
    """One attention and the slots that it fills.

    Attributes:
        slot: one of `SLOTS`.
        name: an attention; in an `act` slot also an activation.
        options: options of the attention.
        stages: numbers of the stages, from 1. None: all. The head's activation counts as one more stage.
        shared: one module per stage instead of one per block.
        scheme: one 0 or 1 per block of the network; 1: the block has the attention. None: all blocks have it.
    """

    slot: str = option("post", "the kind of slot", choices=SLOTS)
    name: str = option("identity", "an attention; in an act slot also an activation")
    options: dict = option({}, "options of the attention")
    stages: tuple[int, ...] | None = option(None, "stages from 1; None: all. An act slot's head is the last plus 1")
    shared: bool = option(False, "one module for all blocks of a stage instead of one each")
    scheme: str | None = option(
        None, "one 0 or 1 per block of the network; 1: it has the attention", check=connection_bits
    )

    def fills(self, slot: str, stage: int, index: int | None) -> bool:
        """Whether this entry fills `slot` of a stage (from 1), in the network's block `index` (from 0)."""
        if slot != self.slot or (self.stages is not None and stage not in self.stages):
            return False
        return self.scheme is None or (index is not None and self.scheme[index] == "1")

    def check_fit(self, blocks: Sequence[int], slots: Sequence[str], head: bool) -> None:
        """Check that the entry fits a network.

        Args:
            blocks, slots, head: as of `Plan.bind`.

        Raises:
            UserError: the network lacks its slot, its stages or its number of blocks.
        """
        if self.slot not in slots:
            raise UserError(f"{self.name} needs a {self.slot!r} slot; this backbone has {', '.join(slots)}")
        last = len(blocks) + (head and self.slot == "act")
        if self.stages is not None and not set(self.stages) <= set(range(1, last + 1)):
            raise UserError(f"{self.name}: stages {list(self.stages)} are not all within 1 to {last}")
        if self.scheme is None:
            return
        if self.slot == "stage":
            raise UserError(f"{self.name}: a scheme counts blocks, a 'stage' slot has none; give stages instead")
        if len(self.scheme) != sum(blocks):
            raise UserError(f"{self.name}: the scheme has {len(self.scheme)} bits, the network {sum(blocks)} blocks")

    def build(
        self,
        channels: int,
        spatial: int | None,
        stride: int = 1,
        in_channels: int | None = None,
        block_channels: int | None = None,
    ) -> HybridBlock:
        """A new module. Only here MXNet is needed.

        Args:
            channels, spatial, stride, in_channels, block_channels: as of `Plan.make`.

        Raises:
            UserError: the attention is unknown or does not accept its options.
        """
        from ..attention.factory import attention_options, check_options, get_attention
        from ..nn.layers import ACTIVATIONS, get_activation, strided

        if self.slot == "act" and self.name in ACTIVATIONS:
            if self.options:
                raise UserError(f"activation {self.name!r} has no options, got {', '.join(self.options)}")
            return get_activation(self.name)
        options = dict(self.options)
        check_options(self.name, options)
        known = attention_options(self.name)
        if "spatial" in known and "spatial" not in options and spatial is not None:
            options["spatial"] = spatial
        if options.get("block_channels") == "input" and block_channels is not None:
            options["block_channels"] = block_channels
        if in_channels not in (None, channels):
            if "in_channels" not in known:
                raise UserError(
                    f"{self.name} keeps the number of channels: it cannot replace a convolution from {in_channels} to "
                    f"{channels} channels"
                )
            options["in_channels"] = in_channels
        if stride == 1:
            return get_attention(self.name, channels, **options)
        if "stride" in known:
            return get_attention(self.name, channels, **{"stride": stride, **options})
        return strided(get_attention(self.name, channels, **options), stride)
