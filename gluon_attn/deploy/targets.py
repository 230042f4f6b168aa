"""Export targets: a file format and the precision in which it computes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..utils.errors import UserError

FORMATS = ("symbol", "onnx", "openvino")
PRECISIONS = ("float32", "float16", "bfloat16", "int8")
_ABSENT = {
    ("onnx", "bfloat16"): "ONNX Runtime computes no bfloat16 on a CPU; take format openvino or symbol",
    ("onnx", "int8"): "int8 is MXNet's or OpenVINO's; take format openvino or symbol",
}


@dataclass(frozen=True)
class ExportTarget:
    """What a network is exported as; `str` gives a name such as "openvino-int8".

    Attributes:
        format: One of `FORMATS`.
        precision: One of `PRECISIONS`.

    Raises:
        UserError: There is no such format, precision or pair of both.
    """

    format: str
    precision: str = "float32"

    def __post_init__(self) -> None:
        for what, value, known in (("format", self.format, FORMATS), ("precision", self.precision, PRECISIONS)):
            if value not in known:
                raise UserError(f"unknown {what} {value!r}; choose from {', '.join(known)}")
        reason = _ABSENT.get((self.format, self.precision))
        if reason:
            raise UserError(f"there is no {self}: {reason}")

    def __str__(self) -> str:
        return f"{self.format}-{self.precision}"


def all_targets(formats: Iterable[str] = FORMATS, precisions: Sequence[str] = PRECISIONS) -> list[ExportTarget]:
    """The targets that exist among all pairs of `formats` and `precisions`."""
    pairs = ((kind, precision) for kind in formats for precision in precisions)
    return [ExportTarget(*pair) for pair in pairs if pair not in _ABSENT]


def requested_targets(
    formats: Iterable[str], precisions: Iterable[str]
) -> tuple[list[ExportTarget], list[tuple[str, str]]]:
    """The targets of these formats and precisions.

    Args:
        formats: Some of `FORMATS`.
        precisions: Some of `PRECISIONS`.

    Returns:
        (targets, (format, precision) of each pair that does not exist).

    Raises:
        UserError: None of these exists.
    """
    formats, precisions = list(dict.fromkeys(formats)), list(dict.fromkeys(precisions))
    found = all_targets(formats, precisions)
    absent = [pair for pair in _ABSENT if pair[0] in formats and pair[1] in precisions]
    if absent and not found:
        ExportTarget(*absent[0])  # raises with the reason
    return found, absent


def absence(pair: tuple[str, str]) -> str:
    """Name of a (format, precision) that does not exist, and why.

    Args:
        pair: One of those that `requested_targets` gives as absent.
    """
    return f"{'-'.join(pair)} ({_ABSENT[pair]})"
