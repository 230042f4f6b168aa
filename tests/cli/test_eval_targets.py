"""`gluon-attn eval` of every kind of trained network."""

import json

import pytest
from networks import digits, network, write_run

from gluon_attn.cli import main
from gluon_attn.config.files import write_yaml
from gluon_attn.config.train import RunConfig
from gluon_attn.deploy import predictor

pytest.importorskip("onnxruntime")


def test_eval_counts_the_same_on_all_kinds(run, exported, capsys):
    targets = [run, exported / "plain/run-symbol.json", exported / "plain/run.onnx", exported / "raw/run.onnx"]
    results = []
    for target in targets:
        assert main(["eval", str(target), "--json", "--batch-size", "100"]) == 0
        results.append(json.loads(capsys.readouterr().out))
    assert [one["kind"] for one in results] == ["run", "symbol", "onnx", "onnx"]
    assert {one["images"] for one in results} == {359}
    assert len({(one["correct"], one["top5"]) for one in results}) == 1
    source = digits().val
    direct = (predictor.load(run).predict(source.images).argmax(axis=1) == source.labels).sum()
    assert results[0]["correct"] == direct
    assert results[0]["accuracy"] == direct / 359


def test_eval_for_people(run, capsys):
    assert main(["eval", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{run} (run) on digits: 359 test images"
    assert [line.split()[0] for line in lines[1:]] == ["top-1", "top-5", "ms/image"]


def test_eval_reads_the_runs_own_data_options(tmp_path, capsys):
    net, card = network("atac_cifar_resnet", 4, blocks=1, act_type="relu")
    run = write_run(tmp_path / "run", net, card.replace(dataset="synthetic", class_names=()))
    data = {"dataset": "synthetic", "classes": 4, "val_images": 7}
    write_yaml(run / "config.yaml", RunConfig.from_dict({"data": data}))
    assert main(["eval", str(run), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 7
    assert "top5" not in found


def test_eval_refuses_images_of_another_size(tmp_path, capsys):
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    run = write_run(tmp_path / "run", net, card.replace(dataset="digits", input_shape=(3, 64, 64)))
    assert main(["eval", str(run)]) == 2
    assert "digits has 10 classes of 3x32x32 images; the network takes 10 of 3x64x64" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["eval", "RUN", "--batch-size", "0"], "must be a whole number above 0, got '0'"),
        (["eval", "RUN", "--dataset", "digit"], "unknown dataset 'digit'; did you mean digits?"),
        (["eval", "RUN", "--dataset", "synthetic"], "synthetic has other classes (disc hue 0, "),
        (["eval", "RUN", "--dataset", "cifar10", "--data-dir", "nowhere"], "--data-dir nowhere does not exist"),
        (["eval", "nowhere"], "nowhere does not exist; name a run folder"),
    ],
)
def test_errors_are_one_line(run, refused, argv, message):
    names = {"RUN": run}
    refused([str(names.get(word, word)) for word in argv], message)
