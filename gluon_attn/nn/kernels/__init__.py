"""Compiled operators for training on a CPU, built once by the system's C++ compiler.

They stand in for the formulations of `nn/fast.py` while `compiled_operators()` is active, and are never part of an
exported file: exporting traces the network anew.
"""

import contextlib
import contextvars
import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import mxnet as mx

from ...utils import cpu
from ...utils.errors import WriteError
from ...utils.files import atomic_path
from ...utils.log import get_logger
from ...utils.progress import Progress

_HERE = Path(__file__).parent
#: the C++ files, all compiled into one library
SOURCES: tuple[Path, ...] = (*sorted(_HERE.glob("*.cc")), *sorted(_HERE.glob("*.h")))
#: symbolic: Horovod makes libmxnet's symbols global, and its own copy of lib_api.cc must not replace ours
_FLAGS = ("-std=c++17", "-O3", "-march=native", "-fopenmp", "-fPIC", "-shared", "-w", "-Wl,-Bsymbolic")
#: the last type that MXNet's lib_api.cc describes to DLPack, and one more: mshadow's and DLPack's numbers of bfloat16
_INT64_CASE = """
  case kInt64:
    dltensor.dtype.code = kDLInt;
    dltensor.dtype.bits = 64;
    break;
"""
_BFLOAT16_CASE = """  case static_cast<MXDType>(12):
    dltensor.dtype.code = 4;
    dltensor.dtype.bits = 16;
    break;
"""
_BFLOAT16_MARK = "gluon_attn_takes_bfloat16"  # in a built library whose lib_api.cc has that case
_loaded: list[ctypes.CDLL] = []  # into MXNet; the last one counts
_active = contextvars.ContextVar("compiled_operators", default=False)


def active() -> bool:
    """Whether this thread traces with the compiled operators."""
    return _active.get()


@contextlib.contextmanager
def compiled_operators() -> Iterator[None]:
    """While active, in this thread, `nn/fast.py` uses the compiled operators where they can be built.

    For networks in float32 or float64 on the CPU. The operators write gradients and cannot add to them (grad_req
    "add"), which matters only to an input or weight that one of them takes directly. Like `fast.plain_operators` it
    acts while a graph is traced.
    """
    token = _active.set(problem() is None)
    try:
        yield
    finally:
        _active.reset(token)


@contextlib.contextmanager
def inputs_only() -> Iterator[None]:
    """While active, in all threads, compiled convolutions do not compute the gradients of their weights.

    For backward passes that need other gradients only. Waits for all pending work of MXNet at both ends. Changes
    nothing outside `compiled_operators`.
    """
    if not active():
        yield
        return
    set_weight_gradients = _loaded[-1].gluon_attn_set_weight_gradients
    mx.nd.waitall()
    set_weight_gradients(0)
    try:
        yield
        mx.nd.waitall()
    finally:
        set_weight_gradients(1)


@functools.cache
def take_bfloat16() -> bool:
    """Whether the operators whose feature maps may be in bfloat16 get such maps from MXNet.

    If not, although they are loaded, the log says so.
    """
    if problem() is not None:
        return False
    known = hasattr(_loaded[-1], _BFLOAT16_MARK)
    if not known:
        get_logger().warning("MXNet's lib_api.cc is not that of 1.9.1: compiled operators compute in float32 only")
    return known


@functools.cache
def problem() -> str | None:
    """Load the operators into MXNet, building them the first time.

    Returns:
        None if they are loaded, else the reason why they cannot be, as one line.
    """
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        return "no C++ compiler (g++, or what CXX names) is on the PATH"
    try:
        library = folder() / f"kernels-{_key(compiler)}.so"
        if not library.is_file():
            _build(compiler, library)
        mx.library.load(str(library), False)
        _loaded.append(ctypes.CDLL(str(library)))
    except subprocess.CalledProcessError as error:
        return f"{compiler} failed: {(error.stderr.strip().splitlines() or ['no message'])[0]}"
    except (OSError, WriteError, mx.MXNetError) as error:
        return f"they do not load: {str(error).strip().splitlines()[0]}"
    return None


def folder() -> Path:
    """The folder of built libraries: in XDG_CACHE_HOME (default ~/.cache), or in the temporary folder if read-only.

    Raises:
        PermissionError: if the one in the temporary folder belongs to another user.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gluon_attn"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if os.access(cache, os.W_OK):
            return cache
    except OSError:
        pass
    private = Path(tempfile.gettempdir()) / f"gluon_attn-{os.getuid()}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.getuid():
        raise PermissionError(f"{private} belongs to another user")
    return private


def _key(compiler: str) -> str:
    """A hash of all that the built library depends on: sources, compiler, flags, MXNet and the kind of processor."""
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    host = cpu.Host()
    parts = (
        *(path.read_text(encoding="utf-8") for path in SOURCES),
        version,
        mx.__version__,
        _interface(),
        platform.machine(),
        *_FLAGS,
    )
    flags = " ".join(sorted(cpu.flags(host)))
    return hashlib.sha256("\n".join((*parts, cpu.model_name(host), flags)).encode()).hexdigest()[:16]


def _build(compiler: str, library: Path) -> None:
    """Compile the sources to `library`, which appears whole or not at all."""
    include = f"-I{Path(mx.__file__).parent / 'include'}"
    sources = [str(path) for path in SOURCES if path.suffix == ".cc"]
    with atomic_path(library) as built, Progress("compiling operators, once for this machine"):
        subprocess.run(
            [compiler, *_FLAGS, include, "-o", str(built), *sources, "-x", "c++", "-"],
            input=_interface(), capture_output=True, text=True, check=True,
        )  # fmt: skip


@functools.cache
def _interface() -> str:
    """MXNet's lib_api.cc, changed to hand on bfloat16, which it does not know, where it is that of MXNet 1.9.1."""
    text = (Path(mx.__file__).parent / "src/lib_api.cc").read_text(encoding="utf-8")
    if text.count(_INT64_CASE) != 1:
        return text
    changed = text.replace(_INT64_CASE, _INT64_CASE + _BFLOAT16_CASE)
    return f'{changed}\nextern "C" const bool {_BFLOAT16_MARK} = true;\n'
