"""The data of a detector's run: two sets in COCO's format, and how their images get onto canvases."""

from pathlib import Path

import numpy as np

from ..config.detect import DetectRunConfig, has_masks
from ..data.canvas import Placement, choose
from ..data.coco import CocoSet, open_coco, open_coco_folder
from ..data.scenes import LARGEST, MEAN, STD, SceneOptions, open_scenes
from ..utils.errors import UserError
from ..utils.log import get_logger
from .folder import RunFolder

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and std of its images


def run_config(run: Path | str, data_dir: Path | str | None = None) -> DetectRunConfig:
    """The options of a detector's run folder.

    Args:
        run: the folder.
        data_dir: where its data set is now (default: where it was).
    """
    config = RunFolder(run).read_config(DetectRunConfig)
    return config.replace(data=config.data.replace(data_dir=str(data_dir))) if data_dir else config


def open_sets(config: DetectRunConfig) -> tuple[CocoSet, CocoSet]:
    """The training and the test set.

    Raises:
        UserError: a file is missing or broken, or the two have other classes.
    """
    data, masks = config.data, has_masks(config)
    if data.dataset == "digit-scenes":
        longer = min(LARGEST, -(-data.sizes[1] // 8) * 8)
        if longer < data.sizes[1]:
            get_logger().info("scenes are drawn with %d pixels and enlarged", longer)
        options = SceneOptions(data.train_count or 1200, data.val_count or 200, longer)
        return open_scenes(options, data.data_dir, masks=masks, workers=data.num_workers)
    if data.dataset == "coco":
        sets = open_coco_folder(str(data.data_dir), masks=masks)
    else:
        train = open_coco(str(data.train_json), str(data.train_folder), masks=masks)
        sets = train, open_coco(str(data.val_json), str(data.val_folder), masks=masks, like=train)
    return _first(sets[0], data.train_count, "train_count"), _first(sets[1], data.val_count, "val_count")


def _first(images: CocoSet, count: int | None, option: str) -> CocoSet:
    if count is None:
        return images
    if count > len(images):
        get_logger().warning("%s is %d, %s has %d images: all are used", option, count, images.path, len(images))
    return images.subset(range(min(count, len(images))))


def check_objects(train: CocoSet, test: CocoSet) -> None:
    """Both sets need objects. Images without some are learned from here; MMDetection and torchvision leave them out."""
    for images, what in ((train, "learn from"), (test, "evaluate with")):
        if not len(images.with_objects()):
            raise UserError(
                f"{images.path} has nothing to {what}: none of {len(images)} images has an object that is no crowd"
            )
    count = len(train) - len(train.with_objects())
    if count:
        text = "%d of %d training images have no objects and are learned from as background"
        get_logger().info(text, count, len(train))


def make_placement(config: DetectRunConfig, sets: tuple[CocoSet, CocoSet]) -> Placement:
    """How the images of both sets get onto two canvases, or onto one that is square."""
    scenes = config.data.dataset == "digit-scenes"
    (shorter, longer), square = config.data.sizes, config.data.square
    canvases = choose(np.concatenate([one.sizes for one in sets]), shorter, longer, square)
    mean, std = (MEAN, STD) if scenes and not config.model.pretrained else _IMAGENET
    flip = not scenes if config.data.flip is None else config.data.flip
    return Placement(canvases, shorter, longer, mean, std, flip)
