"""The command lines in texts and recipes parse, and every command is listed."""

import re
import shlex
from types import SimpleNamespace

import pytest
from texts import RECIPES, ROOT, blocks, commands

from gluon_attn.cli.main import COMMANDS, dispatch
from gluon_attn.cli.network_flags import network_config
from gluon_attn.cli.search import SEARCHES, search_options
from gluon_attn.cli.train import script_options
from gluon_attn.convert import sources
from gluon_attn.models.build import build

#: commands that parse by themselves -> the function that is called with what they parsed
STUDIES = {"compare": "gluon_attn.runs.compare.compare_study", "sweep": "gluon_attn.runs.sweep.sweep_study"}
#: a recipe that a command of the text before has written
WRITTEN = re.compile(r"--config studies/\S+")


class Parsed(Exception):
    """A command line was understood; nothing is run."""


def config_of(line):
    """The `RunConfig` that a `python train_*.py` line asks for."""
    _, script, *words = shlex.split(WRITTEN.sub("", line))
    return script_options(script, words).config()


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch):
    """The plugins that command lines name stay unloaded: other tests would see what they register."""
    monkeypatch.setattr("gluon_attn.plugins.load_plugin", lambda name: None)


def test_something_is_looked_at():
    assert len(commands("gluon-attn")) > 8
    assert all(len(commands(f"gluon-attn {command} ")) > 1 for command in STUDIES)
    assert len(commands("python train_cifar.py")) > 6
    assert len(blocks("README.md", "python")) >= 1
    assert len(blocks("docs/python-api.md", "python")) >= 3


@pytest.mark.parametrize(("name", "line"), commands("python train_"))
def test_training_commands_parse(name, line, monkeypatch):
    monkeypatch.chdir(ROOT)  # recipes are named from there
    config_of(line)


@pytest.mark.parametrize(
    ("name", "line"), [pair for kind in SEARCHES for pair in commands(f"python search.py {kind} ")]
)
def test_search_commands_parse(name, line):
    _, _, kind, *words = shlex.split(line)
    search_options(kind, words).config()


@pytest.mark.parametrize(("name", "line"), [pair for command in STUDIES for pair in commands(f"gluon-attn {command} ")])
def test_studies_parse(name, line, monkeypatch, tmp_path):
    """Up to the plan of their runs; a sweep file that a page shows has its name in its first line."""
    for block in blocks(name, "yaml"):
        (tmp_path / re.match(r"# (\w+\.yaml)\n", block)[1]).write_text(block, encoding="utf-8")
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)

    def parsed(plan, *arguments):
        assert len(plan) > 1
        raise Parsed

    _, command, *words = shlex.split(line)
    monkeypatch.setattr(STUDIES[command], parsed)
    if "--plugin" in words:  # which stays unloaded, so that its attention is unknown
        monkeypatch.setattr("gluon_attn.runs.compare.ATTENTIONS", SimpleNamespace(resolve=str))
    with pytest.raises(Parsed):
        dispatch([command, *words])


@pytest.mark.parametrize(
    ("name", "line"), [pair for pair in commands("gluon-attn") if pair[1].split()[1] not in STUDIES]
)
def test_commands_parse(name, line, monkeypatch):
    seen = []
    command = shlex.split(line)[1]
    monkeypatch.setattr(f"gluon_attn.cli.{command}.run", seen.append)
    dispatch(shlex.split(line)[1:])
    assert len(seen) == 1


def test_conversions_that_the_table_names_are_of_networks_that_there_are(monkeypatch):
    lines = re.findall(r"`(gluon-attn convert [^`]+ --source [^`]+)`", (ROOT / "params/README.md").read_text("utf-8"))
    seen = []
    monkeypatch.setattr("gluon_attn.cli.convert.run", seen.append)
    for line in lines:
        dispatch(shlex.split(line)[1:])
        assert seen[-1].source in sources()
        assert build(network_config(seen[-1], seen[-1].model), 10)
    assert {args.source for args in seen} == set(sources()) - {"echo"}  # which has modules alone


def test_every_command_is_in_the_list():
    listed = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"| `gluon-attn {command}" in listed
    for kind in SEARCHES:
        assert f"| `python search.py {kind}`" in listed


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_resolve_and_say_what_they_are(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    header = (ROOT / name).read_text(encoding="utf-8")
    (command,) = re.findall(rf"^#   (python train_\w+\.py --config {name}.*)$", header, re.MULTILINE)
    config = config_of(command)
    assert "# Time: " in header
    assert "# Score: " in header
    assert build(config.model, getattr(config.data, "classes", None) or 10)  # the options of the network fit each other


@pytest.mark.parametrize(
    ("start", "recipe"),
    [
        ("python train_cifar.py --gpus 0 --num-epochs 400", "atac_cifar100"),
        ("python train_imagenet.py --mode hybrid --lr 0.075", "atac_resnet50"),
    ],
)
def test_the_atac_recipes_are_the_published_commands(start, recipe, monkeypatch):
    monkeypatch.chdir(ROOT)
    published = {line for name, line in commands(start)}
    (script,) = {line.split()[1] for line in published}
    wanted = config_of(f"python {script} --config configs/{recipe}.yaml")
    assert published
    for config in map(config_of, published):
        assert config.replace(train=config.train.replace(save_dir=None, logging_file=None)) == wanted
