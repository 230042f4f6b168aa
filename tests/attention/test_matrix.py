"""What holds for every attention. The registry is the list, so a new module is tested by being registered."""

import re

import mxnet as mx
import numpy as np
import pytest
from formulas import assert_gradient_is_the_finite_difference
from mxnet.contrib import amp
from networks import attention_block as made

from gluon_attn import get_attention, list_attentions, load_params, save_params
from gluon_attn.attention.base import ATTENTIONS
from gluon_attn.attention.factory import attention_options
from gluon_attn.models.plan import SLOTS
from gluon_attn.nn import fast
from gluon_attn.utils.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore:Cannot decide type")
each = pytest.mark.parametrize("name", list_attentions())
each_width = pytest.mark.parametrize("channels", [16, 64])
each_size = pytest.mark.parametrize("size", [(7, 5), (1, 1)], ids=str)
BATCHES = (1, 3)


def image(batch, channels, size):
    return mx.nd.random.normal(shape=(batch, channels, *size))


def same(got, wanted):
    """Equal but for the order of additions."""
    np.testing.assert_allclose(got.asnumpy(), wanted.asnumpy(), rtol=1e-5, atol=1e-6)


@each
@each_width
@each_size
def test_imperative_is_hybrid_is_symbol(name, channels, size, tmp_path):
    block, images = made(name, channels, size), [image(batch, channels, size) for batch in BATCHES]
    imperative = [block(x) for x in images]
    for x, y in zip(images, imperative, strict=True):
        assert y.shape == x.shape
        assert y.dtype == x.dtype
    with fast.plain_operators():
        plain = block(mx.sym.var("data"))
    block.hybridize()
    same(block(images[0]), imperative[0])
    block.export(str(tmp_path / "block"))
    params = [p for p in (tmp_path / "block-0000.params",) if block.collect_params()]
    loaded = mx.gluon.SymbolBlock.imports(str(tmp_path / "block-symbol.json"), ["data"], *map(str, params))
    plain = mx.gluon.SymbolBlock(plain, mx.sym.var("data"), block.collect_params())
    for x, y in zip(images, imperative, strict=True):
        same(block(x), y)
        same(loaded(x), y)
        same(plain(x), y)


@each
def test_one_graph_takes_any_batch_and_each_image_is_for_itself(name):
    block = made(name, 16, (7, 5))
    block.hybridize(static_alloc=True)
    x = image(5, 16, (7, 5))
    whole = block(x).copy()
    for first, last in ((0, 1), (1, 4), (4, 5)):
        same(block(x[first:last]), whole[first:last])


@each
@each_width
@each_size
def test_gradients_are_finite(name, channels, size):
    """In training; imperative and hybrid, in batches of one image and of several."""
    block = made(name, channels, size)
    for hybrid in (False, True):
        block.hybridize(hybrid)
        for batch in BATCHES:
            assert_finite_gradients(block, image(batch, channels, size), name)


def assert_finite_gradients(block, x, name):
    """All gradients of a training pass are finite, and that of x is not 0."""
    x.attach_grad()
    learned = {n: p for n, p in block.collect_params().items() if p.grad_req != "null"}
    for param in learned.values():
        param.grad()[:] = np.nan  # what no gradient reaches stays so
    with mx.autograd.record():
        y = block(x)
    y.backward(mx.nd.random.normal(shape=y.shape))
    grads = {"x": x.grad, **{n: p.grad() for n, p in learned.items()}}
    assert [n for n, grad in grads.items() if not np.isfinite(grad.asnumpy()).all()] == []
    # a norm's output does not change with the one value that it takes its statistics of
    constant = (name == "lambda" or ATTENTIONS.get(name).normed) and x.shape[::2] == (1, 1) and x.shape[3] == 1
    assert constant or np.abs(x.grad.asnumpy()).max() > 0


@each
def test_gradient_is_the_finite_difference(name):
    assert_gradient_is_the_finite_difference(made(name, 16, (7, 5)), image(2, 16, (7, 5)))


@each
def test_saved_and_loaded_bit_for_bit(name, tmp_path):
    block, x = made(name, 16, (7, 5)), image(2, 16, (7, 5))
    save_params(block, tmp_path / "block.params")
    again = made(name, 16, (7, 5))
    load_params(again, tmp_path / "block.params")
    ours, theirs = block._collect_params_with_prefix(), again._collect_params_with_prefix()
    assert list(ours) == list(theirs)
    for key in ours:
        assert (ours[key].data().asnumpy() == theirs[key].data().asnumpy()).all(), key
    assert (again(x).asnumpy() == block(x).asnumpy()).all()


@each
def test_unknown_option_is_named(name):
    with pytest.raises(UserError, match=f"attention '{name}' has no option 'colour'"):
        get_attention(name, 16, colour="red")


@each
def test_every_option_is_used(name):
    """An impossible value is noticed by whoever uses the option."""
    for option in attention_options(name):
        with pytest.raises(UserError):
            get_attention(name, 16, **{option: object()})


@each
@each_width
@each_size
def test_bfloat16_is_close(name, channels, size):
    """Mixed precision keeps 8 significant bits of what goes into and comes out of each convolution.

    So each of at most three in a row errs by 3 * 2**-9 of its largest value at most, less where errors average
    out. The sigmoid behind them has slope 1/4 and logits stay below 4 here: 3 * 3 * 2**-9 * 4 / 4 is 2 %.
    """
    block, x = made(name, channels, size), image(3, channels, size)
    block.hybridize()
    wanted = block(x).asnumpy()
    converted = amp.convert_hybrid_block(block, target_dtype="bfloat16", ctx=mx.cpu())
    got = converted(x).astype("float32").asnumpy()
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() <= 0.02 * np.abs(wanted).max()


@each
def test_docstring_says_where_it_comes_from_and_all_options(name):
    cls = ATTENTIONS.get(name)
    text = cls.__doc__
    assert "N,C,H,W -> N,C,H,W" in text
    assert name == "identity" or re.search(r"https://\S+", text)
    for option in attention_options(name):
        assert re.search(rf"\b{option}\b", text), f"{option} is not explained"
    assert cls.slot in SLOTS
