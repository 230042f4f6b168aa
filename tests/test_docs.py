"""The texts are true: commands parse, Python blocks run, links lead somewhere, tables say what the code says."""

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest
from networks import digits_run

from gluon_attn import get_model, list_attentions
from gluon_attn.cli.flags import parse
from gluon_attn.cli.main import COMMANDS, dispatch
from gluon_attn.cli.network_flags import network_config
from gluon_attn.cli.searches import anas, att_darts
from gluon_attn.cli.train import SCRIPTS, script_parser
from gluon_attn.config.search import AnasConfig, AttDartsConfig
from gluon_attn.config.train import RunConfig
from gluon_attn.convert import sources
from gluon_attn.deploy.export import export_run
from gluon_attn.models.build import build
from gluon_attn.runs.options import resolve

ROOT = Path(__file__).resolve().parents[1]
_spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
generate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate)
TEXTS = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "params/README.md",
    *(f"docs/{p.name}" for p in sorted(ROOT.glob("docs/*.md"))),
]
RECIPES = sorted(f"configs/{path.name}" for path in ROOT.glob("configs/*.yaml"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(name, language):
    """The code blocks of one language in a text."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def commands(start):
    """(text, line) of every command line in the texts and recipes that begins with `start`."""
    shell = [(name, block) for name in TEXTS for block in blocks(name, "bash")]
    headers = [(name, (ROOT / name).read_text(encoding="utf-8")) for name in RECIPES]
    lines = [(name, line.lstrip("# ")) for name, text in shell + headers for line in text.splitlines()]
    return [(name, line) for name, line in lines if line.startswith(start)]


def config_of(line):
    """The `RunConfig` that a `python train_*.py` line asks for."""
    _, script, *words = shlex.split(line)
    given, recipe = parse(script_parser(script), words)
    return resolve(RunConfig, SCRIPTS[script][1], recipe, given)


def table(heading):
    """Rows of the README's table below a heading, as cells."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in row] for row in rows[2:]]


def test_something_is_looked_at():
    assert len(commands("gluon-attn")) > 8
    assert len(commands("python train_cifar.py")) > 6
    assert len(blocks("README.md", "python")) >= 3


@pytest.mark.parametrize(("name", "line"), commands("python train_"))
def test_training_commands_parse(name, line, monkeypatch):
    monkeypatch.chdir(ROOT)  # recipes are named from there
    config_of(line)


@pytest.mark.parametrize(
    ("name", "line"), [pair for kind in ("att-darts", "anas") for pair in commands(f"python search.py {kind}")]
)
def test_search_commands_parse(name, line):
    _, _, kind, *words = shlex.split(line)
    module, config_class = {"att-darts": (att_darts, AttDartsConfig), "anas": (anas, AnasConfig)}[kind]
    given, recipe = parse(module.make_parser(), words)
    resolve(config_class, module.DEFAULTS, recipe, given)


@pytest.mark.parametrize(("name", "line"), commands("gluon-attn"))
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


def test_every_command_is_in_the_readme():
    for command in COMMANDS:
        assert f"| `gluon-attn {command}" in README


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_resolve_and_say_what_they_are(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    header = (ROOT / name).read_text(encoding="utf-8")
    (command,) = re.findall(rf"^#   (python train_\w+\.py --config {name}.*)$", header, re.MULTILINE)
    config = config_of(command)
    assert "# Time: " in header
    assert "# Score: " in header
    assert build(config.model, config.data.classes or 10)  # the options of the network fit each other


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


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), f"{name}: {target}"
        headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings], target


def test_files_that_the_texts_name_exist():
    for name in TEXTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        named = re.findall(r"`((?:gluon_attn|tests|benchmarks|configs|docs)/[\w./-]+)`", text)
        missing = [path for path in named if not (ROOT / path).exists()]
        assert missing == (["gluon_attn/attention/gather_excite.py"] if name == "CONTRIBUTING.md" else []), name


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with the exported files that docs/deployment.md speaks of."""
    folder = tmp_path_factory.mktemp("docs")
    digits_run(folder / "eca")
    export_run(folder / "eca", ("symbol", "onnx"), folder)
    return folder


@pytest.mark.parametrize("name", [name for name in TEXTS if blocks(name, "python")])
def test_python_blocks_run(name, workplace, run_command):
    """One process a text, a namespace a block. CONTRIBUTING's example runs where its file would be."""
    inside = {"__package__": "gluon_attn.attention"} if name == "CONTRIBUTING.md" else {}
    program = f"for block in {blocks(name, 'python')!r}:\n    exec(block, {{'__name__': 'docs', **{inside!r}}})\n"
    if inside:
        program = f"import gluon_attn.attention.factory\n{program}{EXAMPLE}"
    done = run_command("-c", program, cwd=workplace)
    assert done.returncode == 0, done.stderr


#: what CONTRIBUTING promises of its example: it is there under its name, and gates as its docstring says
EXAMPLE = """
import mxnet as mx
block = gluon_attn.get_attention("gather_excite", 4)
block.initialize()
x = mx.nd.random.normal(shape=(2, 4, 5, 3))
wanted = x * mx.nd.mean(x, axis=(2, 3), keepdims=True).sigmoid()
assert abs(block(x) - wanted).max() < 1e-6
net = gluon_attn.get_model("cifar_resnet20_v1", 10, attention="gather_excite")
net.initialize()
assert net(mx.nd.zeros((1, 3, 32, 32))).shape == (1, 10)
"""


def test_the_contributing_example_is_the_one_of_the_registry():
    assert "gather_excite" in blocks("CONTRIBUTING.md", "python")[0]
    assert "gather_excite" not in list_attentions()


def test_the_plan_in_json_is_the_one_in_python():
    (text,) = blocks("docs/models-and-attentions.md", "json")
    net = get_model("cifar_resnet20_v1", 10, plan=json.loads(text))
    assert [entry["name"] for entry in net.recipe["plan"]["entries"]] == ["eca", "cbam"]


def test_tables_say_what_the_code_says():
    done = generate.files()
    stale = [path.name for path, text in done.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run python docs/generate.py"
