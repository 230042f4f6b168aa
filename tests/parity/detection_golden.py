"""Reads golden cases of detection: numbers that torchvision and pycocotools gave. The rules are those of their README.

The folder is named by GLUON_ATTN_GOLDEN_DETECTION; without it `tests/golden-detection` is read, which holds the small
ones: `python tests/parity/detection_golden.py FOLDER` copies them from a folder of all.
"""

import json
import os
import shutil
import sys
import zlib
from pathlib import Path

import numpy as np
from golden import Case, draw

OWN = Path(__file__).resolve().parents[1] / "golden-detection"
SMALL = 200 * 1024  # bytes


def folder():
    """The folder of the cases. It must be there."""
    path = Path(os.environ.get("GLUON_ATTN_GOLDEN_DETECTION") or OWN)
    if not (path / "index.json").is_file():
        raise FileNotFoundError(f"{path} holds no index.json of golden cases of detection")
    return path


def read_index(path=None):
    """Every `DetectionCase` in the order of the index."""
    path = path or folder()
    index = json.loads((path / "index.json").read_text(encoding="utf-8"))
    return [DetectionCase(entry, path) for entry in index["cases"]]


class DetectionCase(Case):
    """One case, as `Case`, with the rules for weights, images, masks and whole numbers of this set."""

    def __init__(self, entry, path):
        super().__init__(entry, path)
        self.entry, self.path = entry, path

    def weights(self):
        """Tensor name of torchvision -> float32 array, by the weight rule; each is checked by its checksum."""
        table = [self.data[f"param/{column}"] for column in ("name", "kind", "shape", "gain", "crc32")]
        tensors = {}
        for name, kind, text, gain, crc in zip(*table, strict=True):
            shape = tuple(int(size) for size in str(text).split("x") if size)
            if kind == "given":
                values = np.array(self.config["net"]["class_bias"], np.float32)
            else:
                values = draw(str(name), str(kind), shape, float(gain), self.seed)
            assert values.shape == shape, f"{self.id}: {name} has another shape than {shape}"
            assert zlib.crc32(values.astype("<f4").tobytes()) == int(crc), f"{self.id}: weight rule fails for {name}"
            tensors[str(name)] = values
        return tensors

    def images(self):
        """The images, (3,h,w) float32 from 0 to 1, by the image rule; each is checked by its checksum."""
        found = []
        for index, (height, width) in zip(self.config["image_index"], self.config["image_shapes"], strict=True):
            state = np.random.RandomState(self.seed + 1 + 1000 * index)
            coarse = state.uniform(size=(3, -(-height // 16), -(-width // 16)))
            fine = state.uniform(size=(3, height, width))
            blocks = np.kron(coarse, np.ones((16, 16)))[:, :height, :width]
            found.append((0.75 * blocks + 0.25 * fine).astype(np.float32))
        crcs = [zlib.crc32(image.astype("<f4").tobytes()) for image in found]
        assert crcs == list(self.entry["image_crc32"]), f"{self.id}: the image rule fails"
        return found

    def masks(self, key, shape):
        """The stored masks `key`, as 0 and 1 in `shape`."""
        count = int(np.prod(shape))
        return np.unpackbits(self.data[key], count=count).reshape(shape)

    def agrees(self, key, got, **least):
        """Fail with the distances unless the whole array `got` agrees with the stored `key`; whole numbers exactly."""
        if "dtype" in self.meta[key]:
            np.testing.assert_array_equal(np.asarray(got).reshape(-1), self.data[key].reshape(-1), err_msg=key)
        else:
            complaint = self.complaint(key, got, **least)
            assert complaint is None, f"{self.id}: {complaint}"


def copy_small(source, target):
    """Copy the cases of less than `SMALL` bytes, the data sets and results, with their part of the index."""
    index = json.loads((source / "index.json").read_text(encoding="utf-8"))
    index["cases"] = [case for case in index["cases"] if (source / case["file"]).stat().st_size < SMALL]
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in [*(source / case["file"] for case in index["cases"]), *source.glob("coco_*.json")]:
        shutil.copyfile(path, target / path.name)
    text = ",\n".join(json.dumps(case, sort_keys=True) for case in index.pop("cases"))
    head = json.dumps(index, sort_keys=True)[:-1]
    (target / "index.json").write_text(f'{head}, "cases": [\n{text}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    copy_small(Path(sys.argv[1]), OWN)
