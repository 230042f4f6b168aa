"""`gluon-attn export` into files side by side, as a user calls it."""

import pytest
from networks import network, write_run

from gluon_attn.cli import main

pytest.importorskip("onnxruntime")


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


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["export", "nowhere"], "nowhere is not a run folder: it has no card.json"),
        (["export", "RUN", "--output", "PICTURE"], "cannot write to "),
        (["export", "RUN", "--format", "tflite"], "invalid choice: 'tflite'"),
    ],
)
def test_errors_are_one_line(run, tmp_path, refused, argv, message):
    (tmp_path / "picture").write_text("")
    names = {"RUN": run, "PICTURE": tmp_path / "picture"}
    refused([str(names.get(word, word)) for word in argv], message)


def test_a_folder_whose_name_is_not_utf8(run, tmp_path, capsys, refused):
    """MXNet's files are written and read by Python; ONNX Runtime and OpenVINO open theirs by name."""
    folder = tmp_path / "n\udce4t"
    assert main(["export", str(run), "--format", "symbol", "--output", str(folder)]) == 0
    assert main(["eval", str(folder / "run-symbol.json"), "--dataset", "digits"]) == 0
    capsys.readouterr()
    refused(["export", str(run), "--format", "onnx", "--output", str(folder / "x")], "ONNX Runtime cannot open")
    assert sorted(path.name for path in folder.iterdir()) == ["run-0000.params", "run-card.json", "run-symbol.json"]
