"""Connection schemes: which blocks of a network have the attention that the blocks of a stage share.

As bits, one a block, '1001011010011011'; as EAN writes them, each stage's bits read as a binary number, 4 11 19 3; as
a JSON file.
"""

from dataclasses import dataclass
from pathlib import Path

from ..config.base import Config, option
from ..utils.errors import UserError
from ..utils.files import read_json, write_json
from .base import MODELS
from .plan import Plan

VERSION = 1
_FLAGS = ("norm", "drop_rate", "last_gamma")  # options of networks that a `ModelConfig` has by themselves


def from_codes(codes, blocks):
    """The bits of EAN's numbers, one a stage of `blocks` blocks; numbers that do not fit are a `UserError`."""
    if len(codes) != len(blocks) or any(not 0 <= code < 2**count for code, count in zip(codes, blocks, strict=True)):
        limits = ", ".join(str(2**count - 1) for count in blocks)
        raise UserError(f"--config-codes takes numbers up to {limits}, one a stage, got {' '.join(map(str, codes))}")
    return "".join(f"{code:0{count}b}" for code, count in zip(codes, blocks, strict=True))


def to_codes(bits, blocks):
    """EAN's numbers of the bits, a tuple of one a stage."""
    return tuple(int(part, 2) for part in by_stage(bits, blocks))


def by_stage(bits, blocks):
    """The bits cut into stages of `blocks` blocks; another number of bits is a `UserError`."""
    if len(bits) != sum(blocks):
        raise UserError(f"the scheme has {len(bits)} bits, the network {sum(blocks)} blocks")
    ends = [sum(blocks[: i + 1]) for i in range(len(blocks))]
    return [bits[end - count : end] for end, count in zip(ends, blocks, strict=True)]


def _bits(value):
    return None if value and set(value) <= {"0", "1"} else "must be zeros and ones, one a block"


def is_file(scheme):
    """Whether what stands for a scheme names a file."""
    return isinstance(scheme, (str, Path)) and str(scheme).endswith(".json")


@dataclass(frozen=True)
class Scheme(Config):
    """A scheme with what it is for, as its file holds it."""

    scheme: str = option("0", "a 0 or 1 for each block", check=_bits)
    model: str = option("fbresnet50", "the backbone")
    attention: str | None = option("sge", "the shared attention; None: the model has it in its name")
    options: dict = option({}, "options of the attention, or of such a model")
    score: float | None = option(None, "accuracy in percent, of what `origin` says")
    origin: str | None = option(None, "where the scheme comes from")
    network: dict = option({}, "options of the backbone, beside an attention")

    def plan(self):
        """The `Plan` of it, checked against the number of the backbone's blocks where that is known."""
        if self.attention is None:
            raise UserError(f"{self.model} has its attention in its name: give it the scheme, and no plan")
        blocks = MODELS.get(self.model).blocks
        if blocks:
            by_stage(self.scheme, blocks)
        return Plan([{"name": self.attention, "shared": True, "scheme": self.scheme, "options": self.options}])

    def model_options(self):
        """Options of a `ModelConfig`, by name, that ask for the network of it."""
        options = {key: value for key, value in self.network_options().items() if key not in _FLAGS}
        flags = {key: value for key, value in self.network_options().items() if key in _FLAGS}
        network = {"model": self.model, "model_options": options, **flags, "scheme": self.scheme}
        if self.attention is None:
            return network
        return {**network, "attention": self.attention, "attention_options": self.options, "shared": True}

    def network_options(self):
        """Options of the network, as `get_model` takes them."""
        return dict(self.options if self.attention is None else self.network)

    def save(self, path):
        """Write the file, whole or not at all."""
        write_json(path, {"version": VERSION, **self.to_dict()})

    @classmethod
    def load(cls, path):
        """Read a file; one that is broken, or of another version, is a `UserError` that names it."""
        data = read_json(Path(path))
        if not isinstance(data, dict) or not {"version", "scheme"} <= set(data):
            raise UserError(f"scheme {path}: a scheme is a mapping with 'version', 'scheme', 'model' and 'attention'")
        version = data.pop("version")
        if version != VERSION:
            raise UserError(f"scheme {path}: version {version!r} is not known here; this release reads {VERSION}")
        try:
            return cls.from_dict(data)
        except UserError as error:
            raise UserError(f"scheme {path}: {error}") from None
