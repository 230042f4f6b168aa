"""Losses of a step: those of an image do not depend on the others; graphs, crowds, images without objects."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.data.objects import Objects, no_objects
from gluon_attn.detect.inference import InferenceOptions, detect
from gluon_attn.detect.learn import LearningOptions, learn
from gluon_attn.detect.proposals import ProposalOptions
from gluon_attn.detect.targets import StageOptions
from gluon_attn.detect.task import LOSSES, make_example

SIZE = (64, 96)
OPTIONS = LearningOptions(
    ProposalOptions(60, 40), StageOptions(0.7, 0.3, True, 64, 0.5), StageOptions(0.5, 0.5, False, 32, 0.25)
)  # fmt: skip


@pytest.fixture(scope="module")
def net():
    """A tiny detector with group norms, so that images do not see each other."""
    made = get_model(
        "mask_rcnn_fpn_resnet18_v1b", 3, attention="eca", norm="group", widths=(8, 8, 16, 16), fpn_channels=8,
        box_width=16, mask_widths=(8,), anchor_sizes=(8, 16, 32, 64, 128),
    )  # fmt: skip
    mx.random.seed(1)
    made.initialize(mx.init.MSRAPrelu())
    return made


def objects(*boxes, crowd=()):
    corners = np.array(boxes, "float32").reshape(-1, 4)
    polygons = tuple([np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])] for x1, y1, x2, y2 in corners.tolist())
    area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    marks = np.isin(np.arange(len(corners)), crowd)
    labels = np.arange(len(corners), dtype="int32") % 3
    return Objects(corners, labels, marks, polygons, area, np.arange(1, len(corners) + 1), SIZE)


class Sample:
    """As much of a `canvas.Sample` as examples need."""

    def __init__(self, found):
        self.objects, self.size, self.image = found, SIZE, np.zeros((3, *SIZE), "float32")


def examples(net, *found):
    make = make_example(net.anchors, OPTIONS)
    return [make(Sample(one), (1, 0, number)) for number, one in enumerate(found)]


def losses_and_gradients(net, images, made):
    with mx.autograd.record():
        found = learn(net, images, made, OPTIONS)
        total = sum(found[name] for name in LOSSES)
    total.backward()
    grads = {name: param.grad().asnumpy() for name, param in net._collect_params_with_prefix().items()}
    return {name: found[name].asscalar() for name in LOSSES}, grads


FIRST, SECOND = objects((5, 5, 30, 40), (40, 10, 90, 60)), objects((20, 20, 50, 50))


def test_two_images_add_what_each_gives_alone(net):
    images = mx.nd.random.normal(shape=(2, 3, *SIZE))
    both, grads = losses_and_gradients(net, images, examples(net, FIRST, SECOND))
    alone = [
        losses_and_gradients(net, images[i : i + 1], [examples(net, FIRST, SECOND)[i]]) for i in range(2)
    ]  # fmt: skip
    for name, value in both.items():
        assert value == pytest.approx(sum(found[name] for found, _ in alone), rel=1e-5)
    for name, value in grads.items():
        total = sum(found[name] for _, found in alone)
        assert np.abs(value - total).max() <= 1e-4 * max(np.abs(total).max(), 1e-3), name


def test_the_same_step_again_is_equal_to_the_bit(net):
    images = mx.nd.random.normal(shape=(2, 3, *SIZE))
    runs = [losses_and_gradients(net, images, examples(net, FIRST, SECOND)) for _ in range(2)]
    assert runs[0][0] == runs[1][0]
    for name, value in runs[0][1].items():
        np.testing.assert_array_equal(value, runs[1][1][name], err_msg=name)


def test_an_image_without_objects_has_no_box_and_mask_losses(net):
    found, grads = losses_and_gradients(net, mx.nd.zeros((1, 3, *SIZE)), examples(net, no_objects(SIZE)))
    assert (found["loss_rpn_bbox"], found["loss_bbox"], found["loss_mask"]) == (0, 0, 0)
    assert found["loss_rpn_cls"] > 0
    assert found["loss_cls"] > 0
    assert grads["mask_head.mask_fcn_logits.weight"].max() == 0  # and not what an earlier step left


def test_crowds_and_boxes_without_area_are_no_objects(net):
    (plain,) = examples(net, objects((5, 5, 30, 40)))
    (crowded,) = examples(net, objects((5, 5, 30, 40), (50, 5, 90, 60), (7, 7, 7, 20), crowd=(1,)))
    np.testing.assert_array_equal(plain.boxes, crowded.boxes)
    np.testing.assert_array_equal(plain.targets.indices, crowded.targets.indices)


@pytest.mark.parametrize(
    "found",
    [
        [objects((5, 5, 30, 40), (40, 10, 90, 60), crowd=(0, 1))], [no_objects(SIZE), no_objects(SIZE)],
        [objects((7, 7, 7, 20), (3, 4, 9, 4))], [no_objects(SIZE), objects((5, 5, 30, 40))], [objects((0, 0, 1, 1))],
        [objects((0, 0, 96, 64))],
    ],
    ids=["crowds", "nothing", "no area", "one of two", "a pixel", "all of it"],
)  # fmt: skip
def test_every_step_is_finite(net, found):
    images = mx.nd.random.normal(shape=(len(found), 3, *SIZE))
    losses, grads = losses_and_gradients(net, images, examples(net, *found))
    assert np.isfinite(list(losses.values())).all()
    assert all(np.isfinite(grad).all() for grad in grads.values())
    assert any(grad.any() for name, grad in grads.items() if "backbone" in name)


def test_hybridized_graphs_give_the_same(net):
    images = mx.nd.random.normal(shape=(1, 3, *SIZE))
    wanted = learn(net, images, examples(net, FIRST), OPTIONS)
    detected = detect(net, images, [SIZE], InferenceOptions(ProposalOptions(60, 40), score=0.0, most=20))
    for part in (net.body, net.box_head, net.mask_head):
        part.hybridize(static_alloc=True, static_shape=True)
    found = learn(net, images, examples(net, FIRST), OPTIONS)
    again = detect(net, images, [SIZE], InferenceOptions(ProposalOptions(60, 40), score=0.0, most=20))
    for part in (net.body, net.box_head, net.mask_head):
        part.hybridize(False)
    for name in LOSSES:
        assert found[name].asscalar() == pytest.approx(wanted[name].asscalar(), rel=1e-6)
    np.testing.assert_allclose(again[0].boxes, detected[0].boxes, atol=1e-4)
    np.testing.assert_array_equal(again[0].labels, detected[0].labels)
    assert detected[0].masks.shape == (len(detected[0].boxes), 28, 28)


def test_nothing_found_is_no_error(net):
    (found,) = detect(net, mx.nd.zeros((1, 3, *SIZE)), [SIZE], InferenceOptions(score=0.99))
    assert found.boxes.shape == (0, 4)
    assert found.masks.shape == (0, 28, 28)
