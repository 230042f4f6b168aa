"""The checks find what is wrong: an attention or a model with one fault each."""

import mxnet as mx
import pytest
from mxnet.gluon import nn
from plugin_files import forget_plugins

import gluon_attn
from gluon_attn.attention.base import Attention, ConstantStart
from gluon_attn.nn import fast
from gluon_attn.runs.checks import run
from gluon_attn.runs.checks.run import CHECKS, run_checks
from gluon_attn.utils.checks import positive
from gluon_attn.utils.errors import UserError

TITLES = [check.title for check in CHECKS]


@pytest.fixture
def checked(monkeypatch):
    """Registers a class as an attention and checks it: `checked(kind)` gives title -> finding."""
    forget_plugins(monkeypatch)

    def check(kind, **options):
        gluon_attn.register_attention("mine")(kind)
        return {finding.check: finding for finding in run_checks("mine", **options)}

    return check


class Gate(Attention):
    """A right one: y = x * sigmoid(w * avg(x) + b)."""

    def __init__(self, channels, *, size=1):
        super().__init__(channels)
        positive("size", size)
        with self.name_scope():
            self.conv = nn.Conv2D(channels, 1)  # the number of inputs comes with the first one

    def hybrid_forward(self, F, x):
        return fast.channel_gate(F, x, fast.sigmoid(F, self.conv(fast.global_avg(F, x))))


def test_a_right_one_passes(checked):
    found = checked(Gate)
    assert list(found) == TITLES
    notes = {title: finding.note for title, finding in found.items() if finding.result != "passed"}
    assert notes == {"state from block to block": "it carries no state", "start without effect": "it has none"}
    assert 0 < found["bfloat16"].difference < 0.1
    assert found["gradients are finite"].difference is None


class OtherShape(Gate):
    def hybrid_forward(self, F, x):
        return fast.global_avg(F, x)


class OtherInTraces(Gate):
    def hybrid_forward(self, F, x):
        return x * (2 if F is mx.sym else 1)


class OtherInPlainOperators(Gate):
    def hybrid_forward(self, F, x):
        return x * (2 if fast.plain() else 1)


class MixesImages(Gate):
    def hybrid_forward(self, F, x):
        return F.broadcast_mul(x, F.mean(x, axis=0, keepdims=True))


class OneBatch(Gate):
    def hybrid_forward(self, F, x):
        return F.reshape(x, shape=(1, 16, -1, 5))


class ReadsShapes(Gate):
    def hybrid_forward(self, F, x):
        return x / x.shape[2]


class NoGradient(Attention):
    def hybrid_forward(self, F, x):
        return F.BlockGrad(x)


class InfiniteGradient(Attention):
    def hybrid_forward(self, F, x):
        return x + F.sqrt(F.relu(x))


class UnusedWeight(Gate):
    def hybrid_forward(self, F, x):
        return x


class WrongGradient(Gate):
    def hybrid_forward(self, F, x):
        return x * F.BlockGrad(F.sigmoid(x))


class Float32Constant(Gate):
    def hybrid_forward(self, F, x):
        return F.broadcast_add(super().hybrid_forward(F, x), F.zeros((1, 1, 1, 1)))


class AlwaysFloat32(Attention):
    def hybrid_forward(self, F, x):
        return 2 * F.cast(x, dtype="float32")


class NoOnnx(Gate):
    def hybrid_forward(self, F, x):
        return F.erf(x)


class NotANumber(Gate):
    def hybrid_forward(self, F, x):
        return F.log(x)


class IgnoresAnOption(Gate):
    def __init__(self, channels, *, size=1):
        super().__init__(channels)


class StumblesOverAnOption(Gate):
    def __init__(self, channels, *, size=1):
        super().__init__(channels)
        self.half = size / 2


class OtherNames(Gate):
    count = 0

    def __init__(self, channels, *, size=1):
        super().__init__(channels, size=size)
        type(self).count += 1
        setattr(self, f"conv{self.count}", self._children.pop("conv"))

    def hybrid_forward(self, F, x):
        (conv,) = self._children.values()
        return x * F.sigmoid(conv(x))


class NoPlace(Gate):
    slot = "nowhere"


class ForgetsItsState(Gate):
    states = 1

    def begin_state(self, F, x):
        return (F.zeros_like(x),)


class GrowingState(ForgetsItsState):
    def hybrid_forward(self, F, x, *state):
        return (x, F.concat(*state, *state, dim=1)) if state else x


class Starts(Gate):
    def constant_start(self):
        return ConstantStart(0.5, (self.conv,))


class StartsElsewhere(Gate):
    def constant_start(self):
        return ConstantStart(1, (self.conv,))


class NeverLearns(Gate):
    def hybrid_forward(self, F, x):
        return F.broadcast_mul(x, 1 + F.relu(self.conv(fast.global_avg(F, x))))

    def constant_start(self):
        return ConstantStart(1, (self.conv,))


def test_a_start_without_effect(checked):
    assert checked(Starts, channels=[16])["start without effect"].result == "passed"


class Stumbles(Gate):
    def hybrid_forward(self, F, x):
        return x.no_such_thing


