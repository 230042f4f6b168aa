"""Model repositories: exported ONNX and OpenVINO targets in the layout that a server reads."""

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..utils.errors import UserError
from ..utils.files import atomic_path, write_json, write_text
from .export import Exported
from .openvino import HINTS
from .targets import ExportTarget

SERVERS = ("ovms", "triton")
#: format -> (Triton's backend, name of the main file there)
_TRITON = {"onnx": ("onnxruntime", "model.onnx"), "openvino": ("openvino", "model.xml")}
_TYPES = {"float32": "TYPE_FP32", "uint8": "TYPE_UINT8"}
_MAX_BATCH = 64  # images that Triton may put into a batch
_MOUNT = "/models"  # where the server's container sees the repository


def servable(targets: Iterable[ExportTarget]) -> list[ExportTarget]:
    """Those of `targets` that the servers read; `UserError` if there is none."""
    found = [target for target in targets if target.format in _TRITON]
    if not found:
        raise UserError("a repository takes ONNX and OpenVINO: add option format onnx or openvino")
    return found


def write_repository(exported: Sequence[Exported], name: str, server: str, folder: Path | str) -> Path:
    """Write a repository with a model NAME_FORMAT_PRECISION for each bundle. Symbol files are left out.

    Args:
        exported: The bundles.
        name: Name of their files.
        server: "ovms" (OpenVINO Model Server: model/1/files, and config.json) or "triton" (model/1/files and
            config.pbtxt).
        folder: The repository, which is replaced if it is there already; returned.

    Raises:
        UserError: The server reads none of the bundles.
    """
    targets = servable([one.target for one in exported])
    chosen = {f"{name}_{one.target.format}_{one.target.precision}": one for one in exported if one.target in targets}
    with atomic_path(folder) as staged:
        for model, one in chosen.items():
            version = staged / model / "1"
            version.mkdir(parents=True)
            _copy(one, version)
            if server == "triton":
                write_text(staged / model / "config.pbtxt", _config(model, one.card))
        if server == "ovms":
            models = [{"config": _entry(model, one.card)} for model, one in chosen.items()]
            write_json(staged / "config.json", {"model_config_list": models})
    return Path(folder)


def _copy(one: Exported, version: Path) -> None:
    """Copy a bundle's files under the names that Triton expects; OpenVINO Model Server takes any."""
    stem = Path(_TRITON[one.target.format][1]).stem
    for file in one.card["sha256"]:
        shutil.copyfile(one.path / file, version / f"{stem}{Path(file).suffix}")


def _entry(model: str, card: dict[str, Any]) -> dict[str, Any]:
    """An entry of OpenVINO Model Server's config.json."""
    found: dict[str, Any] = {"name": model, "base_path": f"{_MOUNT}/{model}"}
    hint = HINTS.get(card["precision"])
    return {**found, "plugin_config": {"INFERENCE_PRECISION_HINT": hint}} if hint else found


def _config(model: str, card: dict[str, Any]) -> str:
    """Triton's config.pbtxt; the batch is free, so dims are those of one image."""
    backend = _TRITON[card["format"]][0]
    shape = [-1 if length is None else length for length in card["input"]["shape"][1:]]
    lines = [
        f"name: {json.dumps(model)}",
        f'backend: "{backend}"',
        f"max_batch_size: {_MAX_BATCH}",
        f'input [ {{ name: "data" data_type: {_TYPES[card["input"]["dtype"]]} dims: {shape} }} ]',
        f'output [ {{ name: "logits" data_type: TYPE_FP32 dims: [{card["classes"]}] }} ]',
        "instance_group [ { count: 1 kind: KIND_CPU } ]",
        "dynamic_batching { }",
    ]
    hint = HINTS.get(card["precision"])
    if backend == "openvino" and hint:
        lines.append(f'parameters {{ key: "INFERENCE_PRECISION_HINT" value {{ string_value: "{hint}" }} }}')
    return "\n".join(lines) + "\n"
