"""Which attention sits where: plain data, JSON in and out; the seam between attentions and backbones.

A backbone asks `plan.make(slot, stage, block, channels, spatial)` at each place and gets a block or None. A flag,
a searched scheme and a named model are three ways to write a plan.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from ..config.base import Config, option
from ..utils.errors import UserError
from ..utils.files import read_json

SLOTS = ("post", "inner", "act", "conv", "conv1", "stage")


@dataclass(frozen=True)
class Entry(Config):
    """One attention and the places it takes."""

    slot: str = option("post", "the kind of place", choices=SLOTS)
    name: str = option("identity", "an attention; in an act slot also an activation")
    options: dict = option({}, "options of the attention")
    stages: tuple[int, ...] | None = option(None, "stages from 1; None: all. An act slot's head is the last plus 1")
    shared: bool = option(False, "one module for all places of a stage instead of one each")
    scheme: str | None = option(
        None,
        "one 0 or 1 a block of the whole network: 1 takes the place",
        check=lambda bits: None if set(bits) <= {"0", "1"} and bits else "must be zeros and ones",
    )

    def takes(self, slot, stage, index):
        """Whether this entry fills `slot` of a stage (from 1), in the network's block `index` (from 0)."""
        if slot != self.slot or (self.stages is not None and stage not in self.stages):
            return False
        return self.scheme is None or (index is not None and self.scheme[index] == "1")


class Plan:
    """Entries, and for one network (`bind`) the modules that they make.

    entries: `Entry` objects or plain mappings of their fields.
    """

    def __init__(self, entries=()):
        self.entries = tuple(e if isinstance(e, Entry) else Entry.from_dict(e, "plan entry") for e in entries)
        self._offsets = None
        self._shared = {}

    def __eq__(self, other):
        return isinstance(other, Plan) and self.entries == other.entries

    __hash__ = None

    def __repr__(self):
        return f"Plan({[entry.to_dict() for entry in self.entries]})"

    def to_dict(self):
        """Plain data that `from_dict` reads back."""
        return {"version": 1, "entries": [entry.to_dict() for entry in self.entries]}

    @classmethod
    def from_dict(cls, data):
        """Build from plain data; a wrong shape or version is a `UserError`."""
        if not isinstance(data, dict) or set(data) != {"version", "entries"} or not isinstance(data["entries"], list):
            raise UserError("a plan is a mapping with the keys 'version' and 'entries'")
        if data["version"] != 1:
            raise UserError(f"plan version {data['version']!r} is not known here; this release reads version 1")
        return cls(data["entries"])

    def to_json(self):
        """JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def load(cls, path):
        """Read a plan from a JSON file."""
        try:
            return cls.from_dict(read_json(Path(path)))
        except UserError as error:
            raise UserError(f"plan {path}: {error}") from None

    def bind(self, blocks, slots=SLOTS, head=True):
        """A copy for one network of `blocks[i]` blocks in stage i+1 that has `slots`; checks that the plan fits.

        head: the network has an activation behind its last stage, which an act slot counts as one stage more.
        Shared modules belong to the copy, so two networks of one plan share nothing.
        """
        bound = Plan(self.entries)
        bound._offsets = [sum(blocks[:i]) for i in range(len(blocks))]
        for entry in self.entries:
            if entry.slot not in slots:
                raise UserError(f"{entry.name} wants a {entry.slot!r} slot; this backbone has {', '.join(slots)}")
            last = len(blocks) + (head and entry.slot == "act")
            if entry.stages is not None and not set(entry.stages) <= set(range(1, last + 1)):
                raise UserError(f"{entry.name}: stages {list(entry.stages)} are not all within 1 to {last}")
            if entry.scheme is not None and entry.slot == "stage":
                raise UserError(f"{entry.name}: a scheme counts blocks, a 'stage' slot has none; give stages instead")
            if entry.scheme is not None and len(entry.scheme) != sum(blocks):
                raise UserError(
                    f"{entry.name}: the scheme has {len(entry.scheme)} bits, the network {sum(blocks)} blocks"
                )
        return bound

    def make(self, slot, stage, block, channels, spatial=None, stride=1, in_channels=None):
        """The module for one place, or None where the plan leaves it empty.

        stage: from 1. block: from 0 within the stage, None for what belongs to no block (after a stage, head).
        channels: C there. spatial: input height there, for modules that need one. stride: by which a `conv` module
        shrinks its map; one without that option is followed by an average over stride x stride pixels. in_channels: of
        the input, where a `conv1` module may change their number.
        """
        index = None if block is None or self._offsets is None else self._offsets[stage - 1] + block
        chosen = [entry for entry in self.entries if entry.takes(slot, stage, index)]
        if len(chosen) > 1:
            names = " and ".join(entry.name for entry in chosen)
            raise UserError(f"{names} both want the {slot} slot of stage {stage}; a place holds one module")
        if not chosen:
            return None
        if not chosen[0].shared:
            return _build(chosen[0], channels, spatial, stride, in_channels)
        key = (self.entries.index(chosen[0]), stage, channels, stride, in_channels)
        if key not in self._shared:
            self._shared[key] = _build(chosen[0], channels, spatial, stride, in_channels)
        return self._shared[key]


def _build(entry, channels, spatial, stride, in_channels=None):
    """The block that an entry names. MXNet is first needed here."""
    from ..attention.factory import attention_options, check_options, get_attention
    from ..nn.layers import ACTIVATIONS, get_activation, strided

    if entry.slot == "act" and entry.name in ACTIVATIONS:
        if entry.options:
            raise UserError(f"activation {entry.name!r} has no options, got {', '.join(entry.options)}")
        return get_activation(entry.name)
    options = dict(entry.options)
    check_options(entry.name, options)
    known = attention_options(entry.name)
    if "spatial" in known and "spatial" not in options and spatial is not None:
        options["spatial"] = spatial
    if in_channels not in (None, channels):
        if "in_channels" not in known:
            raise UserError(
                f"{entry.name} keeps the number of maps: it cannot stand where {in_channels} become {channels}"
            )
        options["in_channels"] = in_channels
    if stride == 1:
        return get_attention(entry.name, channels, **options)
    if "stride" in known:
        return get_attention(entry.name, channels, **{"stride": stride, **options})
    return strided(get_attention(entry.name, channels, **options), stride)
