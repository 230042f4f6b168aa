"""Plugins: loaded once and late, whole or not at all, and never in the way of everything else."""

import importlib
import importlib.metadata
import os
import sys

import mxnet as mx
import pytest
from plugin_files import WHOLE, forget_plugins
from texts import blocks

import gluon_attn
from gluon_attn import plugins
from gluon_attn.attention.base import ATTENTIONS
from gluon_attn.data.base import DATASETS
from gluon_attn.models.base import MODELS
from gluon_attn.utils.errors import UserError

HALF = '@gluon_attn.register_attention("half")\nclass Half(gluon_attn.Attention): pass\n'


@pytest.fixture
def plugin(monkeypatch, tmp_path):
    """Writes a plugin and returns its path: `plugin(text, name="mine.py")`."""
    forget_plugins(monkeypatch)

    def write(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(f"import gluon_attn\n{text}", encoding="utf-8")
        return path

    return write


def entry(name, value):
    return importlib.metadata.EntryPoint(name, value, plugins.GROUP)


def test_a_file_registers_what_it_has(plugin, monkeypatch, tmp_path):
    plugin(WHOLE)
    monkeypatch.chdir(tmp_path)
    gluon_attn.load_plugin("mine.py")
    assert "half" in gluon_attn.list_attentions()
    assert "Half" not in gluon_attn.list_attentions()
    assert type(gluon_attn.get_attention("Half", 4)).__name__ == "Half"
    assert "stripes" in DATASETS
    assert "tiny" in gluon_attn.list_models()
    net = gluon_attn.get_model("tiny", 2, attention="half", width=8)
    assert net.recipe["options"] == {"width": 8}
    assert os.environ[plugins.VARIABLE] == str(tmp_path / "mine.py")


def test_a_file_may_register_as_the_packages_own_do(plugin):
    """CONTRIBUTING's example, with absolute imports."""
    text = blocks("CONTRIBUTING.md", "python")[0]
    text = text.replace("from ..", "from gluon_attn.").replace("from .base", "from gluon_attn.attention.base")
    gluon_attn.load_plugin(plugin(text))
    block = gluon_attn.get_attention("gather_excite", 4)
    block.initialize()
    x = mx.nd.random.normal(shape=(2, 4, 5, 3))
    assert abs(block(x) - x * mx.nd.mean(x, axis=(2, 3), keepdims=True).sigmoid()).max() < 1e-6
    net = gluon_attn.get_model("cifar_resnet20_v1", 10, attention="gather_excite")
    net.initialize()
    assert net(mx.nd.zeros((1, 3, 32, 32))).shape == (1, 10)


def test_it_is_loaded_once_however_it_is_named(plugin, monkeypatch, tmp_path):
    path = plugin(f"import pathlib\npathlib.Path({str(tmp_path / 'seen')!r}).open('a').write('x')\n{HALF}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plugins, "installed", lambda: [entry("mine", "mine")])
    for name in ("mine.py", str(path), path):
        gluon_attn.load_plugin(name)
    monkeypatch.syspath_prepend(tmp_path)
    assert "half" in gluon_attn.list_attentions()
    assert (tmp_path / "seen").read_text() == "x"
    assert os.environ[plugins.VARIABLE] == str(path)


def test_a_module_is_found_as_python_finds_it(plugin, monkeypatch, tmp_path):
    plugin(HALF, "half_module.py")
    monkeypatch.syspath_prepend(tmp_path)
    gluon_attn.load_plugin("half_module")
    assert "half" in ATTENTIONS
    assert os.environ[plugins.VARIABLE] == "half_module"
    del sys.modules["half_module"]


def test_a_file_finds_modules_beside_it(plugin):
    plugin("HALF = 0.5\n", "beside_it.py")
    gluon_attn.load_plugin(plugin(f"import beside_it\nassert beside_it.HALF == 0.5\n{HALF}"))
    del sys.modules["beside_it"]


def test_the_variable_is_read_when_a_name_is_looked_up(plugin, monkeypatch):
    paths = [plugin(HALF), plugin(HALF.replace("half", "third"), "other.py")]
    monkeypatch.setenv(plugins.VARIABLE, os.pathsep.join(map(str, paths)))
    assert {"half", "third"} <= set(gluon_attn.list_attentions())
    monkeypatch.setenv(plugins.VARIABLE, str(plugin("import nowhere_found\n", "wrong.py")))
    monkeypatch.setattr(plugins, "_complete", False)
    for _ in range(2):
        with pytest.raises(UserError, match=r"wrong\.py: ModuleNotFoundError: No module named 'nowhere_found'"):
            gluon_attn.get_attention("se", 4)


def test_a_plugin_may_look_names_up(plugin):
    gluon_attn.load_plugin(plugin(f"assert 'se' in gluon_attn.list_attentions()\n{HALF}"))
    assert "half" in ATTENTIONS


FAILURES = {
    "a missing library": (
        "import nowhere_found\n", "ModuleNotFoundError: No module named 'nowhere_found' (mine.py, line 2)",
    ),
    "no Python": ("def f(:\n", "SyntaxError: invalid syntax (mine.py, line 2)"),
    "its own mistake": ("def f():\n    return 1 / 0\nf()\n", "ZeroDivisionError: division by zero (mine.py, line 3)"),
    "an end": ("import sys\nsys.exit(3)\n", "SystemExit: 3 (mine.py, line 3)"),
    "an attention's name": (
        HALF.replace("half", "se"), "attention 'se' is registered twice: by gluon_attn.attention.se and by plugin ",
    ),
    "an alias": (HALF.replace('"half"', '"x", "SELayer"'), "attention 'SELayer' is registered twice: by"),
    "a data set's name": (
        "@gluon_attn.register_dataset('digits')\ndef f(cfg, seed): pass\n",
        "dataset 'digits' is registered twice: by gluon_attn.data.digits and by plugin ",
    ),
    "a model's name": (
        "@gluon_attn.register_model('resnet18_v1b', input_size=8, stages=1)\n"
        "def f(plan, classes, *, input_size=8): pass\n",
        "model 'resnet18_v1b' is registered twice: by gluon_attn.models",
    ),
    "the registry's own decorator": (
        "from gluon_attn.models.base import MODELS, Model\nMODELS.register('resnet18_v1b')(Model(print, 32, 1))\n",
        "model 'resnet18_v1b' is registered twice",
    ),
    "a model of one size": (
        "@gluon_attn.register_model('x', input_size=32, stages=1)\ndef f(plan, classes): pass\n",
        "model 'x' must have an option input_size: (plan, classes, *, input_size=32)",
    ),
    "no attention": (
        "@gluon_attn.register_attention('x')\ndef f(channels): pass\n",
        "attention 'x' must be a class derived from gluon_attn.Attention, got <function f",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), FAILURES.values(), ids=FAILURES)
def test_one_that_fails_is_one_line_and_leaves_nothing(plugin, text, said):
    path = plugin(text)
    before = [registry.names() for registry in (ATTENTIONS, DATASETS, MODELS)]
    with pytest.raises(UserError) as caught:
        gluon_attn.load_plugin(path)
    assert str(caught.value).startswith(f"plugin {path}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [registry.names() for registry in (ATTENTIONS, DATASETS, MODELS)] == before
    assert os.environ[plugins.VARIABLE] == ""


def test_what_it_registered_before_it_failed_is_taken_back(plugin):
    before = ATTENTIONS.aliases("se")
    text = f"{WHOLE}\n@gluon_attn.register_attention('eca')\nclass X(gluon_attn.Attention): pass\n"
    with pytest.raises(UserError, match="attention 'eca' is registered twice"):
        gluon_attn.load_plugin(plugin(text))
    assert not {"half", "Half"} & {*ATTENTIONS.names(), *ATTENTIONS.aliases("half")}
    assert "Half" not in ATTENTIONS
    assert "stripes" not in DATASETS
    assert "tiny" not in MODELS
    assert ATTENTIONS.aliases("se") == before
    gluon_attn.load_plugin(plugin(WHOLE, "right.py"))  # the names are free again
    assert "half" in ATTENTIONS


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.py", "plugin none.py: there is no such file"),
        ("./folder", "plugin ./folder: it is a folder; name its .py file"),
        ("./text.txt", "plugin ./text.txt: it is no Python file"),
        ("nowhere_found", "plugin nowhere_found: Python finds no module of this name; name a file as my_plugin.py"),
        ("nowhere.found", "plugin nowhere.found: Python finds no module of this name"),
        ("a:b/c.py", "plugin a:b/c.py: its path must not contain ':'"),
    ],
)
def test_one_that_is_not_there(plugin, monkeypatch, tmp_path, name, said):
    (tmp_path / "folder").mkdir()
    plugin("", "text.txt")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        gluon_attn.load_plugin(name)
    assert str(caught.value).startswith(said)


def test_an_installed_one_that_fails_is_named_and_left_out(plugin, monkeypatch, tmp_path, caplog):
    plugin(HALF + "import nowhere_found\n", "failing_module.py")
    plugin(HALF.replace("half", "third"), "working_module.py")
    entries = [entry("bad", "failing_module"), entry("gone", "no_module_at_all"), entry("good", "working_module")]
    monkeypatch.setattr(plugins, "installed", lambda: entries)
    monkeypatch.syspath_prepend(tmp_path)
    assert "third" in gluon_attn.list_attentions()
    assert "half" not in gluon_attn.list_attentions()
    assert [record.getMessage() for record in caplog.records] == [
        "plugin bad is left out: ModuleNotFoundError: No module named 'nowhere_found' (failing_module.py, line 4)",
        "plugin gone is left out: ModuleNotFoundError: No module named 'no_module_at_all'",
    ]
    del sys.modules["working_module"]


def test_one_that_registers_nothing_is_told(plugin, monkeypatch, tmp_path, caplog):
    gluon_attn.load_plugin(plugin("", "nothing.py"))
    assert "nothing.py registers nothing when it is imported" in caplog.text
    caplog.clear()
    plugin(HALF, "imported_first.py")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("imported_first")
    monkeypatch.setattr(plugins, "installed", lambda: [entry("first", "imported_first")])
    assert "half" in gluon_attn.list_attentions()
    assert caplog.text == ""
    del sys.modules["imported_first"]


def test_installed_ones_are_read_from_the_entry_points():
    assert plugins.label_of(entry("mine", "module")) == "plugin mine"
    (scripts,) = importlib.metadata.entry_points(group="console_scripts", name="pytest")
    assert plugins.label_of(scripts).startswith("plugin pytest of pytest ")


@pytest.mark.parametrize("first", ["models.cell_network", "data.base", "attention.se", "search.darts.methods"])
def test_the_package_loads_them_whatever_is_imported_first(first, tmp_path, run_command):
    (tmp_path / "whole.py").write_text(WHOLE)
    program = (
        f"import sys, gluon_attn; assert 'mxnet' not in sys.modules; import gluon_attn.{first}\n"
        "from gluon_attn.data.base import DATASETS\nassert not any('whole' in name for name in sys.modules)\n"
        "assert 'stripes' in DATASETS and 'half' in gluon_attn.list_attentions()\n"
        "assert 'tiny' in gluon_attn.list_models() and 'resnet18_v1b' in gluon_attn.list_models()\n"
    )
    done = run_command("-c", program, env={plugins.VARIABLE: str(tmp_path / "whole.py")})
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_without_code_is_no_module(tmp_path, monkeypatch):
    """Python imports any folder on its path as an empty package."""
    (tmp_path / "only_a_folder").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match="it is a folder without"):
        plugins.load_plugin("only_a_folder")
