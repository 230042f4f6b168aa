"""A small detection data set in COCO's format, for tests: drawn rectangles and triangles, and their JSON."""

import json

import cv2
import numpy as np

#: (h, w) of the images
SIZES = ((60, 80), (80, 60), (60, 90), (64, 64), (50, 80), (90, 60))
#: with gaps
CATEGORIES = ({"id": 3, "name": "box"}, {"id": 7, "name": "wedge"}, {"id": 90, "name": "rare"})


def polygon(x, y, w, h, corners=4):
    """COCO's flat list of a rectangle or a triangle."""
    points = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)][:corners]
    return [float(value) for point in points for value in point]


def entry(number, image_id, category=3, box=(10, 12, 20, 16), **other):
    """An annotation with a polygon; `other` replaces or adds fields."""
    corners = 3 if category == 7 else 4
    area = box[2] * box[3] / (2 if corners == 3 else 1)
    fields = {"id": number, "image_id": image_id, "category_id": category, "bbox": list(box), "iscrowd": 0,
              "area": area, "segmentation": [polygon(*box, corners)]}  # fmt: skip
    return {**fields, **other}


def content(count=6):
    """The JSON data of `count` images with ids 5, 8, 11 ..., two objects in each but the last, which has none."""
    images, annotations = [], []
    for number in range(count):
        height, width = SIZES[number % len(SIZES)]
        image = {"id": 5 + 3 * number, "file_name": f"{number:04d}.jpg", "height": height, "width": width}
        images.append(image)
        if number < count - 1:
            for k, category in enumerate((3, 7)):
                box = (5 + 4 * number % 20 + 15 * k, 8 + 6 * k, 24, 18)
                annotations.append(entry(2 * number + k + 10, image["id"], category, box))
    return {"images": images, "annotations": annotations, "categories": [dict(one) for one in CATEGORIES]}


def write(root, data=None, name="train"):
    """root/NAME.json and root/NAME/, in which each object is drawn; returns both paths."""
    data = content() if data is None else data
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    for image in data["images"]:
        pixels = np.full((image["height"], image["width"], 3), 40 + image["id"] % 60, np.uint8)
        for one in data["annotations"]:
            if one["image_id"] == image["id"]:
                points = np.array(one["segmentation"][0]).reshape(-1, 2).astype(np.int32)
                cv2.fillPoly(pixels, [points], (90, 200, 250) if one["category_id"] == 3 else (250, 120, 60))
        cv2.imwrite(str(folder / image["file_name"]), pixels)
    (root / f"{name}.json").write_text(json.dumps(data))
    return root / f"{name}.json", folder
