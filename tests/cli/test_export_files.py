"""`gluon-attn export` into files side by side, as a user calls it."""

import shutil

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


@pytest.mark.parametrize("kind", ["symbol", "onnx"])
def test_a_folder_whose_name_is_not_utf8(run, tmp_path, refused, kind):
    folder = tmp_path / "n\udce4t"
    refused(
        ["export", str(run), "--format", kind, "--output", str(folder)], "its name is not UTF-8; choose another path"
    )
    assert not folder.exists()


def test_a_run_folder_whose_name_is_not_utf8_can_be_read(run, tmp_path, run_command):
    folder = tmp_path / "n\udce4t"
    shutil.copytree(run, folder)
    done = run_command("-m", "gluon_attn", "eval", folder)
    assert done.returncode == 0, done.stderr
    assert "n\\udce4t (run) on digits: 359 test images" in done.stdout
    done = run_command("-m", "gluon_attn", "export", folder, "--format", "onnx", "--output", tmp_path / "out")
    assert done.returncode == 2
    assert "n\\xe4t, whose name is not UTF-8: choose or give it another" in done.stderr
