"""What recipes of timm and torch train with, against timm and torch: optimizers, averages, policies, repeated images.

GLUON_ATTN_PEERS names a Python with torch and timm, as for test_peers.py; AdamW needs torch only.
"""

import importlib.util
import re
import sys

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon
from numbered_images import loader
from peer_process import PEERS, asking
from PIL import Image

from gluon_attn.config.augmentation import rand_policy
from gluon_attn.config.optim import OptimConfig
from gluon_attn.data.auto_augment import IMAGENET, LEVELED, RAND, RAND_INCREASING
from gluon_attn.engine.ema import WeightEMA
from gluon_attn.engine.optim import make_trainer
from gluon_attn.engine.schedule import Schedule

STEPS, NUMBERS = 40, 12
PYTHON = PEERS or (sys.executable if importlib.util.find_spec("torch") else None)
needs_timm = pytest.mark.skipif(not PEERS, reason="GLUON_ATTN_PEERS names no Python with torch and timm")


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Asks the other Python; `ask(row, arrays)` gives the arrays or the data that it answers."""
    if not PYTHON:
        pytest.skip("there is no torch")
    folder = tmp_path_factory.mktemp("asked")
    with asking(PYTHON, "peer_training.py") as process:

        def call(arrays=None, **row):
            if arrays is None:
                return process(row)
            np.savez(folder / "in.npz", **arrays)
            process({**row, "in": str(folder / "in.npz"), "out": str(folder / "out.npz")})
            with np.load(folder / "out.npz") as found:
                return next(iter(found.values()))

        yield call


class Vector(gluon.HybridBlock):
    """One parameter, whose gradient is the input."""

    def __init__(self, first=None):
        super().__init__()
        with self.name_scope():
            self.weight = self.params.get("weight", shape=(NUMBERS,))
        self.initialize()
        if first is not None:
            self.weight.set_data(mx.nd.array(first))

    def hybrid_forward(self, F, x, weight):
        return F.sum(x * weight)


def drawn(*shape, scale=1.0):
    return (scale * np.random.default_rng(3).normal(size=shape)).astype(np.float32)


def steps_of(config, schedule, first, gradients):
    """Weights after each step of an optimizer of ours."""
    net, after = Vector(first), []
    trainer = make_trainer(net, config, schedule)
    for gradient in gradients:
        with autograd.record():
            loss = net(mx.nd.array(gradient))
        loss.backward()
        trainer.step(1)
        after.append(net.weight.data().asnumpy())
    return np.stack(after)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param({"wd": 0.0}, {"momentum": 0.9}, id="defaults", marks=needs_timm),
        pytest.param({"wd": 1e-2, "momentum": 0.0}, {"weight_decay": 1e-2}, id="decay", marks=needs_timm),
        pytest.param({"wd": 1e-5, "epsilon": 1e-2}, {"weight_decay": 1e-5, "momentum": 0.9, "eps": 1e-2},
                     id="epsilon", marks=needs_timm),
        pytest.param({"wd": 0.3, "epsilon": 1e-8, "momentum": 0.5}, {"weight_decay": 0.3, "momentum": 0.5, "eps": 1e-8},
                     id="all", marks=needs_timm),
        pytest.param({"wd": 0.0}, {"weight_decay": 0.0}, id="adamw"),
        pytest.param({"wd": 0.3}, {"weight_decay": 0.3}, id="adamw-decay"),
        pytest.param({"wd": 0.05, "epsilon": 1e-2}, {"weight_decay": 0.05, "eps": 1e-2}, id="adamw-epsilon"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("scale", [1.0, 0.03])
def test_steps_of_optimizers(ours, theirs, scale, ask, request):
    """With a rate that changes, and gradients above and about the root of epsilon.

    Theirs are in float64. Each of our steps rounds a weight and what is added to it a few times, each by 2**-24 of the
    largest weight at most: 40 steps of 4 roundings are 1e-5 of it.
    """
    name = "adamw" if "adamw" in request.node.name else "rmsproptf"
    config = OptimConfig(optimizer=name, lr=0.05, lr_mode="cosine", target_lr=0.001, **ours)
    schedule = Schedule(config, 1, STEPS)
    first, gradients = drawn(NUMBERS), drawn(STEPS, NUMBERS, scale=scale)
    found = steps_of(config, schedule, first, gradients)
    defaults = {"eps": 1e-3} if name == "rmsproptf" else {}
    options = {**defaults, **theirs}
    expected = ask({"first": first, "gradients": gradients}, request="optimizer", name=name, options=options,
                   rates=[schedule(number) for number in range(1, STEPS + 1)])  # fmt: skip
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
    assert np.abs(expected[-1] - first).max() > 1e-2  # there is something to be wrong about


@needs_timm
@pytest.mark.parametrize(
    ("decay", "warmup", "options"),
    [(0.9999, "power", {"use_warmup": True}), (0.8, "power", {"use_warmup": True}), (0.9998, "none", {})],
)
def test_averages(decay, warmup, options, ask):
    """40 updates in float32, each of two roundings by 2**-24: 1e-5."""
    weights = drawn(STEPS, NUMBERS)
    net, found = Vector(), []
    mean = WeightEMA(net, decay, warmup)
    for weight in weights:
        net.weight.set_data(mx.nd.array(weight))
        mean.update()
        found.append(mean.values["weight"].asnumpy())
    expected = ask({"weights": weights}, request="average", options={"decay": decay, **options})
    assert np.abs(np.stack(found) - expected).max() <= 1e-5 * np.abs(expected).max()


def our_name(theirs):
    """ "SolarizeAdd" -> "solarize_add"."""
    words = re.findall("[A-Z][a-z]*", theirs.removesuffix("Rel"))
    return "_".join(words).lower().replace("auto_contrast", "autocontrast")


@needs_timm
@pytest.mark.parametrize(
    "name", ["rand-m7-mstd0.5-inc1", "rand-m9-mstd0.5", "rand-m6-n3-p0.8-inc1", "rand-m9-mstd101", "rand"]
)
def test_policies_of_rand_augment(name, ask):
    found, policy = ask(request="policy", name=name), rand_policy(name)
    assert found["count"] == policy.count
    names = [our_name(step[0]) for step in found["steps"]]
    assert names == list(RAND_INCREASING if policy.increasing else RAND)
    for _, *numbers in found["steps"]:
        assert numbers == [policy.probability, policy.magnitude, policy.deviation, None]
    assert policy.largest == 10


@needs_timm
def test_the_policy_of_auto_augment(ask):
    found = ask(request="policy", name="original")["pairs"]
    theirs = [[(our_name(name), *numbers) for name, *numbers in pair] for pair in found]
    ours = [[(step.name, step.probability, step.magnitude, step.deviation, None) for step in pair] for pair in IMAGENET]
    assert theirs == ours


ALL = ("AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "PosterizeIncreasing", "PosterizeOriginal",
       "Solarize", "SolarizeIncreasing", "SolarizeAdd", "Color", "ColorIncreasing", "Contrast", "ContrastIncreasing",
       "Brightness", "BrightnessIncreasing", "Sharpness", "SharpnessIncreasing", "ShearX", "ShearY", "TranslateXRel",
       "TranslateYRel")  # fmt: skip


@needs_timm
@pytest.mark.parametrize("name", ALL)
def test_what_a_level_does(name, ask):
    """Pixel for pixel, with the nearest pixel and gray edges on both sides, which timm draws and fills otherwise."""
    image = np.random.default_rng(5).integers(20, 230, (37, 41, 3), dtype=np.uint8)
    seen = []
    for level in (0, 0.7, 2.5, 4, 7, 9, 10):
        for sign in (1, -1):
            found = np.asarray(LEVELED[our_name(name)](Image.fromarray(image), level / 10, sign))
            if name.startswith("Posterize") and not found.any():
                continue  # timm ends with an error: Pillow 13 keeps at least one bit
            expected = ask({"image": image}, request="operation", name=name, level=level, sign=sign)
            np.testing.assert_array_equal(found, expected, err_msg=f"level {level}, sign {sign}")
            seen.append(found.tobytes())
    assert (len(set(seen)) > 1) != (name in ("AutoContrast", "Equalize", "Invert"))


@needs_timm
@pytest.mark.parametrize(("repeats", "size"), [(2, 2), (3, 2), (3, 1), (4, 3)])
def test_repeated_images_go_to_the_processes_that_timm_gives_them(repeats, size, ask):
    """timm's processes take as many, rounded up where the images cannot be shared evenly."""
    count = 50
    order = loader(count)._indices(epoch=5)
    shares = ask(request="sampler", images=count, repeats=repeats, processes=size)["shares"]
    assert {len(share) for share in shares} == {-(-count // size)}
    for rank, share in enumerate(shares):
        found = loader(count, rank=rank, size=size, repeats=repeats)._indices(epoch=5)
        assert found.tolist() == order[share][: len(found)].tolist()
        assert len(found) >= count // size
    if size == repeats:
        assert shares[0] == shares[1]  # a copy each


def test_every_operation_is_compared():
    assert {our_name(name) for name in ALL} == set(LEVELED)
