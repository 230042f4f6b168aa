"""Model repositories: an exported ONNX or OpenVINO form in the layout that a server reads."""

import json
import shutil
from pathlib import Path

from ..utils.errors import UserError
from ..utils.files import atomic_path, write_json, write_text
from .openvino import HINTS

SERVERS = ("ovms", "triton")
#: format -> (Triton's backend, name of the main file there)
_TRITON = {"onnx": ("onnxruntime", "model.onnx"), "openvino": ("openvino", "model.xml")}
_TYPES = {"float32": "TYPE_FP32", "uint8": "TYPE_UINT8"}
_MOST = 64  # images that Triton may put into a batch
_MOUNT = "/models"  # where the server's container sees the repository


def served(forms):
    """Those of these forms that servers read; none is a `UserError`."""
    found = [form for form in forms if form.format in _TRITON]
    if not found:
        raise UserError("a repository takes ONNX and OpenVINO forms: add --format onnx or openvino")
    return found


def write_repository(packed, name, server, folder):
    """Write FOLDER, a repository with a model NAME_FORMAT_PRECISION for each of `packed` (`package.Packed`).

    server: "ovms" (OpenVINO Model Server: model/1/files, and config.json) or "triton" (model/1/files and config.pbtxt).
    Symbol files are left out, as neither reads them; none but symbol files is a `UserError`. Returns the folder.
    """
    formats = served([one.form for one in packed])
    chosen = {f"{name}_{one.form.format}_{one.form.precision}": one for one in packed if one.form in formats}
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


def _copy(one, version):
    """The form's own files under the names that Triton expects; OpenVINO Model Server takes any."""
    stem = Path(_TRITON[one.form.format][1]).stem
    for file in one.card["sha256"]:
        shutil.copyfile(one.path / file, version / f"{stem}{Path(file).suffix}")


def _entry(model, card):
    """An entry of OpenVINO Model Server's config.json."""
    found = {"name": model, "base_path": f"{_MOUNT}/{model}"}
    hint = HINTS.get(card["precision"])
    return {**found, "plugin_config": {"INFERENCE_PRECISION_HINT": hint}} if hint else found


def _config(model, card):
    """Triton's config.pbtxt; the batch is free, so dims are those of one image."""
    backend = _TRITON[card["format"]][0]
    shape = [-1 if length is None else length for length in card["input"]["shape"][1:]]
    lines = [
        f"name: {json.dumps(model)}",
        f'backend: "{backend}"',
        f"max_batch_size: {_MOST}",
        f'input [ {{ name: "data" data_type: {_TYPES[card["input"]["dtype"]]} dims: {shape} }} ]',
        f'output [ {{ name: "logits" data_type: TYPE_FP32 dims: [{card["classes"]}] }} ]',
        "instance_group [ { count: 1 kind: KIND_CPU } ]",
        "dynamic_batching { }",
    ]
    hint = HINTS.get(card["precision"])
    if backend == "openvino" and hint:
        lines.append(f'parameters {{ key: "INFERENCE_PRECISION_HINT" value {{ string_value: "{hint}" }} }}')
    return "\n".join(lines) + "\n"
