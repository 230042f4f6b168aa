"""All checks of an attention or a model, as the tests make them, with a line for each."""

import contextlib
import io
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ...attention.base import ATTENTIONS
from ...attention.factory import check_options
from ...models.base import MODELS
from ...models.detection import detector_record
from ...models.factory import model_info
from ...registry import UnknownName
from ...utils.errors import UserError, reason
from ...utils.log import without_root_messages
from ...utils.progress import each
from ...utils.seed import seed_all
from ...utils.suggest import did_you_mean
from . import contract, dtypes, forms, gradients
from .case import Case, CheckFailed, ModelCase, NotChecked

CHANNELS = (16, 64)
#: heights and widths of feature maps; odd, and as small as they get
SIZES = ((7, 5), (1, 1))
_CLASSES = 10


@dataclass(frozen=True)
class Check:
    """One row of the table.

    Attributes:
        title: what holds.
        function: checks a case; gives the largest difference, or None.
        everywhere: whether all cases are checked, or the first alone.
        models: whether it is made for models, too.
    """

    title: str
    function: Callable[[Case], float | None]
    everywhere: bool = False
    models: bool = True


#: all checks; the first one says whether there is anything to check
CHECKS = (
    Check("shape and dtype", forms.shape_and_dtype, everywhere=True),
    Check("imperative = hybrid = symbol", forms.imperative_is_hybrid_is_symbol, everywhere=True),
    Check("any batch, each image for itself", forms.any_batch),
    Check("ONNX", forms.onnx, everywhere=True),
    Check("saved and loaded", forms.saved_and_loaded),
    Check("gradients are finite", gradients.finite, everywhere=True),
    Check("gradient = finite difference", gradients.finite_difference, models=False),
    Check("bfloat16", dtypes.bfloat16, everywhere=True, models=False),
    Check("float16", dtypes.float16),
    Check("options are used", contract.options_are_used, models=False),
    Check("state from block to block", contract.states, models=False),
    Check("start without effect", contract.constant_start, models=False),
    Check("in a network", contract.in_a_network, models=False),
)


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: title of the `Check`.
        result: "passed", "failed" or "not checked".
        difference: the largest difference from what was expected, where there is one.
        note: what is wrong, which cases are refused, or why it was not checked.
    """

    check: str
    result: str
    difference: float | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def run_checks(
    name: str, channels: Sequence[int] = CHANNELS, options: Mapping[str, Any] | None = None, seed: int = 1
) -> list[Finding]:
    """Check an attention, or a model at its own size of images.

    Args:
        name: of the attention or the model.
        channels: numbers of channels to check an attention at.
        options: of the attention or the model.
        seed: of weights and images.

    Returns:
        A `Finding` for each check.

    Raises:
        UserError: there is neither an attention nor a model of this name, it is a detector, an option is unknown, or
            all cases are refused.
    """
    options = dict(options or {})
    cases: list[Case]
    if name in ATTENTIONS:
        check_options(name, options)
        cases = [Case(ATTENTIONS.resolve(name), count, size, options) for size in SIZES for count in channels]
    elif name in MODELS:
        info = model_info(name)
        cases = [ModelCase(MODELS.resolve(name), _CLASSES, (info.input_size,) * 2, options, 1e-4, 1e-4)]
    elif detector_record(name):
        raise UserError(f"{name} is a detector, which is not checked as a whole: check its backbone or its attention")
    else:
        near = did_you_mean(name, (*ATTENTIONS.names(), *MODELS.names()), most=3)
        raise UnknownName("attention or model", name, near or "name the plugin that has it with option plugin")
    checks = [check for check in CHECKS if check.models or name in ATTENTIONS]
    cases, refused = _taken(cases, seed)
    if not cases:
        raise UserError(f"nothing to check: {name} refuses {refused[0]}")
    found = _run(checks[0], cases, seed)
    if refused:
        note = _summary([*filter(None, [found.note]), *(f"refused: {line}" for line in refused)])
        found = replace(found, note=note)
    if found.result == "failed":
        return [found, *(Finding(check.title, "not checked", note="it does not run") for check in checks[1:])]
    rest = each(checks[1:], f"checking {name}", len(checks) - 1, "check")
    return [found, *(_run(check, cases, seed) for check in rest)]


def _taken(cases: Sequence[Case], seed: int) -> tuple[list[Case], list[str]]:
    """(the cases that the block takes, a line for each that it refuses by a `UserError`, as its definition may)."""
    taken, refused = [], []
    for case in cases:
        seed_all(seed)
        try:
            case.make()
        except UserError as error:
            refused.append(f"{case} ({error})")
            continue
        except Exception:  # code of others: the checks tell
            pass
        taken.append(case)
    return taken, refused


def _run(check: Check, cases: Sequence[Case], seed: int) -> Finding:
    """A check of its cases."""
    largest, notes = -math.inf, []
    for case in cases if check.everywhere else cases[:1]:
        seed_all(seed)
        difference = None
        try:
            with _quiet():
                difference = check.function(case)
        except NotChecked as error:
            return Finding(check.title, "not checked", note=str(error))
        except CheckFailed as error:
            difference = error.difference
            notes.append(f"{case}: {error}")
        except Exception as error:  # code of others
            notes.append(f"{case}: {reason(error)}")
        largest = max(largest, -math.inf if difference is None else difference)
    result = "failed" if notes else "passed"
    return Finding(check.title, result, None if largest < 0 else largest, _summary(notes))


def _summary(notes: Sequence[str]) -> str:
    """The first of some notes, and how many there are besides."""
    return "".join(notes[:1]) + (f"; {len(notes) - 1} more" if notes[1:] else "")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what MXNet says of types and of its ONNX converters, which goes to three places."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), without_root_messages():
        warnings.simplefilter("ignore")
        yield
