"""The search loop: what it records, when it stops, that it goes on to the last bit, and its options on supernets."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.checkpoint import CheckpointStore, read_meta
from gluon_attn.config.search import AnasConfig, AttDartsConfig
from gluon_attn.data.factory import build_search
from gluon_attn.engine.callbacks import Checkpoints
from gluon_attn.nn.layers import set_drop_path
from gluon_attn.search.darts.cell_supernet import CellSupernet
from gluon_attn.search.darts.methods import METHODS
from gluon_attn.search.darts.mixed_op import DroppedSkip
from gluon_attn.search.darts.trainer import SearchTrainer
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.seed import seed_all

DATA = {"dataset": "synthetic", "train_images": 64, "val_images": 8, "input_size": 8, "classes": 3, "batch_size": 16,
        "num_workers": 0}  # fmt: skip
CELLS = {"channels": 4, "layers": 3, "nodes": 1, "operations": ("none", "skip_connect", "max_pool_3x3", "dil_conv_3x3"),
         "attentions": ("se",)}  # fmt: skip


def config(kind="att-darts", space=None, optim=None, train=None, **search):
    data = {
        "data": DATA, "space": space if space is not None else CELLS, "search": {"arch_lr": 0.05, **search},
        "optim": {"optimizer": "sgd", "lr": 0.05, "lr_mode": "cosine", "clip_grad": 5, **(optim or {})},
        "train": {"num_epochs": 2, "seed": 3, **(train or {})},
    }  # fmt: skip
    return {"att-darts": AttDartsConfig, "anas": AnasConfig}[kind].from_dict(data)


def trainer(given, callbacks=()):
    method = METHODS[given.kind](given)
    data, others = build_search(given.data, given.train.seed, given.search.train_portion)
    seed_all(given.train.seed)
    net = method.supernet(data.classes, 8)
    net.initialize(mx.init.MSRAPrelu())
    return SearchTrainer(net, given, method.derive, [mx.cpu()], data.train, others, data.val, callbacks)


def state(made):
    return {name: p.data().asnumpy() for name, p in made.net._collect_params_with_prefix().items()}


def same(one, other):
    return set(one) == set(other) and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "given",
    [config(unrolled=True, dropout_rate=0.3), config("anas", {"nodes": 1, "operations": ("skip_connect", "none")})],
    ids=["att-darts", "anas"],
)
def test_a_resumed_search_ends_as_an_unbroken_one(given, tmp_path):
    store = CheckpointStore(tmp_path, keep=9)
    whole = trainer(given, [Checkpoints(store)])
    whole.fit()
    again = trainer(given)
    first = store.list()[0]
    again.resume(first, read_meta(first))
    again.fit()
    assert same(state(again), state(whole))
    kept = ("entropy", "skips", "genotype", "mixing", "val_accuracy")
    assert [{k: r[k] for k in kept} for r in again.history] == [{k: r[k] for k in kept} for r in whole.history]


def test_mixing_weights_wait_for_the_warm_up():
    made = trainer(config(arch_warmup=1))
    before = made.task.alpha_values()
    made.fit()
    assert same(before, {name: np.array(v, "float32") for name, v in made.history[0]["mixing"].items()})
    assert not any(np.array_equal(before[name], values) for name, values in made.task.alpha_values().items())


def test_the_gradient_of_mixing_weights_is_clipped(monkeypatch):
    """Adam's first step hides a gradient's length, so the gradient itself is looked at."""
    lengths = []
    for clip in (None, 1e-4):
        made = trainer(config(arch_clip=clip, train={"num_epochs": 1}))
        seen = []
        monkeypatch.setattr(
            made.task.arch_trainer, "update", lambda n, made=made, seen=seen: seen.append(
                float(sum((p.grad() ** 2).sum().asscalar() for p in made.task.alphas.values())) ** 0.5)
        )  # fmt: skip
        made.fit()
        lengths.append(max(seen))
    assert lengths[0] > 1e-3
    assert lengths[1] == pytest.approx(1e-4, rel=1e-3)


def test_the_references_weight_step_is_clipped_with_the_mixing_weights():
    paper, reference = (trainer(config(space={**CELLS, "variant": name})) for name in ("paper", "reference"))
    assert paper.update.extra_clip_params == ()
    assert {id(p) for p in reference.update.extra_clip_params} == {id(p) for p in reference.task.alphas.values()}


@pytest.mark.parametrize("search", [{"stop_skips": 1}, {"stop_stable": 1}])
def test_early_stops(search):
    made = trainer(config(train={"num_epochs": 9}, arch_lr=1e-9, **search))
    made.task.alphas["alphas_normal"].set_data(mx.nd.array([[0, 5, 0, 0]] * 2))
    made.fit()
    assert made.epoch == (1 if "stop_skips" in search else 2)
    assert made.history[-1]["skips"] == 2


def test_a_limit_on_skips():
    made = trainer(config(skip_limit=1))
    made.task.alphas["alphas_normal"].set_data(mx.nd.array([[0, 5, 1, 0], [0, 4, 0, 1]]))
    edges = made.task.derived()[1]
    assert sorted((source, name) for name, source, _ in edges) == [(0, "skip_connect"), (1, "dil_conv_3x3")]


def test_dropout_on_skips_falls():
    made = trainer(config(dropout_rate=0.5))
    skips = []
    made.net.apply(lambda block: skips.append(block) if isinstance(block, DroppedSkip) else None)
    made.fit()
    assert skips
    assert {round(skip.rate, 6) for skip in skips} == {round(0.5 * np.exp(-0.19), 6)}


def test_a_dropped_skip_drops_in_training_only():
    block, x = DroppedSkip(), mx.nd.ones((4, 100))
    set_drop_path(block, 0.5, DroppedSkip)
    assert (block(x) == x).asnumpy().all()
    with mx.autograd.record():
        assert {0.0, 2.0} == set(block(x).asnumpy().ravel())


def test_partial_channels_pass_by_and_edges_have_weights():
    """By hand: with skip connections only, a stride-1 cell adds up its inputs, by equal edge weights their mean."""
    net = CellSupernet(3, channels=8, layers=3, nodes=1, operations=("skip_connect",), location="no_attention",
                       input_size=8, partial_channels=4)  # fmt: skip
    net.initialize(mx.init.Xavier())
    assert net.edges_normal.shape == (2,)
    net.edges_normal.set_data(mx.nd.zeros(2))
    edge, x = net.cells[0].edges[0], mx.nd.random.normal(shape=(2, 8, 8, 8))
    y = edge(x, mx.nd.ones((1, 1))).asnumpy()
    shuffled = x.asnumpy().reshape(2, 4, 2, 8, 8).transpose(0, 2, 1, 3, 4).reshape(2, 8, 8, 8)
    assert np.allclose(y, shuffled)
    made = trainer(config(space={**CELLS, "channels": 8, "partial_channels": 2}))
    made.fit()
    assert made.history[-1]["mixing"]["edges_normal"] != made.history[0]["mixing"]["edges_normal"]
    with pytest.raises(UserError, match="multiples of 8, here are 4"):
        CellSupernet(3, channels=4, layers=3, partial_channels=4)


def test_edge_weights_choose_inputs():
    given = config(space={**CELLS, "nodes": 2, "channels": 8, "partial_channels": 2})
    made = trainer(given)
    made.task.alphas["edges_normal"].set_data(mx.nd.array([0, 0, -3, 2, 2]))
    assert {source for _, source, _ in made.task.derived()[1][2:]} == {1, 2}


def test_mixing_weights_learn_from_images_of_their_own():
    data, others = build_search(config().data, 3, 0.25)
    whole = config().data.train_images
    assert (data.train._share, others._share, data.val._share) == (whole // 4, 3 * whole // 4, 3 * whole // 4)
    first, second = (next(loader.epoch(0))[0].asnumpy() for loader in (data.train, others))
    assert not np.array_equal(first, second)
    with pytest.raises(UserError, match=r"option train_portion 0\.01 leaves 0 of 64 images"):
        build_search(config().data, 3, 0.01)


def test_several_devices_are_refused():
    made = trainer(config())
    with pytest.raises(UserError, match="one device per process, got 2"):
        SearchTrainer(made.net, config(), None, [mx.cpu(0), mx.cpu(1)], None, None, None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"optim": {"optimizer": "adam"}}, "leave out option optimizer"),
        ({"optim": {"optimizer": "sgd", "ema": 0.9}}, "ema has no effect in a search"),
        ({"train": {"dtype": "bfloat16"}}, "computes in float32"),
        ({"data": {"dataset": "imagenet_rec"}}, "on small images"),
        ({"data": {"mixup": True}}, "mixup has no effect"),
        ({"search": {"arch_warmup": 200}}, "leaves nothing of 200 epochs"),
        ({"search": {"seeds": [1, 2], "random_search": True}}, "leave out option seeds"),
        ({"space": {"layers": 2}}, "layers must be at least 3"),
    ],
)
def test_refused_options(change, words):
    with pytest.raises(UserError, match=words):
        AttDartsConfig.from_dict({"data": {"dataset": "digits"}, **change})


@pytest.mark.parametrize("kind", METHODS)
def test_choices_by_chance_fit_their_network(kind):
    given = config(kind, None if kind == "att-darts" else {})
    method, random = METHODS[kind](given), np.random.default_rng(1)
    found = [method.by_chance(random) for _ in range(20)]
    assert len({str(genotype) for genotype in found}) > 10
    net = method.network(found[0], 3, 8)
    net.initialize()
    assert net(mx.nd.zeros((1, 3, 8, 8))).shape == (1, 3)
