"""digit-scenes: written once, found again, and what is in them."""

import json

import cv2
import numpy as np
import pytest

from gluon_attn.data import scene_drawing
from gluon_attn.data.coco import LAYOUT
from gluon_attn.data.digits import MOST, load, split
from gluon_attn.data.scene_drawing import Digits, Scene
from gluon_attn.data.scenes import CLASSES, SceneOptions, open_scenes, write_scenes
from gluon_attn.utils.errors import UserError

OPTIONS = SceneOptions(train=12, val=5, size=256, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_scenes(OPTIONS, tmp_path_factory.mktemp("data") / "scenes", workers=2)


@pytest.fixture(scope="module")
def sets(folder):
    return open_scenes(OPTIONS, folder)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_both_sets_are_whole(sets):
    train, val = sets
    assert (len(train), len(val)) == (12, 5)
    for found in sets:
        assert found.skipped == found.findings.changed() == {}
        assert found.class_names == CLASSES
        assert found.category_ids == tuple(range(1, 11))
        for number in range(len(found)):
            assert found.pixels(number).shape[:2] in ((224, 256), (256, 224))
            assert len(found.objects(number))


def test_files_are_jpeg_in_the_official_layout(folder):
    for json_file, images in LAYOUT:
        names = [image["file_name"] for image in json.loads((folder / json_file).read_text())["images"]]
        assert sorted(path.name for path in (folder / images).iterdir()) == names
        assert all((folder / images / name).read_bytes().startswith(b"\xff\xd8\xff") for name in names)


def test_boxes_and_areas_are_those_of_the_masks(sets):
    for found in sets:
        for number in range(len(found)):
            objects = found.objects(number)
            masks = [objects.rasterized(k) for k in range(len(objects))]
            for mask, box, area in zip(masks, objects.boxes, objects.area, strict=True):
                rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
                assert box.tolist() == [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
                assert mask.sum() == area > 0
            assert np.sum(masks, axis=0).max() == 1  # what is occluded belongs to the foremost object alone


def test_the_same_options_give_the_same_files(folder, tmp_path):
    again = write_scenes(OPTIONS, tmp_path / "again")  # without threads
    assert files(again) == files(folder)
    other = write_scenes(SceneOptions(train=12, val=5, size=256, seed=4), tmp_path / "other")
    assert files(other) != files(folder)


def test_fewer_scenes_are_the_first_ones(folder, tmp_path):
    fewer = files(write_scenes(SceneOptions(train=2, val=1, size=256, seed=3), tmp_path / "fewer"))
    whole = files(folder)
    images = [name for name in fewer if name.suffix == ".jpg"]
    assert len(images) == 3
    assert all(fewer[name] == whole[name] for name in images)


def test_scenes_are_found_again(folder, monkeypatch):
    monkeypatch.setattr("gluon_attn.data.scenes._write", None)
    assert len(open_scenes(OPTIONS, folder)[0]) == 12


def test_the_cache_has_a_folder_for_each_choice(tmp_path, monkeypatch):
    monkeypatch.setattr("gluon_attn.data.scenes.FOLDER", str(tmp_path))
    small = SceneOptions(train=1, val=1, size=64)
    assert write_scenes(small) == write_scenes(small)
    write_scenes(SceneOptions(train=1, val=1, size=64, seed=1))
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


def test_a_folder_with_something_else_is_refused(folder, tmp_path):
    with pytest.raises(UserError, match=r"holds other scenes .*name another folder \(option data_dir\)"):
        open_scenes(SceneOptions(train=3, val=5, seed=3), folder)
    for name in ("notes.txt", "scenes.json"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(UserError, match="holds something else"):
            open_scenes(OPTIONS, tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [name]
        (tmp_path / name).unlink()


def test_nothing_is_left_of_scenes_that_could_not_be_finished(tmp_path, monkeypatch):
    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("gluon_attn.data.scenes._annotation", fail)
    with pytest.raises(KeyboardInterrupt):
        write_scenes(SceneOptions(train=2, val=1, size=64), tmp_path / "scenes")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{"train": 0}, {"val": 0}, {"size": 60}, {"size": 100}, {"size": 1024}])
def test_options_that_cannot_be(options):
    with pytest.raises(UserError, match="digit-scenes"):
        SceneOptions(**options)


@pytest.fixture(scope="module")
def drawn():
    """150 scenes in memory."""
    images, labels = load()
    photographs = [cv2.resize(np.random.default_rng(k).integers(0, 256, (9, 9, 3)).astype(np.uint8), (640, 427))
                   for k in range(2)]  # fmt: skip
    scenes = []
    for seed in range(150):
        scene = Scene(photographs, 224, 256, np.random.default_rng(seed))
        scene.fill(Digits(images / MOST, labels))
        scenes.append(scene)
    return scenes


def test_all_classes_sizes_crowds_and_overlaps(drawn):
    objects = [one for scene in drawn for one in scene.objects]
    areas = np.array([one.mask.sum() for one in objects if not one.crowd])
    assert {one.label for one in objects} == set(range(10))
    for low, high in ((0, 32**2), (32**2, 96**2), (96**2, 10**6)):
        assert np.mean((areas >= low) & (areas < high)) > 0.04
    assert 0.05 < np.mean([any(one.crowd for one in scene.objects) for scene in drawn]) < 0.25
    covered = [one.mask.sum() / one.pixels for one in objects]
    assert min(covered) >= scene_drawing._VISIBLE
    assert np.mean(np.array(covered) < 1) > 0.1


def test_digits_differ_from_what_is_behind_them(drawn):
    """Their color inside, against that of a ring around them."""
    differences = []
    for scene in drawn[:60]:
        front = scene.objects[-1]
        if not front.crowd:
            ring = cv2.dilate(front.mask, np.ones((7, 7), np.uint8)) - cv2.dilate(front.mask, np.ones((3, 3), np.uint8))
            inside = cv2.erode(front.mask, np.ones((3, 3), np.uint8)) > 0
            if inside.any():
                differences.append(abs(scene.image[inside].mean() - scene.image[ring > 0].mean()))
    assert np.median(differences) > 60
    assert np.percentile(differences, 5) > 20


def test_training_and_test_scenes_share_no_digit(tmp_path, monkeypatch):
    seen = []

    monkeypatch.setattr(Scene, "fill", lambda scene, digits: seen.append({image.tobytes() for image in digits.images}))
    write_scenes(SceneOptions(train=1, val=1, size=64), tmp_path / "scenes")
    images, labels = load()
    train, _ = split(labels)
    assert len(seen[0]) == len({images[k].tobytes() for k in train})
    assert not seen[0] & seen[1]
