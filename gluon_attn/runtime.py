"""All that must happen before MXNet loads. `import gluon_attn` calls `start`; `gluon-attn doctor` prints the report.

The steps: restore the names that NumPy has removed, change MXNet for NumPy 2 (`utils/mxnet_changes.py`), set OpenMP's
threads, oneDNN's ISA, OpenBLAS's kernels and glibc's thresholds, and load the CUDA libraries of mxnet-cu112. Each step
reports what it did and why.
"""

import functools
import importlib.util
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .utils import cpu, cuda, mxnet_changes, tuning
from .utils.log import get_logger
from .utils.numpy_names import restore_names
from .utils.shared_libraries import missing_packages
from .utils.tuning import Step

#: whether this Python has wheels of NumPy 1; where it has none, MXNet's wheel cannot be installed with what it asks for
_NUMPY_1 = sys.version_info < (3, 13)
NO_MXNET = "MXNet is missing: " + (
    "install gluon-attn[cpu] or gluon-attn[cu112]" if _NUMPY_1
    else "pip install --no-deps mxnet==1.9.1 (or mxnet-cu112==1.9.1); it asks for NumPy 1, which this Python has not"
)  # fmt: skip
NUMPY = ">=1.26,<2" if _NUMPY_1 else ">=2.1,<2.5"
GPU_WHEEL = "mxnet-cu112"
#: MXNet 1.9 adds more gradients than this by a chain of additions and then fails to trace some graphs ("control dep not
#: found"); the candidate operations of an edge in a search have such sums
GRADIENT_SUMS = ("MXNET_EXEC_INPLACE_GRAD_SUM_CAP", "1000")
_COMMANDS = ("gluon-attn", "train_cifar.py", "train_imagenet.py", "train_coco.py", "search.py")


@dataclass(frozen=True)
class Report:
    """What `prepare` found and did.

    Attributes:
        problem: the reason why MXNet cannot load, one line, or None; then the steps below are None, too.
        wheel: (distribution, version) of MXNet.
        late: variables that were set too late, because MXNet was imported first.
        changed: what is changed in MXNet for NumPy 2, or None.
    """

    problem: str | None = None
    wheel: tuple[str | None, str | None] = (None, None)
    numpy: Step | None = None
    threads: Step | None = None
    amx: Step | None = None
    blas: Step | None = None
    malloc: Step | None = None
    cuda: Step | None = None
    late: tuple[str, ...] = ()
    changed: Step | None = None


_report = Report(problem="not started")


def start() -> None:
    """Prepare this process, once.

    Raises:
        ImportError: MXNet cannot load; a command of ours prints one line instead and exits with 2.
    """
    global _report
    if _report.problem is None:
        return
    _report = prepare(cpu.Host())
    if _report.problem and _is_command(sys.argv, sys.orig_argv):
        print(f"error: {_report.problem}", file=sys.stderr)
        raise SystemExit(2)
    if _report.problem:
        raise ImportError(_report.problem)
    if _report.late:
        names = " and ".join(_report.late)
        warnings.warn(
            f"MXNet was imported first, too early to set {names}: import gluon_attn before it",
            RuntimeWarning,
            stacklevel=3,
        )


def report() -> Report:
    """The report of this process."""
    return _report


def _is_command(argv: Sequence[str], orig_argv: Sequence[str]) -> bool:
    """Whether one of our commands is running, whose user should see one line instead of a traceback."""
    name = Path(argv[0]).name if argv else ""
    return name.removesuffix(".exe") in _COMMANDS or (name == "-m" and "gluon_attn" in orig_argv)


def prepare(host: cpu.Host, modules: Mapping[str, Any] = sys.modules) -> Report:
    """Do all steps, or nothing if MXNet cannot load anyway.

    Args:
        host: the machine; its environment variables are changed.
        modules: the modules that are loaded.
    """
    problem = obstacle(modules)
    if problem:
        return Report(problem=problem)
    if not _found("distutils", modules, importlib.util.find_spec):
        importlib.import_module("setuptools")  # brings it; a .pth file does so in the environment's own folder only
    wheel, loaded = cuda.mxnet_wheel(), "mxnet" in modules
    try:
        libraries = _load_cuda(wheel[0], loaded)
    except ImportError as error:
        return Report(problem=str(error), wheel=wheel)
    before = dict(host.environ)
    host.environ.setdefault(*GRADIENT_SUMS)
    threads, amx, blas = tuning.set_threads(host), tuning.set_amx(host), tuning.set_blas(host)
    malloc = tuning.keep_memory(host)
    read_once = (tuning.THREADS, tuning.ISA, tuning.BLAS)
    late = [name for name in read_once if loaded and host.environ.get(name) != before.get(name)]
    numpy, changed = _prepare_numpy(modules)
    return Report(None, wheel, numpy, threads, amx, blas, malloc, libraries, tuple(late), changed)


