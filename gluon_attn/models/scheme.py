"""Connection schemes: which blocks of a network are connected to the attention that their stage shares.

Three spellings: bits, one per block, '1001011010011011'; EAN's numbers, the bits of each stage read as a binary number,
4 11 19 3; and a JSON file, which also says what network and attention the scheme is for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.base import Config, connection_bits, option
from ..utils.errors import UserError
from ..utils.files import read_json, write_json
from .base import MODELS
from .plan import Plan

VERSION = 1
#: network options with a field of their own in `ModelConfig`
_CONFIG_OPTIONS = ("norm", "drop_rate", "drop_path", "dropblock_prob", "last_gamma")


def from_codes(codes: Sequence[int], blocks: Sequence[int]) -> str:
    """The bits of EAN's numbers.

    Args:
        codes: one number per stage.
        blocks: number of blocks in each stage.

    Raises:
        UserError: the numbers do not fit the blocks.
    """
    if len(codes) != len(blocks) or any(not 0 <= code < 2**count for code, count in zip(codes, blocks, strict=True)):
        limits = ", ".join(str(2**count - 1) for count in blocks)
        given = " ".join(map(str, codes))
        raise UserError(f"option config_codes takes numbers up to {limits}, one per stage, got {given}")
    return "".join(f"{code:0{count}b}" for code, count in zip(codes, blocks, strict=True))


def to_codes(bits: str, blocks: Sequence[int]) -> tuple[int, ...]:
    """EAN's numbers for a scheme, one per stage: the bits of a stage as a binary number.

    Args:
        bits, blocks: as of `by_stage`.

    Raises:
        UserError: as `by_stage`.
    """
    return tuple(int(part, 2) for part in by_stage(bits, blocks))


def by_stage(bits: str, blocks: Sequence[int]) -> list[str]:
    """The bits of each stage.

    Args:
        bits: one 0 or 1 per block.
        blocks: number of blocks in each stage.

    Raises:
        UserError: `bits` are not as many zeros and ones as there are blocks.
    """
    complaint = connection_bits(bits)
    if complaint:
        raise UserError(f"a scheme {complaint}, got {bits!r}")
    if len(bits) != sum(blocks):
        raise UserError(f"the scheme has {len(bits)} bits, the network {sum(blocks)} blocks")
    ends = [sum(blocks[: i + 1]) for i in range(len(blocks))]
    return [bits[end - count : end] for end, count in zip(ends, blocks, strict=True)]


def is_file(scheme: Any) -> bool:
    """Whether the value of an option `scheme` names a file instead of bits."""
    return isinstance(scheme, (str, Path)) and str(scheme).endswith(".json")


@dataclass(frozen=True)
class Scheme(Config):
    """A connection scheme with the network and attention that it is for, as its file holds them."""

    scheme: str = option("0", "one 0 or 1 per block", check=connection_bits)
    model: str = option("fbresnet50", "the backbone")
    attention: str | None = option("sge", "the shared attention; None: the model has it in its name")
    options: dict = option({}, "options of the attention, or of a model that has it in its name")
    score: float | None = option(None, "accuracy in percent; `origin` says of what")
    origin: str | None = option(None, "where the scheme comes from")
    network: dict = option({}, "options of the backbone, if there is an attention")

    def check_belongs(self, path: Path | str, model: str | None = None, attention: str | None = None) -> None:
        """Check that a network may use this scheme; every way to give a scheme file comes here.

        Args:
            path: the file, for the message.
            model: name or alias of the wanted model; None: the file's.
            attention: name or alias of the wanted attention; None: the file's.

        Raises:
            UserError: the file is for another model or another attention.
        """
        from ..attention.factory import ATTENTIONS  # loads MXNet

        for key, asked, own, names in (
            ("model", model, self.model, MODELS), ("attention", attention, self.attention, ATTENTIONS),
        ):  # fmt: skip
            if asked is not None and (own is None or names.resolve(asked) != names.resolve(own)):
                raise UserError(
                    f"scheme {path} is for {self.model} with {self.attention or 'its own attention'}: "
                    f"drop option {key} {asked}, or give option scheme as zeros and ones"
                )

    def plan(self) -> Plan:
        """The plan of the scheme; that the network has so many blocks is checked where the plan is bound to it.

        Raises:
            UserError: the model has its attention in its name.
        """
        if self.attention is None:
            raise UserError(f"{self.model} has its attention in its name: give it the scheme, and no plan")
        return Plan([{"name": self.attention, "shared": True, "scheme": self.scheme, "options": self.options}])

    def model_options(self) -> dict[str, Any]:
        """Options of a `ModelConfig`, name -> value, of the network of the scheme."""
        options = {key: value for key, value in self.network_options().items() if key not in _CONFIG_OPTIONS}
        own = {key: value for key, value in self.network_options().items() if key in _CONFIG_OPTIONS}
        network = {"model": self.model, "model_options": options, **own, "scheme": self.scheme}
        if self.attention is None:
            return network
        return {**network, "attention": self.attention, "attention_options": self.options, "shared": True}

    def network_options(self) -> dict[str, Any]:
        """Options of the network, as `get_model` takes them."""
        return dict(self.options if self.attention is None else self.network)

    def save(self, path: Path | str) -> None:
        """Write the file, whole or not at all."""
        write_json(path, {"version": VERSION, **self.to_dict()})

    @classmethod
    def load(cls, path: Path | str) -> "Scheme":
        """Read a file.

        Raises:
            UserError: the file is missing, broken or of another version; the message names it.
        """
        data = read_json(Path(path))
        if not isinstance(data, dict) or not {"version", "scheme"} <= set(data):
            raise UserError(f"scheme {path}: a scheme is a mapping with 'version', 'scheme', 'model' and 'attention'")
        version = data.pop("version")
        if version != VERSION:
            raise UserError(f"scheme {path}: version {version!r} is not supported; this release reads {VERSION}")
        try:
            return cls.from_dict(data)
        except UserError as error:
            raise UserError(f"scheme {path}: {error}") from None
