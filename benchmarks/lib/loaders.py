"""One side of a comparison of input pipelines, run by `process`: training images, from files to batches.

    python -m benchmarks.lib.loaders records|pillow

The constructor takes the `folder` of the images, the `batch` size, the height and width of the crops (`size`), the
number of `workers`, whether colours are changed (`colour`) and whether ours decodes large files at a part of their size
(`scaled`). "epoch" reads all images once.
"""

import io
import math
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.lib.process import serve

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

MEAN, STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
#: principal components of ImageNet's colours and their standard deviations, as in AlexNet
AXES = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]], np.float32)
STRENGTHS = np.array([0.2175, 0.0188, 0.0045], np.float32)


class Records:
    """The library's loader for the records in folder/train.rec, which works with threads.

    `colour` is jitter of 0.4 and PCA noise of 0.1; without it there is neither.
    """

    def __init__(self, folder: str, batch: int, size: int, workers: int, colour: bool, scaled: bool = False):
        from gluon_attn.config.data import DataConfig
        from gluon_attn.data.factory import build

        changes: dict[str, Any] = {} if colour else {"color_jitter": 0.0, "pca_noise": 0.0}
        changes["scaled_decode"] = scaled
        files: dict[str, Any] = {"dataset": "imagenet_rec", "data_dir": folder, "input_size": size}
        self.loader = build(DataConfig(batch_size=batch, num_workers=workers, **files, **changes), 1).train
        self.passes = 0

    def epoch(self) -> None:
        """Read all images once."""
        self.passes += 1
        for images, _ in self.loader.epoch(self.passes):
            images.wait_to_read()


class Photographs:
    """A PyTorch data set: Pillow decodes, crops, resizes, flips and changes colours, as torchvision's transforms do."""

    def __init__(self, folder: Path | str, size: int, colour: bool):
        self.paths = sorted(Path(folder, "train").glob("*/*.jpg"))
        self.size, self.colour = size, colour

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> "tuple[torch.Tensor, int]":
        import torch
        from PIL import Image

        with Image.open(io.BytesIO(self.paths[number].read_bytes())) as file:
            image = file.convert("RGB")
        image = image.crop(box(*image.size)).resize((self.size, self.size), Image.Resampling.BILINEAR)
        if random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = np.asarray(jittered(image) if self.colour else image, np.float32) / 255
        if self.colour:
            pixels += AXES @ (STRENGTHS * np.random.normal(0, 0.1, 3).astype(np.float32))
        return torch.from_numpy(((pixels - MEAN) / STD).transpose(2, 0, 1).copy()), number


def box(width: int, height: int) -> tuple[int, int, int, int]:
    """Sample a crop (left, top, right, bottom) of 8 to 100 % of the area with an aspect ratio from 3:4 to 4:3."""
    for _ in range(10):
        area, ratio = random.uniform(0.08, 1) * width * height, math.exp(random.uniform(-1, 1) * math.log(4 / 3))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if w <= width and h <= height:
            left, top = random.randint(0, width - w), random.randint(0, height - h)
            return left, top, left + w, top + h
    return 0, 0, width, height


def jittered(image: "Image") -> "Image":
    """Change brightness, contrast and saturation by up to 0.4, in random order."""
    from PIL import ImageEnhance

    changes = [ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]
    random.shuffle(changes)
    for change in changes:
        image = change(image).enhance(random.uniform(0.6, 1.4))
    return image


class Pillow:
    """PyTorch's DataLoader over `Photographs`, with persistent worker processes."""

    def __init__(self, folder: str, batch: int, size: int, workers: int, colour: bool, scaled: bool = False):
        from torch.utils.data import DataLoader

        images = Photographs(folder, size, colour)
        self.loader = DataLoader(
            images, batch, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
        )

    def epoch(self) -> None:
        """Read all images once."""
        for _ in self.loader:
            pass


if __name__ == "__main__":
    serve({"records": Records, "pillow": Pillow}[sys.argv[1]])
