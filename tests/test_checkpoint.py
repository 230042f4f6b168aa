"""Checkpoints: exact, whole, and passed over when damaged."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_attn.checkpoint import CheckpointStore, restore
from gluon_attn.config.optim import OptimConfig
from gluon_attn.engine.optim import make_trainer, optimizer_names
from gluon_attn.engine.schedule import Schedule
from gluon_attn.utils.errors import UserError


def small_net(seed):
    mx.random.seed(seed)
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Dense(5, in_units=4), gluon.nn.BatchNorm(in_channels=5), gluon.nn.Dense(3, in_units=5))
    net.initialize(mx.init.Normal(0.5))
    return net


def trainer_for(net, optimizer):
    config = OptimConfig(optimizer=optimizer, lr=0.05, lr_mode="cosine", warmup_epochs=1)
    return make_trainer(net, config, Schedule(config, epochs=4, steps=3))


def advance(net, trainer, first, last):
    for step in range(first, last):
        mx.random.seed(step)
        x = mx.nd.array(np.random.RandomState(step).normal(size=(6, 4)))
        with autograd.record():
            loss = (net(x) ** 2).sum(axis=1)
        loss.backward()
        trainer.step(6)


def weights(net):
    return {name: p.data().asnumpy() for name, p in net._collect_params_with_prefix().items()}


@pytest.mark.parametrize("optimizer", optimizer_names())
def test_every_optimizer_goes_on_bit_for_bit(optimizer, tmp_path):
    unbroken = small_net(1)
    advance(unbroken, trainer_for(unbroken, optimizer), 0, 10)

    first = small_net(1)
    trainer = trainer_for(first, optimizer)
    advance(first, trainer, 0, 5)
    CheckpointStore(tmp_path).save(first, trainer, {"epoch": 5})

    second = small_net(2)
    trainer = trainer_for(second, optimizer)
    restore(*CheckpointStore(tmp_path).newest(), second, trainer)
    advance(second, trainer, 5, 10)
    for name, value in weights(unbroken).items():
        np.testing.assert_array_equal(weights(second)[name], value, err_msg=name)


def test_momentum_is_in_the_checkpoint(tmp_path):
    """Restoring the weights alone must not pass the test above."""
    net = small_net(1)
    trainer = trainer_for(net, "nag")
    advance(net, trainer, 0, 5)
    folder = CheckpointStore(tmp_path).save(net, trainer, {"epoch": 5})
    arrays = mx.nd.load(str(folder / "optimizer.params"))
    assert max(abs(value).max().asscalar() for value in arrays.values()) > 1e-4


@pytest.fixture
def three(tmp_path):
    net = small_net(1)
    trainer = trainer_for(net, "nag")
    store = CheckpointStore(tmp_path / "checkpoints", keep=2)
    for epoch in (1, 2, 10):
        advance(net, trainer, epoch, epoch + 1)
        store.save(net, trainer, {"epoch": epoch})
    return store


def test_the_newest_are_kept(three):
    assert [folder.name for folder in three.list()] == ["epoch-0002", "epoch-0010"]
    assert three.newest()[1]["epoch"] == 10


@pytest.mark.parametrize("name", ["net.params", "optimizer.params", "meta.json"])
@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_a_damaged_checkpoint_is_passed_over(three, name, damage, caplog):
    path = three.list()[-1] / name
    content = path.read_bytes()
    if damage == "truncate":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        path.write_bytes(bytes([content[0] ^ 0xFF]) + content[1:])
    else:
        path.unlink()
    with caplog.at_level("WARNING"):
        assert three.newest()[1]["epoch"] == 2
    assert "damaged" in caplog.text
    assert "epoch-0010" in caplog.text


def test_other_files_are_kept_and_checked(tmp_path):
    net = small_net(1)
    store = CheckpointStore(tmp_path)
    folder = store.save(net, trainer_for(net, "nag"), {"epoch": 1}, {"average.params": {"a": mx.nd.array([3.0])}})
    assert store.newest()[0] == folder
    assert mx.nd.load(str(folder / "average.params"))["a"].asscalar() == 3
    (folder / "average.params").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"epoch-0001 is damaged, and no other is whole: remove .* to start anew"):
        store.newest()
    assert CheckpointStore(tmp_path / "none").newest() is None


def test_an_interrupted_save_leaves_the_old_ones(three, monkeypatch):
    net = small_net(1)
    trainer = trainer_for(net, "nag")
    monkeypatch.setattr("gluon_attn.checkpoint.write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        three.save(net, trainer, {"epoch": 11})
    assert [path.name for path in sorted(three.folder.iterdir())] == ["epoch-0002", "epoch-0010"]


def test_weights_of_another_network_are_refused(three):
    other = gluon.nn.Dense(3, in_units=4)
    other.initialize()
    with pytest.raises(UserError, match="another network"):
        restore(*three.newest(), other, trainer_for(other, "nag"))
