"""Which networks a run may learn from."""

import types

import mxnet as mx
import pytest
from networks import network, write_run

import gluon_attn
from gluon_attn.config.distill import DistillConfig
from gluon_attn.runs.network import make_teacher
from gluon_attn.utils.errors import UserError


@pytest.fixture
def run(tmp_path):
    """(folder of a run on images of 32x32 in 10 classes, its network, data that fit)."""
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    data = types.SimpleNamespace(
        classes=10, input_shape=(3, 32, 32), progressive_sizes=(), mean=card.mean, std=card.std
    )
    return write_run(tmp_path / "run", net, card), net, data


def same(teacher, net):
    images = mx.nd.random.normal(shape=(2, 3, 32, 32))
    return mx.nd.abs(teacher(images) - net(images)).max().asscalar() < 1e-5


def test_none():
    assert make_teacher(DistillConfig(), None, [mx.cpu()]) is None


def test_a_run_folder(run):
    folder, net, data = run
    teacher = make_teacher(DistillConfig(teacher=str(folder)), data, [mx.cpu()])
    assert same(teacher, net)
    assert {param.grad_req for param in teacher.collect_params().values()} == {"null"}


def test_a_model_by_name_with_its_parameters(tmp_path, run):
    net, _ = network("cifar_resnet20_v1")
    gluon_attn.save_params(net, tmp_path / "a.params")
    config = DistillConfig(teacher="cifar_resnet20_v1", teacher_params=str(tmp_path / "a.params"))
    assert same(make_teacher(config, run[2], [mx.cpu()]), net)
    with pytest.raises(UserError, match=r"a\.params is of another network: output\.(weight|bias) has shape"):
        make_teacher(config, types.SimpleNamespace(classes=7, input_shape=(3, 32, 32)), [mx.cpu()])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"classes": 7}, "run has 10 classes, the data have 7$"),
        ({"mean": (0.1, 0.4, 0.5)}, r"normalized by mean \(0\.3, 0\.4, 0\.5\), here it is \(0\.1, 0\.4, 0\.5\)$"),
        ({"std": (0.1, 0.4, 0.5)}, "normalized by std"),
    ],
)
def test_data_that_do_not_fit_a_run_folder(other, words, run):
    folder, _, data = run
    vars(data).update(other)
    with pytest.raises(UserError, match=words):
        make_teacher(DistillConfig(teacher=str(folder)), data, [mx.cpu()])


def test_images_of_a_size_that_the_teacher_does_not_take(tmp_path, run):
    net, card = network("cifar_resnet20_v1", attention="fca")
    folder = write_run(tmp_path / "fixed", net, card)
    run[2].input_shape = (3, 64, 64)
    with pytest.raises(UserError, match=r"^teacher .*fixed takes no images of 64x64: .*made for maps of 32x32"):
        make_teacher(DistillConfig(teacher=str(folder)), run[2], [mx.cpu()])
