"""`gluon-attn doctor`: what runs here, what was set before MXNet loaded and why, and what is missing."""

import importlib.metadata as metadata
import importlib.util
import json
import platform
import sys
from pathlib import Path

from .. import runtime
from ..runs.mxnet_probe import run_trial
from ..utils import cpu
from ..utils.optional import EXTRAS
from ..version import __version__

_FLAGS = ("avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8")
_LIBRARIES = ("gluoncv", "matplotlib", "opencv-python", "pandas", "pillow", "scikit-learn", "scipy")


def add_arguments(parser):
    """The flags of `doctor`."""
    parser.add_argument("--json", action="store_true", help="print JSON for programs instead of a table")


def run(args):
    """Print the report; 0 when MXNet works here, else 1."""
    trial = run_trial(runtime.usable_gpus())
    sections = {
        "versions": versions(trial),
        "processor": processor(cpu.Host(), trial),
        "gpus": gpus(),
        "horovod": horovod(cpu.Host()),
        "extras": extras(),
        "trial": trial_rows(trial),
    }
    if args.json:
        named = {
            title: {label: {"value": value, "note": note} for label, value, note in rows}
            for title, rows in sections.items()
        }
        print(json.dumps({"ok": trial["problem"] is None, **named}, indent=2))
    else:
        print(render(sections))
    return int(trial["problem"] is not None)


def render(sections):
    """The sections as one table: each row is (label, value, note)."""
    rows = [row for rows in sections.values() for row in rows]
    wide, wider = (max(len(str(row[column])) for row in rows) for column in (0, 1))
    wider = min(wider, 24)
    lines = []
    for title, rows in sections.items():
        lines += ["", title]
        lines += [f"  {label:<{wide}}  {value!s:<{wider}}  {note}".rstrip() for label, value, note in rows]
    return "\n".join(lines[1:])


def versions(trial):
    """Rows of the software here."""
    report = runtime.report()
    name, version = report.wheel
    return [
        ("gluon_attn", __version__, str(Path(runtime.__file__).parent)),
        ("Python", platform.python_version(), sys.executable),
        ("system", platform.machine(), platform.platform()),
        ("NumPy", report.numpy.value, report.numpy.reason),
        (
            "MXNet",
            trial.get("version") or version or "unknown",
            f"wheel {name}" if name else "not from a wheel",
        ),
        ("MXNet features", len(trial.get("features", ())), " ".join(trial.get("features", ()))),
        ("CUDA libraries", report.cuda.value, report.cuda.reason),
        *((library, _version(library) or "missing", "") for library in _LIBRARIES),
    ]


def processor(host, trial):
    """Rows of what was found out about the processor and set for it."""
    report, flags = runtime.report(), cpu.flags(host)
    return [
        ("processor", cpu.model_name(host), ""),
        ("offers", " ".join(flag for flag in _FLAGS if flag in flags) or "unknown", ""),
        ("oneDNN uses", trial["isa"] or "unknown", ""),
        ("AMX", report.amx.value, report.amx.reason),
        ("OpenBLAS uses", report.blas.value, report.blas.reason),
        ("threads", report.threads.value, report.threads.reason),
        ("malloc", report.malloc.value, report.malloc.reason),
        _kernels(trial),
    ]


def _kernels(trial):
    if "kernels" not in trial:
        return ("compiled operators", "unknown", "MXNet did not run")
    why = trial["kernels"]
    return ("compiled operators", "not used" if why else "ready", why or "for training on the CPU")


def gpus():
    """One row a GPU: usable, or why not."""
    cards, complaint = runtime.gpus()
    if not cards:
        return [("GPU", "none", complaint or "")]
    return [
        (
            f"GPU {card['id']}",
            "not used" if card["why"] else "usable",
            f"{card['name']}, compute capability {'.'.join(map(str, card['capability']))}"
            + (f": {card['why']}" if card["why"] else ""),
        )
        for card in cards
    ]


def horovod(host):
    """Rows of Horovod: whether it is there, built with MXNet, and the processes of this run."""
    version = _version("horovod")
    if version is None:
        return [("Horovod", "missing", "make horovod builds it")]
    spec = importlib.util.find_spec("horovod")
    built = any(any(Path(folder).glob("mxnet/*.so")) for folder in spec.submodule_search_locations)
    size, variable = cpu.local_size(host)
    total = host.environ.get("HOROVOD_SIZE") or host.environ.get("OMPI_COMM_WORLD_SIZE") or "1"
    return [
        (
            "Horovod",
            version,
            "built with MXNet" if built else "built without MXNet: make horovod builds it anew",
        ),
        ("processes", total, f"{size} on this host" + (f" ({variable})" if variable else "")),
    ]


def extras():
    """One row an optional library: its version, or how to get it."""
    rows = []
    for package, extra in EXTRAS.items():
        if extra == "horovod":
            continue  # has rows of its own
        if importlib.util.find_spec(package) is None:
            rows.append((package, "missing", _how_to_get(extra)))
        else:
            rows.append((package, _version(package) or "installed", f"extra {extra}"))
    return rows


def trial_rows(trial):
    """Rows of the tiny convolution."""
    if trial["problem"]:
        return [("convolution", "failed", trial["problem"])]
    return [("convolution", "works", f"{spent} ms on {device}") for device, spent in trial["results"].items()]


def _how_to_get(extra):
    return f"pip install 'gluon-attn[{extra}]'"


def _version(distribution):
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
