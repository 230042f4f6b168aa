"""From JPEG to batches: our data records against Pillow and PyTorch's DataLoader on the same images.

    python benchmarks/input.py --out benchmarks/results/input.md

Needs PyTorch in the same environment (`pip install torch==2.13.0`), for this file only. The images are drawn, 500x375
with noise, and stored as JPEG files and as records of the same bytes. Both sides decode, crop at random, resize to
224x224, mirror with probability 0.5, normalize and stack; "colour" adds color jitter and PCA noise. "large" has a
quarter as many images of 2000x1500, and "scaled" the same with option scaled_decode in ours. As many workers as cores:
threads in ours, processes in PyTorch's; each side has its own process, and they take turns epoch by epoch.
"""

import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from benchmarks.lib.process import Peer  # noqa: E402
from benchmarks.lib.report import Table, machine, take_turns  # noqa: E402

SIDES = ("records", "pillow")
SMALL, LARGE = (500, 375), (2000, 1500)


class Kind(NamedTuple):
    """What is done to images of which size (W, H)."""

    size: tuple[int, int] = SMALL
    colour: bool = False
    scaled: bool = False


KINDS = {"crop": Kind(), "colour": Kind(colour=True), "large": Kind(LARGE), "scaled": Kind(LARGE, scaled=True)}


def draw(root: Path, count: int, size: tuple[int, int] = SMALL) -> None:
    """Draw `count` JPEG files into root/train/CLASS and one into root/val, and pack the records of both."""
    from gluon_attn.data.write_records import pack

    random = np.random.default_rng(1)
    for split, images in (("train", count), ("val", 1)):
        for number in range(images):
            coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8))
            smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.float32)
            pixels = (smooth + random.normal(0, 12, smooth.shape)).clip(0, 255).astype(np.uint8)
            path = root / split / "all" / f"{number:04d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path, quality=90)
        pack(root / split, root / split)


def compare(order: dict[str, Any], repeat: int) -> dict[str, float]:
    """{side: median seconds of an epoch}."""
    peers = {side: Peer("benchmarks.lib.loaders", side, OMP_NUM_THREADS="1") for side in SIDES}
    for peer in peers.values():
        peer.ask(order)
        peer.ask("epoch")
    found = take_turns({side: partial(peer.ask, "epoch") for side, peer in peers.items()}, repeat)
    for peer in peers.values():
        peer.close()
    return found


def main() -> None:
    """Measure, print the table and, with --out, write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--repeat", type=int, default=7, help="epochs of each side (default 7)")
    parser.add_argument("--batch-size", type=int, default=32, help="images per batch (default 32)")
    parser.add_argument("--batches", type=int, default=8, help="batches per epoch (default 8)")
    parser.add_argument("names", nargs="*", default=list(KINDS), help=f"{', '.join(KINDS)} (default: all)")
    arguments = parser.parse_args()
    if min(arguments.repeat, arguments.batch_size, arguments.batches) < 1 or set(arguments.names) - set(KINDS):
        parser.error(f"names are {', '.join(KINDS)}" if set(arguments.names) - set(KINDS) else "numbers start at 1")
    cores, images = len(os.sched_getaffinity(0)), arguments.batch_size * arguments.batches
    table = Table(["change", "images", "records, img/s a core", "Pillow + DataLoader", "ratio"], numbers=4)
    with tempfile.TemporaryDirectory() as root:
        for name in arguments.names:
            kind = KINDS[name]
            count = images if kind.size == SMALL else max(arguments.batch_size, images // 4)
            folder = Path(root, "x".join(map(str, kind.size)))
            if not folder.exists():
                draw(folder, count, kind.size)
            order = {"folder": str(folder), "batch": arguments.batch_size, "size": 224, "workers": cores}
            found = compare({**order, "colour": kind.colour, "scaled": kind.scaled}, arguments.repeat)
            speeds = [count / seconds / cores for seconds in found.values()]
            table.add(name, count, *(f"{speed:.1f}" for speed in speeds), f"{speeds[0] / speeds[1]:.2f}")
    import torch

    head = (
        f"# Input pipelines\n\n`python benchmarks/input.py --repeat {arguments.repeat} --batch-size "
        f"{arguments.batch_size} --batches {arguments.batches}` on {machine(f'{cores} cores')}, "
        f"PyTorch {torch.__version__}, Pillow {Image.__version__}.\n"
        "Medians over epochs, in images per second and core; ratio = ours / theirs, above 1 ours is faster.\n"
    )
    table.write(arguments.out, head)


if __name__ == "__main__":
    main()
