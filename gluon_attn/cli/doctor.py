"""`gluon-attn doctor`: what works here, what was set before MXNet loaded and why, and what is missing."""

import argparse
import importlib.metadata as metadata
import importlib.util
import json
import platform
import sys
from pathlib import Path
from typing import Any

from .. import plugins, runtime
from ..runs.mxnet_probe import run_trial
from ..utils import cpu
from ..utils.optional import EXTRAS
from ..utils.tuning import Step
from ..version import __version__

_FLAGS = ("avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8")
#: libraries of setup.py whose versions are printed
_LIBRARIES = ("gluoncv", "matplotlib", "opencv-python", "pandas", "pillow", "scikit-learn", "scipy")


_MAX_VALUE_WIDTH = 24
#: (label, value, note)
Row = tuple[str, Any, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `doctor`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print the report; returns the exit code, 0 if MXNet works here, else 1."""
    trial = run_trial(runtime.usable_gpus())
    sections = {
        "versions": versions(trial),
        "processor": processor(cpu.Host(), trial),
        "gpus": gpus(),
        "horovod": horovod(cpu.Host()),
        "extras": extras(),
        "plugins": installed_plugins(),
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


def render(sections: dict[str, list[Row]]) -> str:
    """The sections (title -> rows) as one table with aligned columns."""
    rows = [row for section in sections.values() for row in section]
    label_width = max(len(row[0]) for row in rows)
    value_width = min(_MAX_VALUE_WIDTH, max(len(str(row[1])) for row in rows))
    lines = []
    for title, section in sections.items():
        if not section:
            continue
        lines += ["", title]
        lines += [
            f"  {label:<{label_width}}  {value!s:<{value_width}}  {note}".rstrip() for label, value, note in section
        ]
    return "\n".join(lines[1:])


def versions(trial: dict[str, Any]) -> list[Row]:
    """Versions of the software.

    Args:
        trial: result of `mxnet_probe.run_trial`.
    """
    report = runtime.report()
    name, version = report.wheel
    return [
        ("gluon_attn", __version__, str(Path(runtime.__file__).parent)),
        ("Python", platform.python_version(), sys.executable),
        ("system", platform.machine(), platform.platform()),
        _step("NumPy", report.numpy),
        (
            "MXNet",
            trial.get("version") or version or "unknown",
            f"wheel {name}" if name else "not from a wheel",
        ),
        *([_step("MXNet changes", report.changed)] if report.changed else []),
        ("MXNet features", len(trial.get("features", ())), " ".join(trial.get("features", ()))),
        _step("CUDA libraries", report.cuda),
        *((library, _version(library) or "missing", "") for library in _LIBRARIES),
    ]


def processor(host: cpu.Host, trial: dict[str, Any]) -> list[Row]:
    """The processor and the settings that were made for it.

    Args:
        host: the machine.
        trial: result of `mxnet_probe.run_trial`.
    """
    report, flags = runtime.report(), cpu.flags(host)
    return [
        ("processor", cpu.model_name(host), ""),
        ("offers", " ".join(flag for flag in _FLAGS if flag in flags) or "unknown", ""),
        ("oneDNN uses", trial["isa"] or "unknown", ""),
        _step("AMX", report.amx),
        _step("OpenBLAS uses", report.blas),
        _step("threads", report.threads),
        _step("malloc", report.malloc),
        _kernels(trial),
    ]


def _step(label: str, step: Step | None) -> Row:
    return (label, step.value, step.reason) if step else (label, "unknown", "")


def _kernels(trial: dict[str, Any]) -> Row:
    if "kernels" not in trial:
        return ("compiled operators", "unknown", "MXNet did not run")
    why = trial["kernels"]
    return ("compiled operators", "not used" if why else "ready", why or "for training on the CPU")


def gpus() -> list[Row]:
    """One row per GPU: usable, or why not."""
    cards, problem = runtime.gpus()
    if not cards:
        return [("GPU", "none", problem or "")]
    return [
        (
            f"GPU {card['id']}",
            "not used" if card["why"] else "usable",
            f"{card['name']}, compute capability {'.'.join(map(str, card['capability']))}"
            + (f": {card['why']}" if card["why"] else ""),
        )
        for card in cards
    ]


def horovod(host: cpu.Host) -> list[Row]:
    """Horovod: whether it is installed and built with MXNet, and the processes of this run."""
    version = _version("horovod")
    if version is None:
        return [("Horovod", "missing", "make horovod builds it")]
    spec = importlib.util.find_spec("horovod")
    folders = (spec and spec.submodule_search_locations) or ()
    built = any(any(Path(folder).glob("mxnet/*.so")) for folder in folders)
    size, variable = cpu.local_size(host)
    total = host.environ.get("HOROVOD_SIZE") or host.environ.get("OMPI_COMM_WORLD_SIZE") or "1"
    return [
        (
            "Horovod",
            version,
            "built with MXNet" if built else "built without MXNet: make horovod builds it again",
        ),
        ("processes", total, f"{size} on this host" + (f" ({variable})" if variable else "")),
    ]


def extras() -> list[Row]:
    """One row per optional library: its version, or how to install it."""
    rows: list[Row] = []
    packages = {module.partition(".")[0]: extra for module, extra in EXTRAS.items()}  # parts cannot be looked for
    for package, extra in packages.items():
        if extra == "horovod":
            continue  # has its own section
        if importlib.util.find_spec(package) is None:
            rows.append((package, "missing", _how_to_install(extra)))
        else:
            rows.append((package, _version(package) or "installed", f"extra {extra}"))
    return rows


def installed_plugins() -> list[Row]:
    """One row per installed plugin, which is not loaded here: its distribution and module."""
    return [
        (entry.name, f"{entry.dist.name} {entry.dist.version}" if entry.dist else "", f"module {entry.value}")
        for entry in plugins.installed()
    ]


def trial_rows(trial: dict[str, Any]) -> list[Row]:
    """The small convolution of the trial, a result of `mxnet_probe.run_trial`."""
    if trial["problem"]:
        return [("convolution", "failed", trial["problem"])]
    return [("convolution", "works", f"{spent} ms on {device}") for device, spent in trial["results"].items()]


def _how_to_install(extra: str) -> str:
    return f"pip install 'gluon-attn[{extra}]'"


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
