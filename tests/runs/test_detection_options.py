"""Options of a detector's training have their effect: on frozen parameters, on updates, on what is evaluated."""

import mxnet as mx
import numpy as np
import pytest
from tiny_detector import words

pytest.importorskip("pycocotools", reason="needs pycocotools")

from gluon_attn.cli.train import script_options
from gluon_attn.engine.backend import Backend
from gluon_attn.runs.detection import make_detection_trainer
from gluon_attn.runs.folder import RunFolder
from gluon_attn.runs.implied_options import with_implied
from gluon_attn.utils.errors import UserError


def config_of(*more):
    return with_implied(script_options("train_coco.py", list(map(str, more)))).config()


def trainer_of(scenes, *more):
    """A trainer without callbacks, on two images an epoch."""
    config = config_of(*words(scenes, "--train-count", 2, "--num-epochs", 1, "--norm-eval", *more))
    made, _, _ = make_detection_trainer(config, RunFolder(scenes / "none"), Backend())
    made.callbacks = []
    return made


def test_a_rate_may_be_used_as_it_is():
    optim = config_of("--lr-scaling", "none").optim
    assert (optim.lr, optim.lr_scaling, optim.lr_batch) == (0.02, "none", 16)
    with pytest.raises(UserError, match="option lr_batch needs option lr_scaling linear or sqrt"):
        config_of("--lr-scaling", "none", "--lr-batch", "8")


def weights(trainer):
    return {name: p.data().asnumpy() for name, p in trainer.net._collect_params_with_prefix().items()}


def trained(scenes, *more):
    trainer = trainer_of(scenes, *more)
    trainer.fit()
    return weights(trainer)


@pytest.fixture(scope="module")
def plain(scenes):
    return trained(scenes)


def differing(first, second):
    return {name for name in first if (first[name] != second[name]).any()}


def test_frozen_stages_and_statistics_stay_as_they_are_to_the_last_bit(scenes):
    trainer = trainer_of(scenes, "--frozen-stages", 2)
    before = weights(trainer)
    trainer.fit()
    changed = differing(before, weights(trainer))
    assert not [name for name in before if "running_" in name and name in changed]
    frozen = ("body.backbone.conv1", "body.backbone.bn1", "body.backbone.layer1", "body.backbone.layer2")
    assert not [name for name in changed if name.startswith(frozen)]
    for own in ("layer3", "layer4", "fpn", "rpn", "box_head", "mask_head"):
        assert any(own in name for name in changed), own


def test_stages_of_networks_with_numbered_layers_are_frozen_too(scenes):
    line = [word for word in words(scenes) if not word.startswith("widths=")]
    config = config_of(*line, "--model", "mask_rcnn_fpn_resnet18_v2", "--frozen-stages", 1, "--train-count", 2,
                       "--num-epochs", 1)  # fmt: skip
    trainer, _, _ = make_detection_trainer(config, RunFolder(scenes / "none"), Backend())
    trainer.callbacks = []
    names = trainer.net.body.backbone.first(1)
    before = weights(trainer)
    trainer.fit()
    changed = differing(before, weights(trainer))
    assert not [name for name in changed if name.split(".")[2] in names and name.startswith("body.backbone")]
    assert any(name.startswith("body.backbone") for name in changed)


def test_frozen_stages_go_with_a_pattern(scenes):
    trainer = trainer_of(scenes, "--frozen-stages", 1, "--freeze", "box_head.fc7")
    assert {"box_head.fc7.weight", "body.backbone.conv1.weight"} <= trainer.frozen
    with pytest.raises(UserError, match="option freeze features is for classifiers"):
        trainer_of(scenes, "--freeze", "features")


def test_trained_statistics_move(scenes, plain):
    moved = differing(plain, trained(scenes, "--no-norm-eval"))
    assert any("running_mean" in name for name in moved)


def test_clipping_and_the_optimizer_change_the_weights(scenes, plain):
    for more in (("--clip-grad", 0.01), ("--optimizer", "adam", "--lr", 1e-3), ("--beta", 0), ("--wd", 0.1)):
        assert differing(plain, trained(scenes, *more)), more


def test_two_accumulated_batches_are_one_of_twice_the_size(scenes, plain):
    ours = trained(scenes, "-b", 1, "--accumulate", 2)
    for name, value in plain.items():
        assert np.abs(ours[name] - value).max() <= 1e-5 * max(np.abs(value).max(), 1e-2), name


def test_the_average_of_the_weights_is_evaluated(scenes):
    trainer = trainer_of(scenes, "--ema", 0.9, "--num-epochs", 2)
    trainer.fit()
    newest = weights(trainer)
    assert not differing(newest, trained(scenes, "--num-epochs", 2))
    with trainer.ema_weights():
        assert differing(newest, weights(trainer))


def test_norms_of_pyramid_and_mask_head(scenes):
    for norm in ("batch", "group"):
        trainer = trainer_of(scenes, "--head-norm", norm)
        before = weights(trainer)
        assert "body.fpn.inner_blocks.0.1.gamma" in before
        assert "mask_head.convs.0.1.beta" in before
        assert "body.fpn.layer_blocks.3.0.bias" not in before
        trainer.fit()
        changed = differing(before, weights(trainer))
        assert "mask_head.convs.0.1.gamma" in changed
        statistics = [name for name in changed if "running_" in name]
        assert all("backbone" not in name for name in statistics)  # which are evaluated
        assert bool(statistics) == (norm == "batch")


