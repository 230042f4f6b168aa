"""Networks of torchvision and timm with random weights: theirs load here, agree, are told by their tensors, go back.

GLUON_ATTN_PEERS names a Python with torch, torchvision, timm and pytorchcv, such as that of an environment of its own.
"""

import zlib
from collections import defaultdict, deque

import mxnet as mx
import numpy as np
import pytest
from peer_process import PEERS, asking
from peer_rows import CARRIED, ROWS

from gluon_attn import get_model
from gluon_attn.convert import load_reference, reference_state
from gluon_attn.convert.counterpart import needed_counterpart
from gluon_attn.convert.infer_model import infer_config
from gluon_attn.convert.library_weights import NETWORKS, library_network
from gluon_attn.convert.tensors import Tensors
from gluon_attn.convert.timm_models import ALIKE
from gluon_attn.models.build import build

CLASSES = 7


@pytest.fixture(scope="module")
def peers():
    """Runs networks in the other Python: `peers(library, name, options, out=FILE, ...)` gives what is in the .npz."""
    if not PEERS:
        pytest.skip("GLUON_ATTN_PEERS names no Python with torch, torchvision, timm and pytorchcv")
    with asking(PEERS, "peer_networks.py") as ask:

        def call(library, name, options, **more):
            ask({"library": library, "name": name, "options": options, **more})
            with np.load(more["out"]) as found:
                return {key: found[key] for key in found.files}

        yield call


def state_of(found):
    """The tensors in an answer, without counters."""
    states = {key.removeprefix("state/"): value for key, value in found.items() if key.startswith("state/")}
    return {key: value for key, value in states.items() if not key.endswith("num_batches_tracked")}


def agree(net, found):
    logits = net(mx.nd.array(found["images"])).asnumpy()
    assert np.isfinite(logits).all()
    assert np.ptp(logits) > 1e-3 * np.abs(logits).max()
    assert np.abs(logits - found["logits"]).max() <= 1e-5 * np.abs(found["logits"]).max()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "other"), [(name, other) for name, others in ALIKE.items() for other in others])
def test_networks_of_the_same_tensors_compute_otherwise(name, other, peers, tmp_path):
    here, there = str(tmp_path / "here.npz"), str(tmp_path / "there.npz")
    found = peers("timm", name, {"num_classes": CLASSES}, size=64, seed=3, out=here)
    logits = peers("timm", other, {"num_classes": CLASSES}, size=64, seed=3, state=here, out=there)["logits"]
    assert np.abs(logits - found["logits"]).max() > 1e-3 * np.abs(logits).max()


@pytest.mark.parametrize("row", [pytest.param(row, id=str(row), marks=[pytest.mark.slow] * row.deep) for row in ROWS])
def test_a_network_there_and_back(row, peers, tmp_path):
    options = {"num_classes": CLASSES, **row.their_options}
    seed = zlib.crc32(str(row).encode())
    found = peers(row.library, row.theirs, options, size=row.size, seed=seed, out=str(tmp_path / "theirs.npz"))
    state = state_of(found)

    net = get_model(row.ours, CLASSES, **row.options)
    load_reference(net, state, row.library)
    agree(net, found)

    back = reference_state(net, row.library)
    assert set(back) == set(state)
    # a softmax follows on that bias: no constant changes it, so ours has none
    different = [key for key in back if not np.array_equal(back[key], state[key])]
    assert not [key for key in different if not key.endswith("conv_attn.bias")]

    made = needed_counterpart(net, row.library)
    np.savez(tmp_path / "ours.npz", images=found["images"], **{f"state/{key}": back[key] for key in back})
    files = {"state": str(tmp_path / "ours.npz"), "out": str(tmp_path / "again.npz")}
    again = peers(row.library, made.name, made.options, seed=seed, **files)
    np.testing.assert_allclose(again["logits"], found["logits"], rtol=1e-5, atol=1e-5 * np.abs(found["logits"]).max())

    if row.guessed:
        config = infer_config(Tensors.of(state), row.library)
        assert config is not None, "the tensors do not tell the network"
        guess = build(config, CLASSES)
        if guess.recipe != net.recipe:  # another way to say the same
            load_reference(guess, state, row.library)
            agree(guess, found)


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=str(row), marks=[pytest.mark.slow] * row.deep) for row in CARRIED]
)
def test_a_network_that_takes_tensors_in_their_order(row, peers, tmp_path):
    options = {"num_classes": CLASSES, **row.their_options}
    out = str(tmp_path / "theirs.npz")
    found = peers(row.library, row.theirs, options, size=row.size, seed=zlib.crc32(str(row).encode()), out=out)
    net = get_model(row.ours, CLASSES, **row.options)
    left = defaultdict(deque)
    for value in state_of(found).values():
        left[value.shape].append(value)
    for param in net._collect_params_with_prefix().values():
        param.initialize()
        param.set_data(mx.nd.array(left[param.shape].popleft()))
    assert not any(left.values()), "tensors that ours has no place for"
    agree(net, found)


@pytest.mark.parametrize("library", sorted(NETWORKS))
def test_every_network_that_is_taken_by_name_has_a_row(library):
    rows = {row.theirs for row in ROWS if row.library == library and not row.their_options}
    assert set(NETWORKS[library]) == rows
    assert all(library_network(f"{library}:{name}").name == name for name in rows)