FAULTS = [
    (OtherShape, "shape and dtype", "16 channels of 7x5: gives the shape (1, 16, 1, 1), not (1, 16, 7, 5)"),
    (Stumbles, "shape and dtype", "16 channels of 7x5: AttributeError: 'NDArray' object has no attribute"),
    (NotANumber, "imperative = hybrid = symbol", "hybridized has values that are not finite"),
    (OtherInTraces, "imperative = hybrid = symbol", "16 channels of 7x5: hybridized differs by "),
    (OtherInPlainOperators, "imperative = hybrid = symbol", "written with plain operators differs by "),
    (ReadsShapes, "shape and dtype", "AttributeError"),
    (OneBatch, "shape and dtype", "gives the shape (1, 16, 21, 5), not (3, 16, 7, 5)"),
    (MixesImages, "any batch, each image for itself", "an image with others than before differs by "),
    (NoOnnx, "ONNX", "this network cannot be written as ONNX"),
    (OtherNames, "saved and loaded", ""),
    (NoGradient, "gradients are finite", "no gradient reaches the input in a batch of 1"),
    (InfiniteGradient, "gradients are finite", "no finite gradient: the input"),
    (UnusedWeight, "gradients are finite", "_weight"),
    (WrongGradient, "gradient = finite difference", "the derivative is "),
    (AlwaysFloat32, "float16", "gives float32 for float16"),
    (Float32Constant, "float16", "its graph does not fit together in float16: "),
    (IgnoresAnOption, "options are used", "option size takes anything: check its value, and use it"),
    (StumblesOverAnOption, "options are used", "an impossible size is a TypeError, not a UserError"),
    (ForgetsItsState, "state from block to block", ""),
    (GrowingState, "state from block to block", "a state comes out in another shape than it went in"),
    (StartsElsewhere, "start without effect", "1 x differs by "),
    (NeverLearns, "start without effect", "no parameter has a gradient at the start without effect"),
    (NoPlace, "in a network", "option slot must be one of post, inner"),
]


@pytest.mark.parametrize(("kind", "title", "note"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_fault_is_found(checked, kind, title, note):
    finding = checked(kind, channels=[16])[title]
    assert finding.result == "failed"
    assert note in finding.note
    assert "\n" not in finding.note


def test_every_check_can_fail():
    assert {title for _, title, _ in FAULTS} == {*TITLES} - {"bfloat16"}


def test_bfloat16_that_is_far_off(checked, monkeypatch):
    monkeypatch.setattr(run.dtypes, "_LIMIT", 1e-9)
    finding = checked(Gate)["bfloat16"]
    assert finding.result == "failed"
    assert finding.difference > 1e-9


class OnlyLarge(Gate):
    """Takes no maps of one value, and 32 channels at least."""

    def __init__(self, channels, *, size=1):
        super().__init__(channels)
        positive("size", size)
        if channels < 32:
            raise UserError(f"needs 32 channels, got {channels}")

    def forward(self, x, *state):
        if isinstance(x, mx.nd.NDArray) and x.shape[2] == 1:
            raise UserError("takes no maps of one value")
        return super().forward(x, *state)


def test_what_is_refused_by_definition_is_told_and_left_out(checked):
    found = checked(OnlyLarge)
    assert found["shape and dtype"].result == "passed"
    assert found["shape and dtype"].note == "refused: 16 channels of 7x5 (needs 32 channels, got 16); 2 more"
    assert found["imperative = hybrid = symbol"].result == "passed"
    assert found["in a network"].result == "failed"  # whose first stage has 16
    with pytest.raises(UserError, match=r"nothing to check: mine refuses 16 channels of 7x5 \(needs 32 channels"):
        run_checks("mine", [16])


def test_a_check_that_needs_a_missing_library_is_not_made(checked, monkeypatch):
    def missing(name):
        raise UserError(f"{name} is needed for this: pip install")

    monkeypatch.setattr(run.forms, "require", missing)
    found = checked(Gate)["ONNX"]
    assert (found.result, found.note) == ("not checked", "onnx is needed for this: pip install")


def test_the_same_every_time():
    assert run_checks("se", [16], {"reduction": 4}) == run_checks("SE", [16], {"reduction": 4})


def test_a_model(monkeypatch):
    found = {finding.check: finding for finding in run_checks("atac_cifar_resnet", options={"blocks": 1})}
    assert list(found) == [check.title for check in CHECKS if check.models]
    assert {finding.result for finding in found.values()} == {"passed"}


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("see", {}, "unknown attention or model 'see'; did you mean se"),
        ("mask_rcnn_fpn_resnet18_v1b", {}, "mask_rcnn_fpn_resnet18_v1b is a detector, which is not checked as a whole"),
        ("zzzz", {}, "unknown attention or model 'zzzz'; name the plugin that has it with option plugin"),
        ("se", {"reductoin": 2}, "attention 'se' has no option 'reductoin'"),
        ("se", {"reduction": 0}, "nothing to check: se refuses 16 channels of 7x5 (reduction must be a whole number"),
    ],
)
def test_what_cannot_be_checked(name, options, said):
    with pytest.raises(UserError) as caught:
        run_checks(name, options=options)
    assert said in str(caught.value)
