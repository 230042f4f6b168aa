"""The Python API: the same options as the command line, results as objects, errors as `UserError`."""

import inspect

import mxnet as mx
import numpy as np
import pytest

import gluon_attn

SMALL = {
    "dataset": "synthetic", "train_images": 24, "val_images": 12, "classes": 4, "input_size": 16, "batch_size": 8,
    "num_workers": 0, "save_period": 0,
}  # fmt: skip
NETWORK = {"model": "darts_cifar", "model_options": {"channels": 4, "layers": 3}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api") / "run"
    return gluon_attn.train(**NETWORK, **SMALL, num_epochs=2, lr=0.05, seed=3, run_dir=str(folder))


def test_a_run(trained):
    assert [record["epoch"] for record in trained.history] == [0, 1]
    assert trained.score == trained.best["val_accuracy"] == max(r["val_accuracy"] for r in trained.history)
    assert {"config.yaml", "card.json", "best.params", "metrics.jsonl"} <= {p.name for p in trained.folder.iterdir()}
    assert trained.data.classes == 4
    assert trained.net.recipe["model"] == "darts_cifar"


@pytest.mark.parametrize(
    ("options", "hybridized"),
    [({}, True), ({"dtype": "bfloat16"}, True), ({"freeze": "cells.0"}, True), ({"mode": "imperative"}, False)],
)
def test_the_network_is_hybridized_whatever_computed_its_steps(tmp_path, every_dtype, options, hybridized):
    net = gluon_attn.train(**NETWORK, **SMALL, **options, num_epochs=1, run_dir=str(tmp_path / "run")).net
    x = mx.nd.random.normal(shape=(2, 3, 16, 16))
    logits = net(x).asnumpy()
    assert (net._active, bool(net._cached_graph)) == (hybridized, hybridized)
    net.hybridize(False)
    np.testing.assert_allclose(net(x).asnumpy(), logits, rtol=1e-4, atol=1e-5)


def test_it_resumes(trained):
    options = {**NETWORK, **SMALL, "num_epochs": 3, "lr": 0.05, "seed": 3}
    again = gluon_attn.train(**options, run_dir=str(trained.folder), resume="auto")
    assert [record["epoch"] for record in again.history] == [0, 1, 2]
    assert again.history[:2] == trained.history


def test_the_run_is_evaluated_and_exported(trained):
    found = gluon_attn.evaluate(trained.folder)
    assert found.images == 12
    assert found.accuracy == pytest.approx(max(r["val_accuracy"] for r in trained.history))
    (exported,) = gluon_attn.export(trained.folder, format="onnx")
    assert (exported.agreement.images, exported.agreement.other_class) == (12, 0)
    assert gluon_attn.evaluate(exported.path).kind == "onnx"


def test_a_search(tmp_path):
    space = {"channels": 4, "layers": 3, "nodes": 1, "operations": ["none", "skip_connect", "avg_pool_3x3"],
             "attentions": ["se"]}  # fmt: skip
    found = gluon_attn.search(
        "att-darts", **{k: v for k, v in SMALL.items() if k != "save_period"}, **space, num_epochs=1, draw_every=0,
        run_dir=str(tmp_path / "search"),
    )  # fmt: skip
    assert found.file == tmp_path / "search" / "genotype.json"
    net = gluon_attn.get_model("darts_cifar", 4, genotype=str(found.file), channels=4, layers=3, input_size=16)
    assert net.resolved["genotype"] == found.genotype.to_dict()


def test_the_name_search_is_the_package_and_the_function():
    import gluon_attn.search.darts.space as space

    assert callable(gluon_attn.search)
    assert gluon_attn.search.darts.space is space
    assert "kind" in inspect.signature(gluon_attn.search).parameters


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gluon_attn.train(modell="x"), "unknown option 'modell'; did you mean model"),
        (lambda: gluon_attn.train(task="detect"), "option task must be one of classification, detection, got 'detect'"),
        (lambda: gluon_attn.train(task="detection", lr_batch=0), "option lr_batch must be at least 1, got 0"),
        (lambda: gluon_attn.train(model="mask_rcnn_fpn_resnet18_v1b", dataset="digits"), "is a detector: train it"),
        (lambda: gluon_attn.train(lr=-1), "option lr must be above 0, got -1"),
        (lambda: gluon_attn.train(dataset="digit"), "unknown dataset 'digit'; did you mean digits"),
        (lambda: gluon_attn.search("darts"), "unknown search 'darts'; did you mean att-darts"),
        (lambda: gluon_attn.search("anas", seeds=[1, 1], dataset="digits"), "option seeds must have each seed once"),
        (lambda: gluon_attn.evaluate("nowhere"), "nowhere does not exist"),
    ],
)
def test_mistakes_are_user_errors_without_flags(call, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(gluon_attn.UserError) as caught:
        call()
    assert words in str(caught.value)
    assert "--" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_functions_are_typed_and_documented():
    from gluon_attn.runs.search import search

    for function in (gluon_attn.train, gluon_attn.evaluate, gluon_attn.export, search):
        assert inspect.signature(function).return_annotation is not inspect.Signature.empty
        assert "Args:" in function.__doc__
        assert "Returns:" in function.__doc__
        assert "Raises:" in function.__doc__
