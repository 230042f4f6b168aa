"""The Python and JSON blocks of the texts run."""

import json

import pytest
from networks import digits_run
from texts import ROOT, TEXTS, blocks

from gluon_attn import get_model, list_attentions
from gluon_attn.deploy.export import export_run


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with the exported files that docs/deployment.md speaks of."""
    folder = tmp_path_factory.mktemp("docs")
    digits_run(folder / "eca")
    export_run(folder / "eca", ("symbol", "onnx"), folder)
    return folder


#: a story, whose blocks need the commands between them
TUTORIAL = "docs/tutorial.md"


@pytest.mark.parametrize("name", [name for name in TEXTS if blocks(name, "python") and name != TUTORIAL])
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


def test_the_page_shows_the_plugin_of_the_examples():
    assert blocks("docs/plugins.md", "python")[0] == (ROOT / "examples/plugin/power_attention.py").read_text("utf-8")


def test_the_plan_in_json_is_the_one_in_python():
    (text,) = blocks("docs/models-and-attentions.md", "json")
    net = get_model("cifar_resnet20_v1", 10, plan=json.loads(text))
    assert [entry["name"] for entry in net.recipe["plan"]["entries"]] == ["eca", "cbam"]
