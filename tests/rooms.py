"""A folder with one of everything that a command may be pointed at, and what a command changed in it."""

import hashlib
import importlib.util
import json
import os

import cv2
import numpy as np
from command_lines import DETECTOR

from gluon_attn.cli import search, train_cifar, train_coco
from gluon_attn.models.plan import Plan
from gluon_attn.utils.files import write_json, write_text

_DATA = "--dataset synthetic --train-images 16 --val-images 4 --classes 2 --input-size 8 -b 4 -j 0 --kernels off"
_NETWORK = f"{_DATA} --model cifar_resnet20_v1 --attention se --num-epochs 1"
_CELLS = f"{_DATA} --operations none,skip_connect --nodes 1 --channels 4 --layers 3 --attentions se --num-epochs 1"


def furnish(room):
    """Fill the current folder, `room`: a run of each kind, one that failed, weights, images, texts, links."""
    assert train_cifar(f"{_NETWORK} --run-dir run".split()) == 0
    assert search(f"att-darts {_CELLS} --draw-every 0 --run-dir search".split()) == 0
    assert search(f"ean-supernet {_NETWORK} --hold-out 1 --run-dir supernet".split()) == 0
    assert search(["ean", "--supernet", "supernet", "--steps", "1", "-j", "0", "--run-dir", "ean"]) == 0
    assert train_cifar(f"{_NETWORK} --lr 1e30 --run-dir failed".split()) == 1
    (room / "seeds").mkdir()
    (room / "search").rename(room / "seeds/seed-1")
    assert search(f"att-darts {_CELLS} --draw-every 0 --run-dir search".split()) == 0
    write_json(room / "seeds/seeds.json", {"best": 1})
    if importlib.util.find_spec("pycocotools"):
        assert train_coco(f"{DETECTOR} --run-dir detector".split()) == 0
    for name in ("empty", "several", "photos/cat", "photos/dog"):
        (room / name).mkdir(parents=True)
    (room / "text.txt").write_text("words\n")
    for name in ("empty.txt", "photos/cat/broken.jpg"):
        (room / name).touch()
    write_json(room / "plan.json", Plan().to_dict())
    write_json(room / "genotype.json", json.loads((room / "search/genotype.json").read_text()))
    write_json(room / "scheme.json", json.loads((room / "ean/best.json").read_text()))
    write_text(room / "recipe.yaml", "optim: {lr: 0.01}\n")
    write_text(room / "sweep.yaml", "method: grid\nparameters: {att: {values: [se]}, lr: {values: [0.01, 0.02]}}\n")
    (room / "weights.pth").write_bytes(b"PK\x03\x04 no archive")
    image = np.random.default_rng(1).integers(0, 255, (32, 32, 3), np.uint8)
    for name in ("image.png", "photos/cat/1.png", "photos/cat/2.jpg", "photos/dog/1.png"):
        cv2.imwrite(str(room / name), image)
    os.symlink("missing", room / "link")
    os.symlink("loop", room / "loop")


def contents(folder):
    """Path -> hash of each file, link and folder below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


def leftovers(folder):
    """Scratch folders of writers that are there although none runs."""
    return [str(path) for path in folder.rglob(".*.*") if path.is_dir()]