def obstacle(
    modules: Mapping[str, Any] = sys.modules, find: Callable[[str], Any] = importlib.util.find_spec
) -> str | None:
    """The reason why MXNet cannot be imported here.

    Args:
        modules: the modules imported so far (default: those of this process).
        find: function that finds the spec of a module (default: Python's).

    Returns:
        One line; None if it can be imported.
    """
    if not _found("mxnet", modules, find):
        return NO_MXNET
    if not _found("numpy", modules, find):
        return f"NumPy is missing: pip install 'numpy{NUMPY}'"
    numpy = importlib.import_module("numpy")
    if int(numpy.__version__.split(".")[0]) > 2:
        return f"MXNet was not tried with NumPy {numpy.__version__}: pip install 'numpy{NUMPY}'"
    if not _found("distutils", modules, find) and not _found("setuptools", modules, find):
        return "MXNet needs distutils, which Python 3.12 leaves to setuptools: pip install setuptools"
    packages = missing_packages()
    if packages:
        return f"libraries of the system are missing: apt install {' '.join(packages)}, or what has them elsewhere"
    return None


def _found(name: str, modules: Mapping[str, Any], find: Callable[[str], Any]) -> bool:
    if name in modules:
        return modules[name] is not None
    try:
        spec = find(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None  # a folder that only has the name has no origin


def _prepare_numpy(modules: Mapping[str, Any]) -> tuple[Step, Step | None]:
    """(NumPy and the names that were put back, what is changed in MXNet for it: None for nothing)."""
    import numpy

    restored, changed = restore_names(numpy), mxnet_changes.needed(numpy.__version__)
    mxnet_changes.change_when_loaded(numpy.__version__, modules)
    names = Step(numpy.__version__, f"names restored: {' '.join(restored) or 'none was missing'}")
    texts = ", ".join(one.removeprefix("mxnet.") for one in changed)
    return names, Step(str(len(changed)), f"for this NumPy: {texts}") if changed else None


def _load_cuda(wheel: str | None, loaded: bool) -> Step:
    if wheel != GPU_WHEEL:
        return Step("off", f"MXNet is not {GPU_WHEEL}")
    if loaded:
        return Step("off", "MXNet was imported first")
    return Step("on", f"{len(cuda.preload())} CUDA 11 libraries loaded")


@functools.lru_cache(maxsize=1)
def gpus() -> tuple[list[dict[str, Any]], str | None]:
    """The GPUs of this machine; the driver is queried once.

    Returns:
        (a dict of id, name, capability and `why` for each GPU; why there are none, or None). `why` is the reason why
        MXNet cannot use the GPU, or None.
    """
    found, problem = cuda.cards()
    other = None if _report.wheel[0] == GPU_WHEEL else f"MXNet is not {GPU_WHEEL}"
    return [{**card, "why": cuda.unusable(card["capability"]) or other} for card in found], problem


def usable_gpus() -> list[int]:
    """Ids of the GPUs that MXNet can use, as in `mx.gpu(id)`; empty without mxnet-cu112.

    A GPU that the wheel has no code for is left out, and one warning says why.
    """
    return list(_usable())


@functools.lru_cache(maxsize=1)
def _usable() -> tuple[int, ...]:
    if _report.wheel[0] != GPU_WHEEL:
        return ()
    cards, problem = gpus()
    if problem:
        get_logger().warning("no GPU: %s", problem)
    for card in cards:
        if card["why"]:
            get_logger().warning("GPU %d (%s) is not used: %s", card["id"], card["name"], card["why"])
    return tuple(card["id"] for card in cards if not card["why"])
