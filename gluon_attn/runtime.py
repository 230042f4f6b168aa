"""All that must happen before MXNet loads. `import gluon_attn` calls `start`; `gluon-attn doctor` reports it.

NumPy gets back the aliases that MXNet 1.9 copies, OpenMP its threads, oneDNN its AMX, OpenBLAS its kernels,
glibc its thresholds, and mxnet-cu112 the CUDA libraries of its wheels. Each step says what it did and why.
"""

import builtins
import functools
import importlib.util
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

from .utils import cpu, cuda, tuning
from .utils.log import get_logger
from .utils.tuning import Step

NO_MXNET = "MXNet is missing: install gluon-attn[cpu] or gluon-attn[cu112]"
GPU_WHEEL = "mxnet-cu112"
#: sums of more gradients than this go through a chain of additions, with which MXNet 1.9 cannot trace some graphs
#: ("control dep not found"); the many choices on an edge in a search need such sums
GRADIENT_SUMS = ("MXNET_EXEC_INPLACE_GRAD_SUM_CAP", "1000")
_ALIASES = ("bool", "int", "float", "object", "complex", "str")  # gone since NumPy 1.24
_COMMANDS = ("gluon-attn", "train_cifar.py", "train_imagenet.py", "train_coco.py", "search.py")


@dataclass(frozen=True)
class Report:
    """What `prepare` found and did. `problem` is the one line that keeps MXNet from loading, or None.

    `wheel` is MXNet's (distribution, version); `late` names what MXNet, imported before us, no longer heeds.
    """

    problem: str | None = None
    wheel: tuple = (None, None)
    numpy: Step | None = None
    threads: Step | None = None
    amx: Step | None = None
    blas: Step | None = None
    malloc: Step | None = None
    cuda: Step | None = None
    late: tuple = ()


_report = Report(problem="not started")


def start():
    """Prepare this process, once. A problem is an `ImportError`; our commands end with its line, code 2."""
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


def report():
    """The `Report` of this process."""
    return _report


def _is_command(argv, orig_argv):
    """Whether one of our commands is running: its user shall see one line, not a traceback."""
    name = Path(argv[0]).name if argv else ""
    return name.removesuffix(".exe") in _COMMANDS or (name == "-m" and "gluon_attn" in orig_argv)


def prepare(host, modules=sys.modules):
    """Do each step on `host` and return the `Report`; nothing is done where MXNet could not load anyway."""
    problem = obstacle(modules)
    if problem:
        return Report(problem=problem)
    wheel, loaded = cuda.mxnet_wheel(), "mxnet" in modules
    try:
        libraries = _load_cuda(wheel[0], loaded)
    except ImportError as error:
        return Report(problem=str(error), wheel=wheel)
    before = dict(host.environ)
    host.environ.setdefault(*GRADIENT_SUMS)
    made = {"threads": tuning.set_threads, "amx": tuning.set_amx, "blas": tuning.set_blas, "malloc": tuning.keep_memory}
    steps = {name: step(host) for name, step in made.items()}
    read_once = (tuning.THREADS, tuning.ISA, tuning.BLAS)
    late = [name for name in read_once if loaded and host.environ.get(name) != before.get(name)]
    return Report(None, wheel, _restore_aliases(), cuda=libraries, late=tuple(late), **steps)


def obstacle(modules=sys.modules, find=importlib.util.find_spec):
    """The one line that says why MXNet cannot be imported here, or None."""
    if not _found("mxnet", modules, find):
        return NO_MXNET
    if not _found("numpy", modules, find):
        return "NumPy is missing: pip install 'numpy>=1.26,<2'"
    numpy = importlib.import_module("numpy")
    if int(numpy.__version__.split(".")[0]) >= 2:
        return f"MXNet does not work with NumPy {numpy.__version__}: pip install 'numpy>=1.26,<2'"
    if not _found("distutils", modules, find):
        return "MXNet needs distutils, which Python 3.12 leaves to setuptools: pip install setuptools"
    return None


def _found(name, modules, find):
    if name in modules:
        return modules[name] is not None
    try:
        spec = find(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None  # a folder that merely has the name has no origin


def _restore_aliases():
    import numpy

    # vars, not hasattr: asking NumPy for a removed name warns.
    missing = [name for name in _ALIASES if name not in vars(numpy)]
    for name in missing:
        setattr(numpy, name, getattr(builtins, name))
    return Step(numpy.__version__, f"aliases put back: {' '.join(missing) or 'none was missing'}")


def _load_cuda(wheel, loaded):
    if wheel != GPU_WHEEL:
        return Step("off", f"MXNet is not {GPU_WHEEL}")
    if loaded:
        return Step("off", "MXNet was imported first")
    return Step("on", f"{len(cuda.preload())} CUDA 11 libraries loaded")


@functools.lru_cache(maxsize=1)
def gpus():
    """(cards, complaint): a card is a dict of id, name, capability and `why`, None when MXNet can use it."""
    found, complaint = cuda.cards()
    other = None if _report.wheel[0] == GPU_WHEEL else f"MXNet is not {GPU_WHEEL}"
    return [{**card, "why": cuda.unusable(card["capability"]) or other} for card in found], complaint


def usable_gpus():
    """List of the ids of GPUs that MXNet can run on, as in `mx.gpu(id)`; empty without mxnet-cu112.

    The driver is asked at the first call. A card that the wheel has no code for counts as absent; one warning
    says why.
    """
    return list(_usable())


@functools.lru_cache(maxsize=1)
def _usable():
    if _report.wheel[0] != GPU_WHEEL:
        return ()
    cards, complaint = gpus()
    if complaint:
        get_logger().warning("no GPU: %s", complaint)
    for card in cards:
        if card["why"]:
            get_logger().warning("GPU %d (%s) is not used: %s", card["id"], card["name"], card["why"])
    return tuple(card["id"] for card in cards if not card["why"])
