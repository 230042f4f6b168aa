"""The search loop: its records, early stops, exact resume, and the update of the architecture parameters."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.checkpoint import CheckpointStore, read_meta
from gluon_attn.config.search import AttDartsConfig
from gluon_attn.data.factory import build_search
from gluon_attn.engine.callbacks import Checkpoints
from gluon_attn.search.darts.mixed_op import DroppedSkip
from gluon_attn.search.darts.trainer import SearchTrainer
from gluon_attn.utils.errors import UserError

from .small_search import CELLS, config_of, trainer_of


def state(made):
    return {name: p.data().asnumpy() for name, p in made.net._collect_params_with_prefix().items()}


def same(one, other):
    return set(one) == set(other) and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "given",
    [
        config_of(unrolled=True, dropout_rate=0.3),
        config_of("anas", {"nodes": 1, "operations": ("skip_connect", "none")}),
    ],
    ids=["att-darts", "anas"],
)
def test_resumed_search_is_exact(given, tmp_path):
    store = CheckpointStore(tmp_path, keep=9)
    whole = trainer_of(given, [Checkpoints(store)])
    whole.fit()
    again = trainer_of(given)
    first = store.list()[0]
    again.resume(first, read_meta(first))
    again.fit()
    assert same(state(again), state(whole))
    kept = ("entropy", "skips", "genotype", "mixing", "val_accuracy")
    assert [{k: r[k] for k in kept} for r in again.history] == [{k: r[k] for k in kept} for r in whole.history]


@pytest.mark.parametrize("kind", ["att-darts", "anas"])
def test_the_architect_computes_with_the_compiled_graph(monkeypatch, kind):
    """Operator by operator a second-order step takes half as long again, and nearly twice the memory."""
    made = trainer_of(config_of(kind, None if kind == "att-darts" else {}, unrolled=True))
    batches = made.train_loader.epoch(0)
    with made.task.epoch(made), made.operators:
        made.train_step(next(batches))
        monkeypatch.setattr(type(made.net), "hybrid_forward", None)  # it was traced
        made.train_step(next(batches))


def test_architecture_parameters_do_not_change_in_the_warmup():
    made = trainer_of(config_of(arch_warmup=1))
    before = made.task.alpha_values()
    made.fit()
    assert same(before, {name: np.array(v, "float32") for name, v in made.history[0]["mixing"].items()})
    assert not any(np.array_equal(before[name], values) for name, values in made.task.alpha_values().items())


def test_gradient_of_architecture_parameters_is_clipped(monkeypatch):
    """Adam's first step does not depend on the norm of the gradient, so the gradient itself is checked."""
    lengths = []
    for clip in (None, 1e-4):
        made = trainer_of(config_of(arch_clip=clip, train={"num_epochs": 1}))
        seen = []
        monkeypatch.setattr(
            made.task.arch_trainer, "update", lambda n, made=made, seen=seen: seen.append(
                float(sum((p.grad() ** 2).sum().asscalar() for p in made.task.alphas.values())) ** 0.5)
        )  # fmt: skip
        made.fit()
        lengths.append(max(seen))
    assert lengths[0] > 1e-3
    assert lengths[1] == pytest.approx(1e-4, rel=1e-3)


def test_references_clipping_includes_the_architecture_parameters():
    paper, reference = (trainer_of(config_of(space={**CELLS, "variant": name})) for name in ("paper", "reference"))
    assert paper.update.extra_clip_params == ()
    assert {id(p) for p in reference.update.extra_clip_params} == {id(p) for p in reference.task.alphas.values()}


@pytest.mark.parametrize("search", [{"stop_skips": 1}, {"stop_stable": 1}])
def test_early_stops(search):
    made = trainer_of(config_of(train={"num_epochs": 9}, arch_lr=1e-9, **search))
    made.task.alphas["alphas_normal"].set_data(mx.nd.array([[0, 5, 0, 0]] * 2))
    made.fit()
    assert made.epoch == (1 if "stop_skips" in search else 2)
    assert made.history[-1]["skips"] == 2


def test_dropout_on_skip_connections_decays():
    made = trainer_of(config_of(dropout_rate=0.5))
    skips = []
    made.net.apply(lambda block: skips.append(block) if isinstance(block, DroppedSkip) else None)
    made.fit()
    assert skips
    assert {round(skip.rate, 6) for skip in skips} == {round(0.5 * np.exp(-0.19), 6)}


def test_architecture_parameters_have_images_of_their_own():
    data, others = build_search(config_of().data, 3, 0.25)
    whole = config_of().data.train_images
    assert (data.train._share, others._share, data.val._share) == (whole // 4, 3 * whole // 4, 3 * whole // 4)
    first, second = (next(loader.epoch(0))[0].asnumpy() for loader in (data.train, others))
    assert not np.array_equal(first, second)
    with pytest.raises(UserError, match=r"option train_portion 0\.01 leaves 0 of 64 images"):
        build_search(config_of().data, 3, 0.01)


def test_several_devices_are_an_error():
    made = trainer_of(config_of())
    with pytest.raises(UserError, match="one device per process, got 2"):
        SearchTrainer(made.net, config_of(), None, [mx.cpu(0), mx.cpu(1)], None, None, None)


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


def test_edge_parameters_learn():
    made = trainer_of(config_of(space={**CELLS, "channels": 8, "partial_channels": 2}))
    made.fit()
    assert made.history[-1]["mixing"]["edges_normal"] != made.history[0]["mixing"]["edges_normal"]
