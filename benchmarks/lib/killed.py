"""The kinds of work that are killed, what each leaves, and what of it is not whole."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mxnet as mx
import numpy as np
import yaml
from PIL import Image

import gluon_attn
from gluon_attn.checkpoint import read_meta
from gluon_attn.data.records import RecordFile
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.files import epochs, read_hashed, sha256

ROOT = Path(__file__).resolve().parents[2]
#: what a clock says; the last is a hash of the others as well
_TIMES = ("seconds", "data_seconds", "images_per_second", "latency", "overhead", "seal")
_DATA = "--dataset synthetic --train-images 64 --val-images 32 --classes 4 --input-size 16 --batch-size 16 -j 0"
_NET = "--model atac_cifar_resnet --blocks 1 --act-type relu --save-period 0"
_SPACE = "--operations none,skip_connect,dil_conv_3x3 --nodes 1 --draw-every 0 --epochs 8"
_SUPERNET = f"search.py ean-supernet {_DATA} --hold-out 4 --model cifar_resnet20_v1 --attention sge --num-epochs 1"
_RESUME = "--run-dir run --resume auto"


@dataclass(frozen=True)
class Work:
    """A command that is killed and given again.

    Attributes:
        words: the command, run in an empty folder beside the folder ../inputs.
        inputs: commands that make what it reads, in that folder.
        results: patterns of the files that must be equal to the bit in the end.
        said: how many epochs or steps its output says are done, and how many are there.
    """

    words: str
    results: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    said: Callable[[str, Path], tuple[int, int]] = lambda output, folder: (0, 0)


def _epochs(output, folder):
    """Every epoch that the log has must be in the checkpoints and in the metrics."""
    said = [line for line in output.splitlines() if line.startswith("epoch ") and ": " in line[:12]]
    saved = [int(path.name[6:]) for path in epochs(folder / "run/checkpoints")]
    return len({line.split(":")[0] for line in said}), min(max(saved, default=0), _lines(folder / "run/metrics.jsonl"))


def _lines(path):
    return len(path.read_text().splitlines()) if path.exists() else 0


def _steps(output, folder):
    said = [line.split()[2].split("/")[0] for line in output.splitlines() if line.startswith("ean step ")]
    state = read_hashed(folder / "run/state/ean/state.json", ["arrays.npz"]) or {"state": {"steps": 0}}
    return max(map(int, said), default=0), state["state"]["steps"]


_RUN = ("run/*.params", "run/*.json", "run/metrics.jsonl", "run/config.yaml", "run/checkpoints/*/*")
WORKS = {
    "training": Work(f"train_cifar.py {_DATA} {_NET} --num-epochs 12 {_RESUME}", _RUN, said=_epochs),
    "Att-DARTS": Work(
        f"search.py att-darts {_DATA} {_SPACE} --init_ch 4 --layers 3 --attentions se {_RESUME}", _RUN, said=_epochs
    ),
    "ANAS": Work(f"search.py anas {_DATA} {_SPACE} {_RESUME}", _RUN, said=_epochs),
    "EAN": Work(
        f"search.py ean --supernet ../inputs/run --steps 30 --log-interval 1 --images 8 {_RESUME}",
        ("run/samples-*", "run/state/*/*", "run/supernet.json", "run/config.yaml", "run/best.json"),
        (f"{_SUPERNET} --save-period 0 --run-dir run",), _steps,
    ),
    "data pack": Work("-m gluon_attn data pack ../inputs/photos --output packed --resize 32 -j 1", ("packed.*",)),
    "export": Work(
        "-m gluon_attn export ../inputs/run --format onnx openvino --layout folders --output out", ("out/**/*",),
        (f"train_cifar.py {_DATA} {_NET} --num-epochs 1 --run-dir run",),
    ),
    "convert": Work(
        "-m gluon_attn convert ../inputs/theirs.safetensors ours.params --source timm --model resnet50_v1b",
        ("ours.params",), ("theirs",),
    ),
    "study": Work(
        f"-m gluon_attn compare --attentions identity,se --seeds 2 {_DATA} --model cifar_resnet20_v1 --num-epochs 4 "
        "--save-period 0 --workers 2 --output study",
        ("study/results.json", "study/study.yaml", "study/runs/*/*.params", "study/runs/*/metrics.jsonl",
         "study/runs/*/checkpoints/*/*"),
    ),
}  # fmt: skip


def start(words: str, folder: Path) -> subprocess.Popen:
    """Start a command in `folder`, in a process group of its own; its output goes to the file `said` beside it."""
    script, *rest = words.split()
    command = [sys.executable, script if script == "-m" else str(ROOT / script), *rest]
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"
    }  # fmt: skip
    with (folder.parent / "said").open("wb") as output:
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )


def make_inputs(name: str, folder: Path) -> None:
    """Make what the work `name` reads in the new folder `folder`."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    if name == "data pack":
        for number in range(600):
            path = folder / "photos" / "ab"[number % 2] / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (200, 260, 3), np.uint8)).save(path)
    for words in WORKS[name].inputs:
        if words == "theirs":
            net = gluon_attn.get_model("resnet50_v1b")
            net.initialize(mx.init.MSRAPrelu())
            net(mx.nd.zeros((1, 3, 64, 64)))
            gluon_attn.save_params(net, folder / "ours.params")
            words = "-m gluon_attn convert ours.params theirs.safetensors --to timm --model resnet50_v1b"
        if start(words, folder).wait():
            raise RuntimeError((folder.parent / "said").read_text()[-500:])


