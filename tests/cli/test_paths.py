"""Paths on command lines, in recipes and in Python: ~ in each of them, and files that cannot be written."""

import argparse
import dataclasses

import pytest
from command_lines import COMMANDS

import gluon_attn
from gluon_attn.cli import main, train_cifar
from gluon_attn.cli.parser import PATHS
from gluon_attn.config.base import field_types
from gluon_attn.config.ean import EanPipelineConfig
from gluon_attn.config.train import RunConfig
from gluon_attn.utils.files import write_json

SMALL = (
    "--dataset synthetic --train-images 4 --val-images 4 --classes 2 --input-size 8 -b 4 -j 0 --num-epochs 1 "
    "--kernels off"
)
#: placeholders of values that are no paths
OTHERS = {
    "N", "X", "NAME", "N,N", "NAME=VALUE", "NAME,NAME", "DIGITS", "PATTERN", "Q", "auto", "pack", "MODEL", "N,M",
    "POLICY",
    "NAME|N", "OPTION=VALUE,VALUE", "URL",
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "home"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_placeholder_is_known_as_a_path_or_not(name):
    """So that a new flag is thought of."""
    for action in COMMANDS[name].parser()._actions:
        shown = action.metavar or ""
        if action.nargs == 0 or action.help == argparse.SUPPRESS or shown.startswith("{") or action.choices:
            continue
        assert shown in PATHS or shown in OTHERS, (action.option_strings, shown)
        if shown in PATHS:
            assert action.type in (None, str) or action.type.__name__ == "png"


@pytest.mark.parametrize("kind", [RunConfig, EanPipelineConfig])
def test_an_option_is_a_path_where_its_flag_says_so(kind, home):
    found = set()
    for group in dataclasses.fields(kind):
        for field in dataclasses.fields(field_types(kind)[group.name]):
            assert field.metadata["path"] == (field.metadata["metavar"] in PATHS), field.name
            found |= {field.name} if field.metadata["path"] else set()
    assert {"data_dir", "run_dir", "logging_file", "pretrained", "plan", "arch_path"} <= found


def test_home_in_a_recipe_and_on_the_command_line(home):
    (home / "recipe.yaml").write_text("train: {run_dir: ~/run, logging_file: ~/log.txt}\n")
    (home / "plots").mkdir()
    assert train_cifar(f"{SMALL} --config ~/recipe.yaml --save-plot-dir=~/plots".split()) == 0
    assert {"run", "log.txt"} <= {path.name for path in home.iterdir()}
    assert len(list((home / "plots").iterdir())) == 1
    assert main(["report", "~/run", "--output", "~/report.html"]) == 0
    assert main(["export", "~/run", "--no-check", "--output=~/exported"]) == 0
    assert main(["eval", "~/run", "--output", "~/found.json"]) == 0
    assert main(["convert", "~/run", "~/out.safetensors", "--to", "timm"]) == 2  # of no network of timm's
    assert {"report.html", "exported", "found.json"} <= {path.name for path in home.iterdir()}
    assert list((home.parent / "here").iterdir()) == []


def test_home_in_python(home):
    options = {"dataset": "synthetic", "train_images": 4, "val_images": 4, "classes": 2, "input_size": 8}
    result = gluon_attn.train(**options, batch_size=4, num_workers=0, num_epochs=1, kernels="off", run_dir="~/run")
    assert result.folder == home / "run"
    assert gluon_attn.evaluate("~/run").images == 4
    (one,) = gluon_attn.export("~/run", output="~/exported")
    assert one.path.parent == home / "exported"
    gluon_attn.save_params(result.net, "~/net.params")
    gluon_attn.load_params(result.net, "~/net.params")
    write_json(home / "plan.json", gluon_attn.Plan().to_dict())
    assert gluon_attn.Plan.load("~/plan.json") == gluon_attn.Plan()
    assert list((home.parent / "here").iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        ("--logging-file missing/log.txt", "(--logging-file): there is no folder missing; make it, or name"),
        ("--logging-file .", "(--logging-file): it is a folder; name a file"),
        ("--save-dir file --save-period 1", "(--save-dir): it is a file; name a folder"),
        ("--save-plot-dir file", "(--save-plot-dir): it is a file; name a folder"),
        ("--run-dir file", "(--run-dir): it is a file; name a folder"),
        ("--run-dir file/x", "(--run-dir): file is no folder; choose another path"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        "train", "search att-darts --draw-every 0", "search att-darts --seeds 1,2", "search anas --random-search",
        "search ean-supernet --attention se --hold-out 1", "search ean --all --attention se",
    ],
)  # fmt: skip
def test_what_a_run_cannot_write_shows_before_anything_is_written(command, flags, error, home, refused):
    here = home.parent / "here"
    (here / "file").write_text("x")
    if "save" in flags and ("darts" in command or "anas" in command or "all" in command):
        pytest.skip("this search has no such flag")
    refused([*command.split(), *SMALL.split(), *flags.split()], error)
    assert [path.name for path in here.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "words",
    [
        "eval run --output folder", "eval run --confusion folder.png", "bench run --output folder",
        "bench run --picture folder.png", "report run --output folder", "draw Att_DARTS --out folder.png",
        "data pack photos --output pack", "convert in.params folder --source timm --model cifar_resnet20_v1",
    ],
)  # fmt: skip
def test_a_folder_is_not_replaced_by_a_file(words, home, refused):
    for name in ("folder", "folder.png", "pack.idx"):
        (home.parent / "here" / name).mkdir()
    refused(words.split(), "it is a folder; name a file")


def test_an_output_below_a_file(home, refused):
    (home.parent / "here/file").write_text("x")
    for words in ("export run --output file", "demo --output file/x"):
        refused(words.split(), "(--output): ")
