"""PyTorch's files, opened so that no code in them can run."""

import contextlib
import io
import re
from pathlib import Path
from pickle import UnpicklingError
from types import ModuleType
from typing import Any

from ..utils.errors import UserError

#: module -> classes and functions that training scripts store beside the weights, such as arguments and metrics.
#: None of them is ever called or made: an `_Inert` of the same name takes its place in the file
_BESIDE_WEIGHTS = {
    "argparse": ("Namespace",),
    "types": ("SimpleNamespace",),
    "builtins": ("list", "dict", "tuple", "int", "float", "str", "bool", "slice", "range", "frozenset"),
    "pathlib": ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"),
    "pathlib._local": ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"),
    "datetime": ("datetime", "date", "time", "timedelta", "timezone"),
    # NumPy 1 and 2
    "numpy": ("dtype", "ndarray"),
    "numpy.core.multiarray": ("scalar", "_reconstruct"),
    "numpy._core.multiarray": ("scalar", "_reconstruct"),
    "numpy.dtypes": tuple(
        f"{kind}DType"
        for kind in ("Bool", "Float16", "Float32", "Float64", "Str", "Bytes", *(
            f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)
        ))
    ),
}  # fmt: skip


class _Inert:
    """Stands for an object beside the weights: it takes any arguments and any state, and keeps none.

    So it does not matter what a file passes to a class that is allowed: the class itself is never reached.
    """

    def __new__(cls, *arguments: Any) -> "_Inert":
        return object.__new__(cls)

    def __init__(self, *arguments: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def _plain_dict(*arguments: Any) -> dict[Any, Any]:
    """Stands for a `defaultdict`: without its factory it is a dict, which may hold the weights."""
    return {}


def _stand_ins() -> list[Any]:
    _plain_dict.__module__, _plain_dict.__qualname__, _plain_dict.__name__ = "collections", "defaultdict", "defaultdict"
    made = [
        type(name, (_Inert,), {"__module__": module, "__qualname__": name})
        for module, names in _BESIDE_WEIGHTS.items()
        for name in names
    ]
    return [*made, _plain_dict]


def load(path: Path | str, torch: ModuleType, is_zip: bool) -> Any:
    """The content of a PyTorch file, tensors on the CPU.

    Args:
        path: the file.
        torch: the library.
        is_zip: whether it has the newer of the two formats, whose tensors stay on the disk until they are used.

    Raises:
        UserError: it is damaged, no such file, or holds more than weights and what is known to be harmless.
    """
    allowed = getattr(torch.serialization, "safe_globals", None)  # since 2.5; older ones read weights alone
    try:
        # torch warns of tarred files and the like on stderr
        with contextlib.redirect_stderr(io.StringIO()), allowed(_stand_ins()) if allowed else contextlib.nullcontext():
            return torch.load(str(path), map_location="cpu", weights_only=True, **({"mmap": True} if is_zip else {}))
    except UnpicklingError as error:
        if not re.search(r"[Uu]nsupported (?:GLOBAL|global|class|operand)", str(error)):
            raise UserError(f"{path} is damaged or no PyTorch file") from None
        asked = re.search(r"(?:GLOBAL|class) ([\w.]+\.[\w.]+)", str(error))
        what = f" ({asked[1]})" if asked else ""
        raise UserError(
            f"{path} holds more than weights{what}, or is damaged: it is not opened, since code in it would run; "
            "save the state_dict alone"
        ) from None
    except Exception:  # a reader of damaged bytes may raise anything
        raise UserError(f"{path} is damaged or no PyTorch file") from None
