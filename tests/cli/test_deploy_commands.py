"""export, eval and predict, as a user calls them."""

import json

import pytest
from networks import digits, digits_run, network, write_run
from PIL import Image

from gluon_attn.cli import main
from gluon_attn.config.files import write_yaml
from gluon_attn.config.train import RunConfig
from gluon_attn.deploy import predictor

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    assert main(["export", str(run), "--format", "symbol", "onnx", "--output", str(folder / "plain")]) == 0
    assert main(["export", str(run), "--format", "onnx", "--preprocess", "--output", str(folder / "raw")]) == 0
    return folder


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "digit.png"
    Image.fromarray(digits().val.images[0]).resize((70, 50)).save(path)
    return path


def test_export_prints_a_line_a_file(run, tmp_path, capsys):
    assert main(["export", str(run), "--format", "symbol", "onnx", "--output", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["symbol", str(tmp_path / "run-symbol.json")],
        ["onnx", str(tmp_path / "run.onnx")],
    ]
    assert all("agrees with the trained network on 256 images" in line for line in lines)


def test_export_unchecked(run, tmp_path, capsys):
    assert main(["export", str(run), "--no-check", "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path}/run-symbol.json, unchecked\n"


def test_export_without_its_data_set_uses_random_images(tmp_path, capsys):
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    write_run(tmp_path / "run", net, card)
    assert main(["export", str(tmp_path / "run")]) == 0
    captured = capsys.readouterr()
    assert "on 64 images" in captured.out
    assert "the check uses random images" in captured.err


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


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["eval", "RUN", "--batch-size", "0"], "must be a whole number above 0, got '0'"),
        (["eval", "RUN", "--dataset", "digit"], "unknown dataset 'digit'; did you mean digits?"),
        (["eval", "RUN", "--dataset", "synthetic"], "synthetic has other classes (disc hue 0, "),
        (["eval", "RUN", "--dataset", "cifar10", "--data-dir", "nowhere"], "--data-dir nowhere does not exist"),
        (["eval", "nowhere"], "nowhere does not exist; name a run folder"),
        (["export", "nowhere"], "nowhere is not a run folder: it has no card.json"),
        (["export", "RUN", "--output", "PICTURE"], "cannot write to "),
        (["export", "RUN", "--format", "tflite"], "invalid choice: 'tflite'"),
        (["predict", "PICTURE"], "the following arguments are required: --model"),
        (["predict", "none.png", "--model", "RUN"], "image none.png does not exist"),
        (["predict", "PICTURE", "CARD", "--model", "RUN"], "card.json cannot be read: cannot identify image file"),
        (["predict", "PICTURE", "--model", "RUN", "--top", "0"], "must be a whole number above 0"),
    ],
)
def test_errors_are_one_line(run, picture, capsys, argv, message):
    names = {"RUN": run, "PICTURE": picture, "CARD": run / "card.json"}
    assert main([str(names.get(word, word)) for word in argv]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_eval_refuses_images_of_another_size(tmp_path, capsys):
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    run = write_run(tmp_path / "run", net, card.replace(dataset="digits", input_shape=(3, 64, 64)))
    assert main(["eval", str(run)]) == 2
    assert "digits has 10 classes of 3x32x32 images; the network takes 10 of 3x64x64" in capsys.readouterr().err


def test_predict_names_the_classes(run, exported, picture, capsys):
    answers = []
    for target in (run, exported / "plain/run-symbol.json", exported / "raw/run.onnx"):
        assert main(["predict", str(picture), "--model", str(target), "--top", "10", "--json"]) == 0
        (answer,) = json.loads(capsys.readouterr().out)
        assert answer["image"] == str(picture)
        answers.append(answer["classes"])
    shares = [item["probability"] for item in answers[0]]
    assert {item["class"] for item in answers[0]} == set("0123456789")
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    for other in answers[1:]:
        assert [item["class"] for item in other] == [item["class"] for item in answers[0]]
    assert main(["predict", str(picture), str(picture), "--model", str(run), "--top", "1"]) == 0
    best = f"{picture}: {answers[0][0]['class']} {shares[0]:.1%}\n"
    assert capsys.readouterr().out == best * 2