def hashes(name: str, folder: Path) -> dict[str, str]:
    """File -> SHA-256 of the results of a work, or of their contents without times."""
    found = {}
    for pattern in WORKS[name].results:
        for path in sorted(folder.glob(pattern)):
            if path.is_file():
                found[str(path.relative_to(folder))] = _without_times(path) or sha256(path)
    return found


def _without_times(path):
    """The records of epochs without what a clock says, as text; "" for other files."""
    if path.name == "metrics.jsonl":
        records = [json.loads(line) for line in path.read_text().splitlines()]
    elif path.name == "meta.json":
        meta = json.loads(path.read_text())
        records = [*meta.pop("history"), meta.pop("best"), meta]
    elif path.name == "results.json":
        records = json.loads(path.read_text())
    else:
        return ""
    return json.dumps(_stripped(records))


def _stripped(data):
    """JSON data without what a clock says."""
    if isinstance(data, dict):
        return {key: _stripped(value) for key, value in data.items() if key not in _TIMES}
    return [_stripped(value) for value in data] if isinstance(data, list) else data


def damaged(folder: Path) -> list[str]:
    """The files and checkpoints below a folder that are not whole; what has a temporary name does not count."""
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in parts):
            try:
                _READERS.get(path.suffix, lambda path: None)(path)
            except (OSError, ValueError, KeyError, UserError, mx.MXNetError, yaml.YAMLError, sqlite3.Error) as error:
                found.append(f"{Path(*parts)}: {' '.join(str(error).split())[:80]}")
    return found


def _checked_json(path):
    found = json.loads(path.read_text())
    if path.name == "meta.json":
        read_meta(path.parent)
    if path.name == "state.json" and read_hashed(path, ["arrays.npz"]) is None:
        raise ValueError("its hashes do not fit")
    return found


def _jsonl(path):
    text = path.read_text()
    if text and not text.endswith("\n"):
        raise ValueError("the last line is cut")
    return [json.loads(line) for line in text.splitlines()]


def _ends_with(end):
    def check(path):
        if not path.read_bytes().rstrip().endswith(end):
            raise ValueError("its end is missing")

    return check


def _image(path):
    with Image.open(path) as image:
        image.load()


def _database(path):
    with contextlib.closing(sqlite3.connect(path)) as file:
        (said,) = file.execute("PRAGMA integrity_check").fetchone()
    if said != "ok":
        raise ValueError(said)


_READERS = {
    ".json": _checked_json, ".jsonl": _jsonl, ".yaml": lambda path: yaml.safe_load(path.read_text()),
    ".params": lambda path: mx.nd.load(str(path)), ".png": _image, ".html": _ends_with(b"</html>"),
    ".xml": _ends_with(b"</net>"), ".rec": lambda path: len(RecordFile(path)),
    ".db": _database, ".onnx": lambda path: __import__("onnx").load(str(path)),
}  # fmt: skip
