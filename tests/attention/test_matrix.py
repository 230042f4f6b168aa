"""What holds for every attention. The registry is the list, so a new module is tested by being registered.

The checks are those of `gluon-attn check`, which tests/runs/checks holds against modules that are wrong.
"""

import re

import pytest

from gluon_attn import get_attention, list_attentions
from gluon_attn.attention.base import ATTENTIONS
from gluon_attn.attention.factory import attention_options
from gluon_attn.models.plan import SLOTS
from gluon_attn.runs.checks import contract, dtypes, forms, gradients
from gluon_attn.runs.checks.case import Case, NotChecked
from gluon_attn.utils.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore:Cannot decide type")
each = pytest.mark.parametrize("name", list_attentions())
each_width = pytest.mark.parametrize("channels", [16, 64])
each_size = pytest.mark.parametrize("size", [(7, 5), (1, 1)], ids=str)


@each
@each_width
@each_size
def test_imperative_is_hybrid_is_symbol(name, channels, size):
    case = Case(name, channels, size)
    forms.shape_and_dtype(case)
    forms.imperative_is_hybrid_is_symbol(case)


@each
@each_size
def test_onnx_runtime_agrees(name, size):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    forms.onnx(Case(name, 16, size))


@each
def test_one_graph_takes_any_batch_and_each_image_is_for_itself(name):
    forms.any_batch(Case(name))


@each
@each_width
@each_size
def test_gradients_are_finite(name, channels, size):
    gradients.finite(Case(name, channels, size))


@each
def test_a_gradient_reaches_a_channel_of_one_value(name):
    """Unless a norm takes its statistics of that value alone."""
    if name == "lambda" or ATTENTIONS.get(name).normed:
        pytest.skip("its output does not change with that value")
    case = Case(name, 16, (1, 1))
    for hybrid in (False, True):
        block = case.make()
        block.hybridize(hybrid)
        assert gradients.largest_gradient(block, case.image()) > 0


@each
def test_gradient_is_the_finite_difference(name):
    gradients.finite_difference(Case(name))


@each
def test_saved_and_loaded_bit_for_bit(name):
    assert forms.saved_and_loaded(Case(name)) == 0


@each
def test_unknown_option_is_named(name):
    with pytest.raises(UserError, match=f"attention '{name}' has no option 'colour'"):
        get_attention(name, 16, colour="red")


@each
def test_every_option_is_used(name):
    if attention_options(name):
        contract.options_are_used(Case(name))


@each
def test_a_state_goes_from_block_to_block(name):
    if ATTENTIONS.get(name).states:
        contract.states(Case(name))
    else:
        with pytest.raises(NotChecked):
            contract.states(Case(name))


@each
def test_a_start_without_effect(name):
    if Case(name).new().constant_start():
        contract.constant_start(Case(name))
    else:
        with pytest.raises(NotChecked):
            contract.constant_start(Case(name))


@each
@each_width
@each_size
def test_bfloat16_is_close(name, channels, size):
    dtypes.bfloat16(Case(name, channels, size))


@each
def test_float16_goes_through_the_graph_and_exports_in_float32(name):
    dtypes.float16(Case(name))


@each
def test_docstring_says_where_it_comes_from_and_all_options(name):
    cls = ATTENTIONS.get(name)
    text = cls.__doc__
    assert "N,C,H,W -> N,C,H,W" in text
    assert name == "identity" or re.search(r"https://\S+", text)
    for option in attention_options(name):
        assert re.search(rf"\b{option}\b", text), f"{option} is not explained"
    assert cls.slot in SLOTS
