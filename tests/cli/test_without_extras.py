"""Every command where no extra of setup.py is installed: what needs one says so in one line, the rest works."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_lines import COMMANDS, DETECTOR

from gluon_attn import get_model, save_params
from gluon_attn.utils.optional import EXTRAS

ROOT = Path(__file__).resolve().parents[2]
#: hides modules from Python, in child processes, too: the system of a user who installed no extra
HIDE = f"""
import sys

HIDDEN = {sorted({name.partition(".")[0] for name in EXTRAS} | {"timm", "torchvision", "psycopg2"})}


class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in HIDDEN else self.finder.find_spec(name, path, target)


sys.meta_path[:] = [Without(finder) if hasattr(finder, "find_spec") else finder for finder in sys.meta_path]
"""
#: runs lines, each in this one process, and prints [exit code, stdout, stderr] of each
RUN = """
import contextlib, io, json, sys
from gluon_attn.cli import main, search, train_cifar, train_coco, train_imagenet

scripts = {"train_cifar.py": train_cifar, "train_imagenet.py": train_imagenet, "train_coco.py": train_coco}
found = {}
for name, words in json.load(open("lines.json")).items():
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = scripts.get(name, main)(words)
        except Exception as error:
            code = repr(error)
    found[name] = [code, out.getvalue(), err.getvalue()]
json.dump(found, open("found.json", "w"))
"""
#: line -> the extra that it needs
NEEDED = {
    "train_coco.py": "coco", "compare": "sweep", "sweep": "sweep", "demo": "sweep", "convert": "convert",
    "convert to PyTorch": "torch", "convert from PyTorch": "torch", "export onnx": "onnx",
    "export openvino": "openvino", "export int8": "openvino", "tensorboard": "track", "wandb": "track",
    "mnist5k": "data", "coco": "coco", "compare detectors": "sweep",
}  # fmt: skip
_TRAINING = COMMANDS["train"].small.split()
#: further lines: extras that a flag or a file asks for
FURTHER = {
    "convert": ["convert", "weights.params", "new.safetensors", "--to", "timm", "--model", "resnet18_v1b"],
    "convert to PyTorch": ["convert", "weights.params", "new.pth", "--to", "timm", "--model", "resnet18_v1b"],
    "convert from PyTorch": [
        "convert", "weights.pth", "new.params", "--source", "timm", "--model", "resnet18_v1b",
    ],
    "export onnx": ["export", "run", "--format", "onnx"],
    "export openvino": ["export", "run", "--format", "openvino"],
    "export int8": ["export", "run", "--format", "openvino", "--precision", "int8"],
    "tensorboard": ["train", *_TRAINING, "--tensorboard"],
    "wandb": ["train", *_TRAINING, "--wandb"],
    "mnist5k": ["train", "--dataset", "mnist5k", "--num-epochs", "1"],
    "coco": ["train", "--task", "detection", *DETECTOR.split()],
    "compare detectors": ["compare", "--task", "detection", *DETECTOR.split(), "--attentions", "se"],
    "published": ["eval", "digits_resnet20_se"],
}  # fmt: skip
#: draw calls Graphviz, a program
PROGRAMS = {"draw": "dot"}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """What all lines gave: name -> (exit code, stdout, stderr)."""
    room = tmp_path_factory.mktemp("room")
    hidden = tmp_path_factory.mktemp("hidden")
    (hidden / "sitecustomize.py").write_text(HIDE)
    for name in ("photos/cat", "photos/dog"):
        (room / name).mkdir(parents=True)
    for name in ("image.png", "photos/cat/1.png", "photos/dog/1.png"):
        cv2.imwrite(str(room / name), np.random.default_rng(1).integers(0, 255, (32, 32, 3), np.uint8))
    (room / "weights.pth").write_bytes(b"PK\x03\x04 no archive")
    net = get_model("resnet18_v1b", 10)
    net.initialize()
    save_params(net, room / "weights.params")
    (room / "sweep.yaml").write_text("method: grid\nparameters: {att: {values: [se]}, lr: {values: [0.01, 0.02]}}\n")
    supernet = COMMANDS["ean-supernet"]
    lines = {
        "train": ["train", *_TRAINING, "--run-dir", "run"],
        "ean-supernet": [*supernet.words, *supernet.small.split(), "--run-dir", "supernet"],
    }
    lines |= {name: [*one.words, *one.small.split()] for name, one in COMMANDS.items() if name not in lines}
    lines = {**lines, **FURTHER}
    for number, words in enumerate(lines.values()):  # each writes something of its own
        words[:] = [word.replace("new", f"new-{number}") for word in words]
    (room / "lines.json").write_text(json.dumps(lines))
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=room, capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": os.pathsep.join(map(str, (hidden, ROOT)))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads((room / "found.json").read_text())


@pytest.mark.parametrize("name", {**COMMANDS, **FURTHER})
def test_it_works_or_names_the_extra(outcome, name):
    code, out, err = outcome[name]
    assert "Traceback" not in out + err
    if name in PROGRAMS and not shutil.which(PROGRAMS[name]):
        pytest.skip(f"needs {PROGRAMS[name]}")
    if name not in NEEDED:
        assert code == 0, err
        return
    assert code == 2
    last = err.splitlines()[-1]
    assert last.startswith("error: ")
    assert f"pip install 'gluon-attn[{NEEDED[name]}]'" in last
