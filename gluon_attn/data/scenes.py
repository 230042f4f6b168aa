"""digit-scenes: a detection data set in COCO's format that needs no download.

Scenes are composed from scikit-learn's handwritten digits and crops of its two sample photographs, and written once, as
JPEG files and JSON in COCO's own layout. Training and test scenes have no digit in common, as in the data set "digits".
"""

import functools
import json
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from filelock import FileLock

from ..utils.errors import UserError
from ..utils.files import atomic_path, ensure_dir, read_json, write_bytes, write_json, write_text
from ..utils.log import get_logger
from ..utils.parallel import map_in_order
from ..utils.paths import expanded
from ..utils.progress import each
from ..utils.seed import generator
from .coco import LAYOUT, CocoSet, open_coco_folder
from .digits import MOST, load, split
from .masks import to_polygons, to_rle
from .scene_drawing import Digits, Drawn, Scene

#: mean and standard deviation of the training scenes' pixels, from 0 to 1
MEAN, STD = (0.394, 0.379, 0.357), (0.261, 0.255, 0.274)
FOLDER = "~/.mxnet/datasets/digit-scenes"
SMALLEST, LARGEST = 64, 640  # longer sides
CLASSES = tuple(str(digit) for digit in range(10))
_OPTIONS_FILE = "scenes.json"
_VERSION = 2  # of the drawing: scenes of another one are not found again
_STREAM = 41  # first integer of the random streams
_QUALITY = 92


@dataclass(frozen=True)
class SceneOptions:
    """Which scenes.

    Attributes:
        train: number of training scenes.
        val: number of test scenes.
        size: longer side in pixels, a multiple of 8; the shorter side is 7/8 of it. Half of the scenes are portraits.
        seed: decides everything about them.
    """

    train: int = 1200
    val: int = 200
    size: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if self.train < 1 or self.val < 1:
            raise UserError(f"digit-scenes needs training and test scenes, got {self.train} and {self.val}")
        if self.size % 8 or not SMALLEST <= self.size <= LARGEST:
            limits = f"from {SMALLEST} to {LARGEST}"
            raise UserError(f"the size of digit-scenes must be a multiple of 8 {limits}, got {self.size}")


def open_scenes(
    options: SceneOptions | None = None, folder: Path | str | None = None, *, masks: bool = True, workers: int = 0
) -> tuple[CocoSet, CocoSet]:
    """The training and the test scenes; they are drawn and written where they are not there yet.

    Args:
        options: which scenes.
        folder: where they are, or are written to (default: one of their own below `FOLDER`).
        masks: as of `coco.open_coco`.
        workers: threads that draw.

    Raises:
        UserError: the folder holds something else or cannot be written, or scikit-learn is missing.
    """
    return open_coco_folder(write_scenes(options, folder, workers), masks=masks)


def write_scenes(options: SceneOptions | None = None, folder: Path | str | None = None, workers: int = 0) -> Path:
    """Draw the scenes and write them, whole or not at all, unless they are there; processes wait for the first one.

    Args:
        options: which scenes.
        folder: as of `open_scenes`.
        workers: threads that draw.

    Returns:
        The folder, in COCO's own layout.

    Raises:
        UserError: as `open_scenes`.
    """
    options = options or SceneOptions()
    name = f"{options.size}-{options.train}-{options.val}-{options.seed}-v{_VERSION}"
    target = Path(expanded(str(folder if folder is not None else f"{FOLDER}/{name}")))
    if _is_there(target, options):
        return target
    ensure_dir(target.parent)
    lock = target.with_name(f".{target.name}.lock")
    try:
        with FileLock(lock):
            if not _is_there(target, options):
                _write(target, options, workers)
    finally:
        with suppress(OSError):
            lock.unlink()
    return target


def _is_there(folder: Path, options: SceneOptions) -> bool:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    wanted = {"version": _VERSION, **asdict(options)}
    found = None
    with suppress(UserError):  # there is none, or another program's
        found = read_json(folder / _OPTIONS_FILE)
    if found != wanted:
        holds = f"other scenes ({found})" if found else "something else"
        raise UserError(
            f"{folder} holds {holds}, not digit-scenes with {wanted}: name another folder (option data_dir)"
        )
    return True


def _write(target: Path, options: SceneOptions, workers: int) -> None:
    get_logger().info("drawing %d scenes into %s, once", options.train + options.val, target)
    images, labels = load()
    photographs = _photographs()
    with atomic_path(target) as folder:
        for part, (chosen, (json_file, image_folder)) in enumerate(zip(split(labels), LAYOUT, strict=True)):
            digits = Digits(images[chosen] / MOST, labels[chosen])
            count = (options.train, options.val)[part]
            draw = functools.partial(_scene, photographs, digits, options, part)
            ensure_dir(folder / image_folder)
            ensure_dir((folder / json_file).parent)
            with closing(each(map_in_order(draw, count, workers), "drawing", count, "image")) as drawn:
                content = _write_part(folder / image_folder, drawn)
            write_text(folder / json_file, json.dumps(content))
        write_json(folder / _OPTIONS_FILE, {"version": _VERSION, **asdict(options)})


def _scene(
    photographs: Sequence[np.ndarray], digits: Digits, options: SceneOptions, part: int, number: int
) -> tuple[bytes, tuple[int, int], list[Drawn]]:
    """(JPEG file, (h, w), objects) of a scene; it depends on the seed, the part and its number only."""
    rng = generator(options.seed, _STREAM, part, number)
    sides = options.size * 7 // 8, options.size
    height, width = sides if rng.random() < 0.5 else sides[::-1]
    scene = Scene(photographs, height, width, rng)
    scene.fill(digits)
    pixels = np.clip(np.rint(scene.image), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes(), (height, width), scene.objects


def _write_part(folder: Path, scenes: Any) -> dict[str, Any]:
    """Write the images of one split; returns its JSON data. Ids count from 1, that of a category is its digit + 1."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for data, (height, width), objects in scenes:
        image_id = len(images) + 1
        name = f"{image_id:012d}.jpg"
        write_bytes(folder / name, data)
        images.append({"id": image_id, "file_name": name, "height": height, "width": width})
        for one in objects:
            annotations.append({"id": len(annotations) + 1, "image_id": image_id, **_annotation(one)})
    return {
        "info": {"description": "handwritten digits of scikit-learn on crops of its sample photographs"},
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": number, "name": name, "supercategory": "digit"} for number, name in enumerate(CLASSES, 1)
        ],
    }


def _annotation(one: Drawn) -> dict[str, Any]:
    rows, columns = (np.flatnonzero(one.mask.any(axis=axis)) for axis in (1, 0))
    x, y = int(columns[0]), int(rows[0])
    polygons = None if one.crowd else to_polygons(one.mask)
    flat = [polygon.astype(int).ravel().tolist() for polygon in polygons or ()]
    return {
        "category_id": one.label + 1,
        "iscrowd": int(one.crowd),
        "bbox": [x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y],
        "area": int(one.mask.sum()),
        "segmentation": flat or to_rle(one.mask),
    }


def _photographs() -> list[np.ndarray]:
    try:
        from sklearn.datasets import load_sample_images
    except ImportError as error:
        raise UserError(f"the photographs come with scikit-learn: pip install scikit-learn ({error})") from None
    return load_sample_images().images
