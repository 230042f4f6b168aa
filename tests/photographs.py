"""Photographs for tests: the shapes of data/synthetic.py as JPEG files of several sizes in class folders."""

import cv2
import numpy as np
from mxnet import recordio

from gluon_attn.data.synthetic import draw
from gluon_attn.data.write_records import pack

CLASSES = ("cat", "dog", "eel")


def draw_folder(folder, count, seed=0):
    """`count` images in folder/CLASS/; returns their paths in the order of classes and names."""
    drawn = draw(count, 40, len(CLASSES), np.random.default_rng(seed))
    for number, (image, label) in enumerate(zip(drawn.images, drawn.labels, strict=True)):
        path = folder / CLASSES[label] / f"{number:03d}.{('jpg', 'JPEG')[number % 2]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        wide = cv2.resize(image, (40 + 3 * (number % 7), 40 + 5 * (number % 3)))
        cv2.imwrite(str(path.with_suffix(".jpg")), wide[..., ::-1])
        path.with_suffix(".jpg").rename(path)
    return sorted(folder.glob("*/*"))


def draw_set(root, train=24, val=10):
    """root/train and root/val, and the records of both beside them; returns `root`."""
    for seed, (part, count) in enumerate((("train", train), ("val", val))):
        draw_folder(root / part, count, seed)
        pack(root / part, root / part)
    return root


def truncate(path):
    """Cut off the last third of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def overwrite(path, offset, data):
    """Put `data` over what stands at `offset` of a file."""
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def offsets(prefix):
    """Where each record of prefix.rec begins."""
    return [int(line.split("\t")[1]) for line in prefix.with_suffix(".idx").read_text().splitlines()]


def write_records(prefix, contents, labels=None):
    """Records with the given bytes by MXNet's own writer."""
    writer = recordio.MXIndexedRecordIO(f"{prefix}.idx", f"{prefix}.rec", "w")
    for number, data in enumerate(contents):
        header = recordio.IRHeader(0, number if labels is None else labels[number], number, 0)
        writer.write_idx(number, recordio.pack(header, data))
    writer.close()
