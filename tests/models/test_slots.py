"""The slots of all backbones: which are asked for, and what a module there is told."""

import mxnet as mx
import pytest
from model_checks import ProbePlan

from gluon_attn import get_model
from gluon_attn.models.plan import SLOTS


def of_blocks(count, act, conv1, stages, head=False):
    """How often each slot of a ResNet is asked for; act: activations inside a block."""
    return {
        "post": count, "inner": count, "act": count * act + head, "conv": count, "conv1": conv1, "stage": stages,
    }  # fmt: skip


#: name -> (two heights, how often each slot is asked for, whether there is a head)
ASKED = {
    "resnet18_v1b": ((64, 75), of_blocks(8, 1, 5, 4), False),
    "resnet50_v1b": ((64, 75), of_blocks(16, 2, 0, 4), False),
    "resnet50_v1d": ((64, 75), of_blocks(16, 2, 0, 4), False),
    "resnet18_v1": ((64, 75), of_blocks(8, 1, 5, 4), False),
    "resnet18_v2": ((64, 75), of_blocks(8, 2, 5, 4, head=True), True),
    "fbresnet50": ((64, 75), of_blocks(16, 2, 0, 4), False),
    "cifar_resnet20_v1": ((32, 35), of_blocks(9, 1, 7, 3), False),
    "cifar_resnet20_v2": ((32, 35), of_blocks(9, 2, 7, 3, head=True), True),
    "cifar_resnet164_v1": ((32, 35), of_blocks(54, 2, 0, 3), False),
    "cifar_resnet164_v2": ((32, 35), of_blocks(54, 3, 0, 3, head=True), True),
    "cifar_resnet20_a": ((64, 75), of_blocks(9, 1, 7, 3), False),
    "mobilenet_v2": ((64, 75), {"post": 17, "inner": 0, "act": 0, "conv": 0, "conv1": 0, "stage": 7}, False),
    "mobilenet_v3_small": ((64, 75), {"post": 11, "inner": 11, "act": 0, "conv": 0, "conv1": 0, "stage": 5}, False),
    "efficientnet_b0": ((64, 75), {"post": 16, "inner": 16, "act": 0, "conv": 0, "conv1": 0, "stage": 7}, False),
    "regnety_400mf": ((64, 75), of_blocks(16, 2, 0, 4), False),
}


@pytest.mark.parametrize(("name", "size"), [(name, size) for name, (sizes, *_) in ASKED.items() for size in sizes])
def test_every_slot_is_told_its_channels_and_height(name, size):
    plan, (_, wanted, head) = ProbePlan(), ASKED[name]
    net = get_model(name, 10, plan=plan, input_size=size)
    net.initialize()
    net(mx.nd.ones((1, 3, size, 40 if size >= 64 else 8)))
    assert len(plan.log) == len(plan.asked)
    assert [entry for entry in plan.log if entry[0] != entry[1]] == []
    assert {slot: sum(asked[0] == slot for asked in plan.asked) for slot in SLOTS} == wanted
    stages = range(1, wanted["stage"] + 1)
    assert [asked[1:] for asked in plan.asked if asked[0] == "stage"] == [(stage, None) for stage in stages]
    blocks, slots, has_head = plan.bound
    assert (sum(blocks), len(blocks), has_head) == (wanted["post"], wanted["stage"], head)
    assert name.startswith(("mobile", "efficient")) or set(SLOTS) - set(slots) <= {"conv1"}
    assert {asked[0] for asked in plan.asked} == set(slots)
