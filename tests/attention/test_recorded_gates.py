"""What every attention multiplies by. The registry is the list: a new module gates, or says here that it does not."""

import mxnet as mx
import numpy as np
import pytest
from networks import attention_block as made

from gluon_attn import get_attention, list_attentions
from gluon_attn.nn.recording import CHANNEL, ELEMENT, SPATIAL, recording

#: those that add, mix positions or replace a convolution, and multiply nothing by a gate
WITHOUT = {
    "a2", "aa", "bat", "bot", "cam", "danet", "external", "fa", "gca", "halo", "identity", "lambda", "nonlocal", "pam",
}  # fmt: skip
#: attention -> kinds of its gates, in the order of the pass; the others have one gate per channel
KINDS = {
    "anas": [ELEMENT], "bam": [ELEMENT], "cbam": [CHANNEL, SPATIAL], "light_cbam": [CHANNEL, SPATIAL],
    "cha_atac": [ELEMENT], "coord": [ELEMENT], "cot": [CHANNEL] * 2,
    "polarized_parallel": [CHANNEL, SPATIAL], "polarized_sequential": [CHANNEL, SPATIAL],
    "scse": [CHANNEL, SPATIAL], "seq_atac": [ELEMENT, SPATIAL], "sge": [SPATIAL], "shuffle": [ELEMENT],
    "simam": [ELEMENT], "sk": [CHANNEL] * 2, "spa_atac": [SPATIAL], "split": [CHANNEL] * 2, "triplet": [ELEMENT],
}  # fmt: skip
#: those whose output is not that of their last gate, or a sum over all gates' outputs
NOT_ALONE = {"bam", "grn", "shuffle"}
SUMS = {"cot", "polarized_parallel", "scse", "sk", "split"}


def image(batch, channels, size):
    return mx.nd.random.normal(shape=(batch, channels, *size))


def gates_of(block, x):
    """(output, gates) of one pass."""
    gates = []
    with recording(block, gates.append):
        output = block(x)
    return output, gates


def same(got, wanted):
    np.testing.assert_allclose(got.asnumpy(), wanted.asnumpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", list_attentions())
@pytest.mark.parametrize("size", [(7, 5), (1, 1)], ids=str)
def test_recorded_gates_times_input_are_the_output(name, size):
    block, x = made(name, 16, size), image(3, 16, size)
    plain = block(x)
    output, gates = gates_of(block, x)
    assert (output.asnumpy() == plain.asnumpy()).all()  # recording changes nothing
    wanted = [] if name in WITHOUT else KINDS.get(name, [CHANNEL])
    assert [gate.kind for gate in gates] == wanted, "name a module without gates in WITHOUT, else its kinds in KINDS"
    for number, gate in enumerate(gates):
        same(gate.x * gate.values, gate.output)
        assert (gate.path, gate.module, gate.number) == ((), block, number)
        assert gate.per_image().shape[0] == 3
        assert np.isfinite(gate.per_image()).all()
    if gates and name not in NOT_ALONE:
        whole = sum(gate.output for gate in gates) if name in SUMS else gates[-1].output
        same(whole.reshape_like(output), output)
    if len(gates) == 1 and name not in NOT_ALONE | {"psa"}:  # which gates what it computed first
        same((x.reshape_like(gates[0].x) * gates[0].values).reshape_like(output), output)


def test_gates_inside_the_exceptions():
    """Their formulas: x + x * gate; x * gate + beta; x * gate with its channels in another order."""
    x = image(2, 16, (7, 5))
    block = made("bam", 16, (7, 5))
    output, (gate,) = gates_of(block, x)
    same(x + x * gate.values, output)
    block = made("grn", 16, (7, 5))
    output, (gate,) = gates_of(block, x)
    same(x * gate.values + block.beta.data(), output)
    output, (gate,) = gates_of(made("shuffle", 16, (7, 5)), x)
    mixed = (x * gate.values).asnumpy().reshape(2, 2, 8, 7, 5).swapaxes(1, 2).reshape(output.shape)
    np.testing.assert_allclose(mixed, output.asnumpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "kinds"),
    [
        ("cha_atac", {"global_pool": True}, [CHANNEL]),
        ("ge_theta_minus", {"extent": 2}, [ELEMENT]),
        ("ge_theta_plus", {"extent": 4}, [ELEMENT]),
        ("split", {"radix": 1}, [CHANNEL]),
        ("sk", {"branches": 3}, [CHANNEL] * 3),
        ("triplet", {"no_spatial": True}, [ELEMENT]),
        ("se", {}, [CHANNEL]),
    ],
)
def test_options_that_change_the_gate(name, options, kinds):
    block, x = get_attention(name, 16, **options), image(2, 16, (8, 8))
    block.initialize()
    _, gates = gates_of(block, x)
    assert [gate.kind for gate in gates] == kinds
    for gate in gates:
        same(gate.x * gate.values, gate.output)


def test_groups_of_channels_come_per_image():
    block, x = get_attention("sge", 16, groups=4), image(3, 16, (7, 5))
    block.initialize()
    _, (gate,) = gates_of(block, x)
    assert gate.values.shape == (12, 1, 7, 5)
    maps = gate.per_image()
    assert maps.shape == (3, 4, 7, 5)
    np.testing.assert_allclose(
        maps[1, 2] * x[1, 8:12].asnumpy(), block(x)[1, 8:12].asnumpy(), rtol=1e-6, atol=1e-6
    )  # fmt: skip
