"""That a detector learns: the recipe of digit-scenes from random weights, on scenes of digits that it has not seen."""

import pytest
from conftest import ROOT

from gluon_attn.cli import train_coco
from gluon_attn.runs.folder import RunFolder

pytest.importorskip("pycocotools", reason="needs pycocotools")
RECIPE = ROOT / "configs" / "digit_scenes.yaml"
#: least AP50 of boxes and masks on the test scenes
BOXES, MASKS = 0.7, 0.65


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_recipe_learns_to_find_digits(seed, tmp_path):
    flags = ["--attention", "eca", "--seed", str(seed), "--run-dir", str(tmp_path / "run")]
    assert train_coco(["--config", str(RECIPE), *flags]) == 0
    last = RunFolder(tmp_path / "run").read_history()[-1]
    assert last["val_bbox_mAP_50"] >= BOXES
    assert last["val_segm_mAP_50"] >= MASKS
