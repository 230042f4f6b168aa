"""Small runs of `search.py ean-supernet` and `ean`, in this process."""

import os
from pathlib import Path

from gluon_attn.cli.search import search

DATA = "--dataset synthetic --train-images 64 --val-images 32 --classes 4 --input-size 16 -j 0 --hold-out 4"
NETWORK = "--model cifar_resnet20_v1 --attention sge"
SUPERNET = f"{DATA} {NETWORK} --batch-size 16 --num-epochs 1 --save-period 0 --run-dir supernet"


def run(words, *more):
    """Exit code of `search.py WORDS MORE`."""
    return search([*words.split(), *map(str, more)])


def samples(folder, name="ean"):
    """What a search drew, in its file."""
    return (Path(folder) / f"samples-{name}.jsonl").read_text()


def train_supernet(folder):
    """The run folder of a small supernet."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert run(f"ean-supernet {SUPERNET}") == 0
    finally:
        os.chdir(before)
    return folder / "supernet"
