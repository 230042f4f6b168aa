"""Parameter files: what is written comes back bit for bit; what does not fit changes nothing."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluon_attn import get_model
from gluon_attn.nn import params
from gluon_attn.nn.params import classifier, load_params, read_params, save_params, write_tensors
from gluon_attn.utils.errors import UserError


def network(width=4, norm=True, initialize=True):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(width, 3, in_channels=2))
    if norm:
        net.add(nn.BatchNorm(in_channels=width))
    net.add(nn.Dense(5, in_units=width))
    if initialize:
        net.initialize(mx.init.Normal(1))
    return net


def values(net):
    return {name: p.data().asnumpy() for name, p in net._collect_params_with_prefix().items()}


def equal(one, other):
    return one.keys() == other.keys() and all((one[key] == other[key]).all() for key in one)


def refused(net, path):
    """The message of the `UserError`, which must be one line; the network must be as it was."""
    before = values(net)
    with pytest.raises(UserError) as caught:
        load_params(net, path)
    assert equal(values(net), before)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def saved(tmp_path):
    """(a network, its file)."""
    net = network()
    net[1].running_mean.set_data(mx.nd.arange(4))
    save_params(net, tmp_path / "net.params")
    return net, tmp_path / "net.params"


@pytest.mark.parametrize("initialize", [True, False])
def test_round_trip(saved, initialize):
    net, path = saved
    again = network(initialize=initialize)
    load_params(again, path)
    assert equal(values(again), values(net))
    assert values(again)["1.running_mean"].tolist() == [0, 1, 2, 3]


def test_gluon_reads_the_file_too(saved):
    again = network()
    again.load_parameters(str(saved[1]))
    assert equal(values(again), values(saved[0]))


def test_the_network_keeps_its_type(saved):
    again = network()
    again.cast("float16")
    load_params(again, saved[1])
    kinds = {name: value.dtype for name, value in values(again).items()}
    assert kinds["0.weight"] == kinds["2.bias"] == np.float16
    assert (values(again)["0.weight"] == values(saved[0])["0.weight"].astype("float16")).all()


@pytest.mark.parametrize("initialize", [True, False])
@pytest.mark.parametrize("devices", [mx.cpu(1), [mx.cpu(0), mx.cpu(1)]], ids=str)
def test_devices_that_are_asked_for(saved, initialize, devices):
    again = network(initialize=initialize)
    load_params(again, saved[1], ctx=devices)
    wanted = devices if isinstance(devices, list) else [devices]
    for name, param in again._collect_params_with_prefix().items():
        assert param.list_ctx() == wanted
        for device in wanted:
            assert (param.data(device).asnumpy() == values(saved[0])[name]).all()


def test_the_network_stays_where_it_is(saved):
    again = network(initialize=False)
    again.initialize(ctx=mx.cpu(1))
    load_params(again, saved[1])
    assert again[0].weight.list_ctx() == [mx.cpu(1)]


def test_unknown_input_widths_are_taken_from_the_file(saved):
    again = nn.HybridSequential()
    again.add(nn.Conv2D(4, 3), nn.BatchNorm(), nn.Dense(5))
    again.initialize()
    load_params(again, saved[1])
    assert again[2].weight.shape == (5, 4)
    assert again(mx.nd.ones((1, 2, 3, 3))).shape == (1, 5)


def test_a_network_without_parameters(tmp_path):
    save_params(nn.Flatten(), tmp_path / "empty.params")
    load_params(nn.Flatten(), tmp_path / "empty.params")
    assert refused(network(), tmp_path / "empty.params").startswith(f"{tmp_path / 'empty.params'} is of another")


def test_files_of_other_networks(saved, tmp_path):
    net, path = saved
    assert refused(network(width=3), path) == (
        f"{path} is of another network: 0.weight has shape (4, 2, 3, 3), here (3, 2, 3, 3)"
    )
    plain = network(norm=False)
    assert refused(plain, path) == (
        f"{path} is of another network: it lacks 1.bias, 1.weight, it has 1.beta, 1.gamma, 1.running_mean"
        " and 3 more besides"
    )
    assert refused(nn.Flatten(), path) == (
        f"{path} is of another network: it has 0.bias, 0.weight, 1.beta and 5 more besides"
    )
    save_params(plain, tmp_path / "plain.params")
    assert refused(net, tmp_path / "plain.params").startswith(
        f"{tmp_path / 'plain.params'} is of another network: it lacks 1.beta, 1.gamma, 1.running_mean and 3 more"
    )


def test_missing_files(saved, tmp_path):
    assert refused(saved[0], tmp_path / "none.params") == f"parameter file {tmp_path / 'none.params'} does not exist"
    assert refused(saved[0], tmp_path) == f"parameter file {tmp_path} does not exist"


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_files(saved, share):
    net, path = saved
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert refused(net, path) == f"parameter file {path} is damaged or not a parameter file"


def test_files_of_another_kind(saved, tmp_path):
    path = tmp_path / "text.params"
    path.write_text("not a parameter file, but long enough to hold a header of one\n" * 20)
    assert refused(saved[0], path) == f"parameter file {path} is damaged or not a parameter file"
    mx.nd.save(str(path), [mx.nd.ones(3)])
    assert refused(saved[0], path).endswith("holds no names; expected a file that save_params wrote")


def test_names_of_exported_files_lose_their_kind(tmp_path):
    mx.nd.save(str(tmp_path / "x.params"), {"arg:w": mx.nd.ones(2), "aux:m": mx.nd.zeros(2), "b": mx.nd.ones(1)})
    assert sorted(read_params(tmp_path / "x.params")) == ["b", "m", "w"]


def test_a_failed_write_leaves_the_old_file(saved, monkeypatch):
    net, path = saved
    before = path.read_bytes()

    def broken(value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(params, "_serialized", broken)
    with pytest.raises(UserError, match="No space left on device; the old file is unchanged"):
        save_params(net, path)
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_files_have_the_bytes_of_mxnets_own(tmp_path):
    net = network()
    save_params(net, tmp_path / "ours")
    net.save_parameters(str(tmp_path / "theirs"))
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


DTYPES = ("float32", "float64", "float16", "uint8", "int8", "int32", "int64", np.dtype([("bfloat16", np.uint16)]))
ARRAYS = {
    "every dtype": {str(dtype): mx.nd.arange(6).reshape((2, 3)).astype(dtype) for dtype in DTYPES},
    "views, ones and names": {
        "a": mx.nd.arange(12).reshape((4, 3))[1:3],
        "grün": mx.nd.ones((1, 1, 1)),
        "": mx.nd.ones(1),
    },
    "nothing": {"": mx.nd.zeros(1)},
    "no array": {},
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_have_the_bytes_of_mxnets_own_files(name, tmp_path):
    write_tensors(tmp_path / "ours", ARRAYS[name])
    mx.nd.save(str(tmp_path / "theirs"), ARRAYS[name])
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    found = mx.nd.load(str(tmp_path / "ours"))
    assert sorted(found) == sorted(ARRAYS[name])
    for key, value in ARRAYS[name].items():
        assert (found[key].astype("float32") == value.astype("float32")).asnumpy().all()


def test_a_network_that_is_not_initialized_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="has not been initialized"):
        save_params(nn.Dense(3, in_units=2), tmp_path / "x.params")
    assert list(tmp_path.iterdir()) == []


def test_the_classifier_is_the_last_layer_with_so_many_outputs():
    net = network(width=5)
    assert classifier(net, 5) == ["2.weight", "2.bias"]
    assert classifier(net, 6) == []
    net.add(nn.Conv2D(5, 1, in_channels=5, use_bias=False), nn.Flatten())
    assert classifier(net, 5) == ["3.weight"]


def other_classes(classes, width=4):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(width, 3, in_channels=2), nn.BatchNorm(in_channels=width), nn.Dense(classes, in_units=width))
    net.initialize()
    return net


def test_tensors_that_may_be_renewed_stay_and_are_named(saved):
    net, head = other_classes(3), ["2.weight", "2.bias"]
    before = values(net)
    assert load_params(net, saved[1], renewed=head) == head
    for name, value in values(net).items():
        assert (value == (before if name in head else values(saved[0]))[name]).all(), name
    assert load_params(other_classes(5), saved[1], renewed=head) == []


@pytest.mark.parametrize(("width", "renewed"), [(6, ["2.weight", "2.bias"]), (4, ["2.weight", "1.gamma"])])
def test_nothing_else_is_renewed(width, renewed, saved):
    net = other_classes(3, width)
    before = values(net)
    with pytest.raises(UserError, match=r"is of another network: .* has shape"):
        load_params(net, saved[1], renewed=renewed)
    assert equal(values(net), before)


def test_names_of_files_need_not_be_utf8(tmp_path):
    path = tmp_path / "n\udce4t.params"
    net = get_model("cifar_resnet20_v1", 10)
    net.initialize()
    save_params(net, path)
    other = get_model("cifar_resnet20_v1", 10)
    load_params(other, path)
    for name, param in net._collect_params_with_prefix().items():
        assert (other._collect_params_with_prefix()[name].data() == param.data()).asnumpy().all()
