"""The Python and JSON blocks of the texts run."""

import json

import pytest
from networks import digits_run
from texts import ROOT, TEXTS, blocks

from gluon_attn import get_model
from gluon_attn.deploy.export import export_run


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with the exported files that docs/deployment.md speaks of."""
    folder = tmp_path_factory.mktemp("docs")
    digits_run(folder / "eca")
    export_run(folder / "eca", ("symbol", "onnx"), folder)
    return folder


#: a story, whose blocks need the commands between them; steps that tests/test_contributing.py follows
OTHERS = ("docs/tutorial.md", "CONTRIBUTING.md")


@pytest.mark.parametrize("name", [name for name in TEXTS if blocks(name, "python") and name not in OTHERS])
def test_python_blocks_run(name, workplace, run_command):
    """One process a text, a namespace a block."""
    program = f"for block in {blocks(name, 'python')!r}:\n    exec(block, {{'__name__': 'docs'}})\n"
    done = run_command("-c", program, cwd=workplace)
    assert done.returncode == 0, done.stderr


def test_the_page_shows_the_plugin_of_the_examples():
    assert blocks("docs/plugins.md", "python")[0] == (ROOT / "examples/plugin/power_attention.py").read_text("utf-8")


def test_the_plan_in_json_is_the_one_in_python():
    (text,) = blocks("docs/models-and-attentions.md", "json")
    net = get_model("cifar_resnet20_v1", 10, plan=json.loads(text))
    assert [entry["name"] for entry in net.recipe["plan"]["entries"]] == ["eca", "cbam"]
