"""Which boxes find which object, which of them are sampled, and what they are to give."""

import numpy as np
import pytest

from gluon_attn.detect.assign import BACKGROUND, IGNORED, match
from gluon_attn.detect.mask_targets import mask_target
from gluon_attn.detect.proposals import ProposalOptions, propose
from gluon_attn.detect.sample import sample
from gluon_attn.detect.targets import StageOptions, anchor_targets, roi_targets
from gluon_attn.models.detection.detector import BOX_WEIGHTS
from gluon_attn.nn import boxes as bx


def generator():
    return np.random.default_rng(0)


def test_thresholds_of_matches():
    overlaps = np.array([[0.8, 0.7, 0.5, 0.3, 0.29, 0.0]], "float32")
    assert match(overlaps, 0.3, 0.7).tolist() == [0, 0, IGNORED, IGNORED, BACKGROUND, BACKGROUND]
    assert match(overlaps, 0.5, 0.5).tolist() == [0, 0, 0, *[BACKGROUND] * 3]
    assert match(overlaps[:0], 0.3, 0.7).tolist() == [BACKGROUND] * 6


def test_the_best_box_of_an_object_finds_one_even_if_it_is_low():
    overlaps = np.array([[0.9, 0.2, 0.2], [0.0, 0.2, 0.4]], "float32")
    assert match(overlaps, 0.3, 0.7).tolist() == [0, BACKGROUND, IGNORED]
    assert match(overlaps, 0.3, 0.7, best_of_each=True).tolist() == [0, BACKGROUND, 1]
    tied = np.array([[0.2, 0.2, 0.1]], "float32")
    assert match(tied, 0.3, 0.7, best_of_each=True).tolist() == [0, 0, BACKGROUND]


def test_samples_have_a_share_of_positives_and_are_filled_up():
    found = np.array([0] * 10 + [BACKGROUND] * 20 + [IGNORED] * 5)
    positive, background = sample(found, 8, 0.5, generator())
    assert (len(positive), len(background)) == (4, 4)
    assert (found[positive] == 0).all()
    assert (found[background] == BACKGROUND).all()
    positive, background = sample(found, 100, 0.5, generator())
    assert (len(positive), len(background)) == (10, 20)
    again = sample(found, 8, 0.5, generator())
    assert [part.tolist() for part in again] == [part.tolist() for part in sample(found, 8, 0.5, generator())]


def test_anchors_of_an_image_without_objects_are_all_background():
    anchors = np.array([[0, 0, 10, 10], [5, 5, 20, 20]], "float32")
    found = anchor_targets(anchors, np.zeros((0, 4), "float32"), generator())
    assert (found.indices.tolist(), found.positives, found.deltas.shape) == ([0, 1], 0, (0, 4))


def test_objects_are_among_the_rois():
    boxes, labels = np.array([[10, 10, 30, 30]], "float32"), np.array([3], "int32")
    proposals = np.array([[0, 0, 5, 5], [11, 10, 30, 31]], "float32")
    found = roi_targets(proposals, boxes, labels, generator(), StageOptions(0.5, 0.5, False, 8, 0.5))
    assert found.labels.tolist() == [4, 4, 0]
    assert found.objects.tolist() == [0, 0]
    np.testing.assert_allclose(bx.decode(found.deltas, found.boxes[:2], BOX_WEIGHTS), np.tile(boxes, (2, 1)), atol=1e-4)
    np.testing.assert_array_equal(found.boxes[2], proposals[0])


def test_proposals_are_the_best_of_each_level():
    anchors = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [0, 0, 10, 10], [0, 0, 60, 60]], "float32")
    levels, logits = np.array([0, 0, 0, 1, 1]), np.array([2.0, 3.0, 1.0, 0.5, 0.1], "float32")
    options = ProposalOptions(before=3, after=10, overlap=0.5)
    boxes, scores = propose(logits, np.zeros((5, 4), "float32"), anchors, levels, (40, 50), options)
    np.testing.assert_array_equal(boxes, [anchors[1], anchors[2], anchors[3], [0, 0, 50, 40]])  # cut at the image
    assert scores.tolist() == pytest.approx([3.0, 1.0, 0.5, 0.1])
    one, _ = propose(logits, np.zeros((5, 4), "float32"), anchors, levels, (40, 50), ProposalOptions(1, 10, 0.5))
    np.testing.assert_array_equal(one, [anchors[1], anchors[3]])


def test_mask_targets_are_the_share_of_each_bin():
    mask = np.zeros((40, 40), "uint8")
    mask[10:30, 10:20] = 1
    target = mask_target(mask, np.array([10, 10, 30, 30], "float32"), 4)
    np.testing.assert_allclose(target, [[1, 1, 0, 0]] * 4, atol=0.2)  # at the border between two pixels
    assert mask_target(mask, np.array([0, 0, 5, 5], "float32"), 28).max() == 0
    assert mask_target(mask, np.array([-50, -50, -40, -40], "float32"), 28).max() == 0
    assert mask_target(mask, np.array([12, 12, 12, 12], "float32"), 28).shape == (28, 28)