def test_options_that_say_different_things():
    with pytest.raises(UserError, match="option sync_bn has no effect while option norm_eval keeps the statistics"):
        config_of("--sync-bn", "--norm-eval")
    assert config_of("--sync-bn", "--norm-eval", "--head-norm", "batch").optim.sync_bn
    assert config_of("--sync-bn").optim.sync_bn


def test_norms_keep_their_statistics_where_they_are_pretrained():
    assert not config_of().norm_eval
    assert config_of("--norm-eval").norm_eval
    assert config_of("--pretrained", "net.params").norm_eval
    assert not config_of("--pretrained", "net.params", "--no-norm-eval").norm_eval


def test_norms_of_the_whole_detector():
    with pytest.raises(UserError, match="option norm group is for the whole detector: give option head_norm group"):
        config_of("--norm", "group", "--head-norm", "batch")


@pytest.mark.parametrize(
    ("more", "epochs", "steps"),
    [
        ((), 12, (8, 11)),
        (("--schedule", "1x"), 12, (8, 11)),
        (("--schedule", "2x"), 24, (16, 22)),
        (("--schedule", "2x", "--num-epochs", 20), 20, (16, 22)),
        (("--schedule", "2x", "--lr-decay-epoch", "10,15"), 24, (10, 15)),
    ],
)
def test_schedules(more, epochs, steps):
    config = config_of(*more)
    assert (config.train.num_epochs, config.optim.lr_decay_epoch) == (epochs, steps)
    assert (config.train.log_interval, config.optim.lr, config.optim.warmup_updates) == (50, 0.02, 500)


def test_a_recipe_wins_over_the_schedule(tmp_path):
    (tmp_path / "recipe.yaml").write_text("detect: {schedule: 2x}\ntrain: {num_epochs: 18}\n")
    config = config_of("--config", tmp_path / "recipe.yaml")
    assert (config.train.num_epochs, config.optim.lr_decay_epoch) == (18, (16, 22))


def test_several_sizes_are_drawn_in_training_and_the_largest_in_evaluation(scenes):
    config = config_of(*words(scenes, "--train-count", 2, "--num-epochs", 1, "--min-size", 40, 48, 56))
    assert config.data.min_size == (40, 48, 56)
    assert config_of("--min-size", "40,48").data.min_size == (40, 48)
    _, _, data = make_detection_trainer(config, RunFolder(scenes / "none"), Backend())
    seen = {min(sample.size) for epoch in range(8) for _, samples in data.train.epoch(epoch) for sample, _ in samples}
    assert seen == {40, 48, 56}
    assert {min(sample.size) for _, samples in data.val.epoch(0) for sample, _ in samples} == {56}


def test_mirrored_images_have_mirrored_boxes_and_masks(scenes):
    config = config_of(*words(scenes, "--train-count", 2, "--num-epochs", 1, "--flip"))
    _, _, data = make_detection_trainer(config, RunFolder(scenes / "none"), Backend())
    found = {}
    for epoch in range(8):
        for images, samples in data.train.epoch(epoch):
            for image, (sample, example) in zip(images.asnumpy(), samples, strict=True):
                found.setdefault(sample.index, {})[sample.flipped] = image, sample, example
    for both in found.values():
        (image, sample, plain), (mirrored, _, other) = both[False], both[True]
        height, width = sample.size
        np.testing.assert_allclose(mirrored[:, :height, :width], image[:, :height, :width][:, :, ::-1], atol=1e-5)
        expected = plain.boxes.copy()
        expected[:, [0, 2]] = width - plain.boxes[:, [2, 0]]
        np.testing.assert_allclose(other.boxes, expected, atol=1e-3)
        np.testing.assert_array_equal(other.labels, plain.labels)
        one, two = plain.mask(0)[:height, :width], other.mask(0)[:height, :width]
        assert (one[:, ::-1] != two).mean() < 0.02  # polygons are rasterized at other places


def test_weights_are_near_those_of_float32_after_a_step_in_bfloat16(scenes, plain):
    trainer = trainer_of(scenes, "--dtype", "bfloat16")
    before = weights(trainer)
    trainer.fit()
    after = weights(trainer)
    if trainer.dtype == "float32":
        pytest.skip("this processor has no bfloat16 instructions")
    assert {value.dtype for value in after.values()} == {np.dtype("float32")}
    steps = [np.concatenate([(one[n] - before[n]).ravel() for n in sorted(before)]) for one in (after, plain)]
    assert np.dot(*steps) / np.sqrt(np.prod([(step**2).sum() for step in steps])) > 0.9
    for name, value in plain.items():
        assert np.abs(after[name] - value).max() <= 0.02 * max(np.abs(value).max(), 0.1), name
    record, wanted = trainer.history[0], trained_record(scenes)
    assert record["train_loss"] == pytest.approx(wanted["train_loss"], rel=0.02)
    assert "val_segm_mAP" in record


def trained_record(scenes):
    trainer = trainer_of(scenes)
    trainer.fit()
    return trainer.history[0]


def test_the_score_is_the_mask_ap_or_without_masks_the_box_ap(scenes):
    assert trainer_of(scenes).task.score.key == "val_segm_mAP"
    network = [word for word in words(scenes) if not word.startswith("mask_widths")]
    config = config_of(*network, "--model", "faster_rcnn_fpn_resnet18_v1b", "--train-count", 2)
    trainer, _, _ = make_detection_trainer(config, RunFolder(scenes / "none"), Backend())
    assert trainer.task.score.key == "val_bbox_mAP"
    assert isinstance(trainer.net(mx.nd.zeros((1, 3, 64, 64))), list | tuple)
