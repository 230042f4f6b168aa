"""Searches agree with the reference implementations: what they derive, and the gradients of their alphas."""

import mxnet as mx
import numpy as np
import pytest
from builds import is_pending, make
from golden import read_index
from virtual_steps import measured

from gluon_attn.convert import load_reference
from gluon_attn.genotypes.attention import attention_genotype
from gluon_attn.genotypes.cell import cell_genotype
from gluon_attn.nn.layers import DropPath, set_drop_path
from gluon_attn.search.darts import architect as architects
from gluon_attn.search.darts.derive import derive_attention_genotype, derive_cell_genotype

CASES = [case for case in read_index() if not is_pending(case)]


def of(run):
    return [case for case in CASES if case.run == run]


@pytest.mark.parametrize("case", of("genotypes"), ids=str)
def test_the_same_genotypes(case):
    space, wanted = make(case).block.space, case.genotypes
    derive, read = (
        (derive_attention_genotype, attention_genotype)
        if "alphas" in case.data
        else (derive_cell_genotype, cell_genotype)
    )
    for trial, data in enumerate(wanted):
        weights = {name: values[trial] for name, values in case.data.items()}
        assert derive(weights, space) == read(data), f"trial {trial}"


@pytest.mark.parametrize("case", of("droppath"), ids=str)
def test_the_same_paths_are_dropped(case, monkeypatch):
    masks, keep = iter(case.data["masks"]), 1 - case.opts["drop_prob"]

    def scripted(self, F, x):
        return x * mx.nd.array(next(masks) / keep).reshape((-1, 1, 1, 1))

    monkeypatch.setattr(DropPath, "hybrid_forward", scripted)
    if case.build == "function":
        block, key = DropPath(case.opts["drop_prob"]), "out"
    else:
        built, key = make(case), "train/out"
        load_reference(built.block, case.weights(), built.source)
        block = built.block
        set_drop_path(block, case.opts["drop_prob"])
    with mx.autograd.record():
        out = block(mx.nd.array(case.inputs()[0]))
    assert case.complaint(key, out.asnumpy()) is None
    assert next(masks, None) is None, "fewer paths were dropped"


class Search:
    """A case's supernet with its weights, as the reference trains it."""

    def __init__(self, case):
        self.case, self.hyper = case, case.hyper
        built = make(case)
        self.net = built.block
        load_reference(self.net, case.weights(), built.source)
        self.net.cast("float64")  # oneDNN has float32 only; WRONG in tests/search/test_supernet.py says why not that
        self.net.hybridize(static_alloc=True)
        self.covers_all = case.opts["kind"] == "attdarts"  # its weight step clips the alphas' gradients, too
        architect = architects.Architect(
            self.net, mx.gluon.loss.SoftmaxCrossEntropyLoss(), momentum=self.hyper["sgd_momentum"],
            weight_decay=self.hyper["sgd_weight_decay"], variant="reference" if self.covers_all else "paper",
        )  # fmt: skip
        self.architect = measured(architect)
        arch = self.architect.arch
        adam = self.hyper["arch_adam"]
        optimizer = architects.arch_adam(adam["lr"], adam["weight_decay"])
        self.arch_trainer = mx.gluon.Trainer([arch[name] for name in sorted(arch)], optimizer, kvstore=None)
        alphas = set(map(id, arch.values()))
        params = [p for p in self.net.collect_params().values() if p.grad_req != "null" and id(p) not in alphas]
        self.clipped = params + (list(arch.values()) if self.covers_all else [])
        options = {"learning_rate": self.hyper["eta"], "momentum": self.hyper["sgd_momentum"]}
        self.trainer = mx.gluon.Trainer(params, "sgd", {**options, "wd": self.hyper["sgd_weight_decay"]}, kvstore=None)

    def batch(self, index):
        i = self.case.opts.get("first_input", 0) + index
        images = self.case._normal(1, i, self.case.config["input"])
        labels = np.random.RandomState(self.case.seed + 3 + 1000 * i).randint(0, 10, size=len(images))
        return mx.nd.array(images, dtype="float64"), mx.nd.array(labels, dtype="float64")

    def second_order(self, train, valid):
        momenta = architects.momentum_buffers(self.trainer)
        return self.architect.second_order(self.batch(train), self.batch(valid), self.hyper["eta"], momenta)

    def sgd_step(self, index):
        loss = self.architect.backward(*self.batch(index))
        gradients = [param.grad() for param in self.clipped]
        norm = np.sqrt(sum(float((g.astype("float64") ** 2).sum().asscalar()) for g in gradients))
        for gradient in gradients:
            gradient *= min(1.0, self.hyper["grad_clip"] / (norm + 1e-6))
        self.trainer.update(1)
        return float(loss.asscalar())


def near(case, prefix, values):
    """What of the stored numbers `values` differ from, beyond rounding that finite differences amplify."""
    said = []
    for name, value in values.items():
        key = f"{prefix}{name}"
        exact, meta = np.asarray(case.data.get(f"ref64/{key}", case.data[key]), np.float64), case.meta[key]
        got = np.asarray(value.asnumpy() if hasattr(value, "asnumpy") else value, np.float64)
        far = np.linalg.norm(got - exact) / max(np.linalg.norm(exact), 1e-30)
        limit = max(5e-6, 20 * meta.get("f64_l2", 0))
        said += [f"{key}: {far:.2e}, limit {limit:.2e}"] if not far <= limit else []
    return said


def steps(case, prefix, search):
    gradients = search.second_order(0, 1)
    details = search.architect.details
    said = near(case, f"{prefix}/", gradients)
    said += near(case, f"{prefix}/implicit/", details["implicit"])
    said += near(case, f"{prefix}/unrolled/", details["unrolled"])
    return said + near(case, f"{prefix}/", {"unrolled_weight_move_l2": details["move"], "vector_l2": details["vector"]})


@pytest.mark.parametrize("case", of("arch"), ids=str)
def test_gradients_of_first_and_second_order(case):
    search = Search(case)
    assert near(case, "first_order/", search.architect.first_order(*search.batch(1))) == []
    assert steps(case, "second_order", search) == []


@pytest.mark.parametrize("case", of("arch"), ids=str)
def test_gradients_after_a_training_step(case):
    search = Search(case)
    loss = search.sgd_step(2)
    assert near(case, "after_sgd/", {"train_loss": loss}) == []
    assert steps(case, "after_sgd", search) == []
