"""Plans: which attention is in which slot of a network. Plain data, JSON in and out.

A backbone asks `plan.make(slot, stage, block, channels, spatial)` at each slot and gets a block or None. A flag, a
searched connection scheme and a named model are three ways to write a plan.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..utils.errors import UserError
from ..utils.files import read_json
from .entry import SLOTS, Entry

if TYPE_CHECKING:  # a plan needs no MXNet
    from mxnet.gluon import HybridBlock

__all__ = ["SLOTS", "Entry", "Plan"]

VERSION = 1


class Plan:
    """Which attention is in which slot of a network.

    A plan is plain data until `bind` fits it to one network; then `make` gives the modules.

    Args:
        entries: `Entry` objects, or mappings of their fields. () for a plan without attention.

    Attributes:
        entries: tuple of `Entry`.

    Raises:
        UserError: a mapping has an unknown field or a wrong value.

    Example:
        `get_model("resnet50_v1b", plan=Plan([{"name": "se", "stages": [3, 4], "options": {"reduction": 8}}]))`
    """

    def __init__(self, entries: Iterable[Entry | Mapping[str, Any]] = ()):
        self.entries: tuple[Entry, ...] = tuple(
            e if isinstance(e, Entry) else Entry.from_dict(e, "plan entry") for e in entries
        )
        self._offsets: list[int] | None = None
        self._shared: dict[tuple, HybridBlock] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.entries == other.entries

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Plan({[entry.to_dict() for entry in self.entries]})"

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back: {"version": 1, "entries": [...]}."""
        return {"version": VERSION, "entries": [entry.to_dict() for entry in self.entries]}

    @classmethod
    def from_dict(cls, data: Any) -> Plan:
        """Build a plan from plain data.

        Args:
            data: what `to_dict` gives.

        Raises:
            UserError: `data` is no plan, or a plan of another version.
        """
        if not isinstance(data, dict) or set(data) != {"version", "entries"} or not isinstance(data["entries"], list):
            raise UserError("a plan is a mapping with the keys 'version' and 'entries'")
        if data["version"] != VERSION:
            raise UserError(f"plan version {data['version']!r} is not supported; this release reads version {VERSION}")
        return cls(data["entries"])

    def to_json(self) -> str:
        """The plan as JSON text, which `load` reads from a file."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def load(cls, path: Path | str) -> Plan:
        """Read a plan from a JSON file.

        Raises:
            UserError: the file is missing or holds no plan; the message names the file.
        """
        try:
            return cls.from_dict(read_json(Path(path)))
        except UserError as error:
            raise UserError(f"plan {path}: {error}") from None

    def bind(self, blocks: Sequence[int], slots: Sequence[str] = SLOTS, head: bool = True) -> Plan:
        """Fit the plan to one network.

        Args:
            blocks: number of blocks in each stage.
            slots: slots that the network has.
            head: whether an activation follows the last stage; an `act` slot counts it as one more stage.

        Returns:
            A bound copy. Shared modules belong to the copy, so two networks of one plan share nothing.

        Raises:
            UserError: an entry needs a slot, a stage or a number of blocks that the network does not have.
        """
        bound = Plan(self.entries)
        bound._offsets = [sum(blocks[:i]) for i in range(len(blocks))]
        for entry in self.entries:
            entry.check_fit(blocks, slots, head)
        return bound

    def make(
        self,
        slot: str,
        stage: int,
        block: int | None,
        channels: int,
        spatial: int | None = None,
        stride: int = 1,
        in_channels: int | None = None,
        block_channels: int | None = None,
    ) -> HybridBlock | None:
        """Make the module of one slot.

        Args:
            slot: one of `SLOTS`.
            stage: number of the stage, from 1.
            block: index in the stage, from 0; None outside of blocks (after a stage, in the head).
            channels: number of output channels.
            spatial: input height, for modules that need it.
            stride: stride of the convolution that a `conv` or `conv1` module replaces. Average pooling follows a module
                without that option.
            in_channels: number of input channels, where a `conv1` module may change it. None: `channels`.
            block_channels: number of channels of the block's input, for modules whose option of that name is "input".

        Returns:
            The module, the stage's own one if it is shared, with the slot as its attribute `plan_slot`; None if the
            slot stays empty.

        Raises:
            UserError: two entries fill the slot, or the attention does not accept its options.
        """
        index = None if block is None or self._offsets is None else self._offsets[stage - 1] + block
        chosen = [entry for entry in self.entries if entry.fills(slot, stage, index)]
        if len(chosen) > 1:
            names = " and ".join(entry.name for entry in chosen)
            raise UserError(f"{names} both fill the {slot} slot of stage {stage}; a slot holds one module")
        if not chosen:
            return None
        build = partial(chosen[0].build, channels, spatial, stride, in_channels, block_channels)
        if not chosen[0].shared:
            return _marked(build(), slot)
        key = (self.entries.index(chosen[0]), stage, channels, stride, in_channels, block_channels)
        if key not in self._shared:
            self._shared[key] = _marked(build(), slot)
        return self._shared[key]


def _marked(module: HybridBlock, slot: str) -> HybridBlock:
    """The module, which knows its slot: `added_parts` tells it from the backbone's own layers."""
    module.plan_slot = slot
    return module
