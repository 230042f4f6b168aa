"""Compiled operators for gating and pooling on a CPU, built once by the system's C++ compiler.

They stand in for the formulations of `nn/fast.py` while `compiled_operators()` is active, and are never part of a
file that leaves the process: who exports traces the network anew.
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
from pathlib import Path

import mxnet as mx

from ...utils import cpu

_NAMES = (
    "axes.cc", "blocks.cc", "depthwise.cc", "mixture.cc", "moves.cc", "norms.cc", "pointwise.cc", "rows.cc",
    "separable.cc", "whole.cc", "windows.cc", "batch.h", "common.h", "correlate.h", "frames.h", "lanes.h", "tiles.h",
)  # fmt: skip
SOURCES = tuple(Path(__file__).with_name(name) for name in _NAMES)
#: symbolic: Horovod makes libmxnet's symbols global, and those of its own lib_api.cc must not stand for ours
_FLAGS = ("-std=c++17", "-O3", "-march=native", "-fopenmp", "-fPIC", "-shared", "-w", "-Wl,-Bsymbolic")
_switches = []  # of the loaded operators: see `inputs_only`
_active = contextvars.ContextVar("compiled_operators", default=False)


def active():
    """Whether this thread traces with the compiled operators."""
    return _active.get()


@contextlib.contextmanager
def compiled_operators():
    """While active, in this thread, `nn/fast.py` uses the compiled operators; without them it changes nothing.

    For networks in float32 or float64 on the CPU. They write gradients and cannot add to them (grad_req "add"), which
    matters only to an input or weight that goes straight into one. It acts when a graph is traced, as
    `fast.plain_operators` does.
    """
    token = _active.set(problem() is None)
    try:
        yield
    finally:
        _active.reset(token)


@contextlib.contextmanager
def inputs_only():
    """While active, in all threads, compiled convolutions leave the gradients of their weights as they are.

    For passes that need other gradients only. Waits for all that MXNet has to do, before and behind. Changes nothing
    outside `compiled_operators`.
    """
    if not active():
        yield
        return
    wanted = _switches[-1]
    mx.nd.waitall()
    wanted(0)
    try:
        yield
        mx.nd.waitall()
    finally:
        wanted(1)


@functools.cache
def problem():
    """None once the operators are loaded into MXNet, building them at first; else why they cannot be, as one line."""
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        return "no C++ compiler (g++, or what CXX names) is on the PATH"
    try:
        library = folder() / f"kernels-{_key(compiler)}.so"
        if not library.is_file():
            _build(compiler, library)
        mx.library.load(str(library), False)
        _switches.append(ctypes.CDLL(str(library)).gluon_attn_weight_gradients)
    except subprocess.CalledProcessError as error:
        return f"{compiler} failed: {(error.stderr.strip().splitlines() or ['no message'])[0]}"
    except (OSError, mx.MXNetError) as error:
        return f"they do not load: {str(error).strip().splitlines()[0]}"
    return None


def folder():
    """Where built operators are kept: XDG_CACHE_HOME (by default ~/.cache), or the temporary folder if read-only."""
    wanted = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gluon_attn"
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK):
            return wanted
    except OSError:
        pass
    private = Path(tempfile.gettempdir()) / f"gluon_attn-{os.getuid()}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.getuid():
        raise PermissionError(f"{private} belongs to another user")
    return private


def _key(compiler):
    """What the built file depends on: source, compiler, MXNet and this kind of processor."""
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    host = cpu.Host()
    parts = (
        *(path.read_text(encoding="utf-8") for path in SOURCES),
        version,
        mx.__version__,
        platform.machine(),
        *_FLAGS,
    )
    flags = " ".join(sorted(cpu.flags(host)))
    return hashlib.sha256("\n".join((*parts, cpu.model_name(host), flags)).encode()).hexdigest()[:16]


def _build(compiler, library):
    home = Path(mx.__file__).parent
    sources = [str(path) for path in (*SOURCES, home / "src/lib_api.cc") if path.suffix == ".cc"]
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        made = Path(scratch) / library.name
        subprocess.run(
            [compiler, *_FLAGS, f"-I{home / 'include'}", *sources, "-o", str(made)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        os.replace(made, library)
