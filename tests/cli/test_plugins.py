"""--plugin in every command, in worker processes, and the example in an environment of its own."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from plugin_files import WHOLE, forget_plugins

from gluon_attn import plugins
from gluon_attn.cli import main, search, train_cifar, train_imagenet
from gluon_attn.cli.main import COMMANDS
from gluon_attn.cli.search import SEARCHES, search_parser
from gluon_attn.cli.train import SCRIPTS, script_parser
from gluon_attn.runs.folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "plugin"
STRIPES = "--dataset stripes --batch-size 8 --num-epochs 1 --num-workers 0 --gpus="

SMALL = (
    "--dataset synthetic --train-images 16 --val-images 8 --classes 2 --input-size 16 --batch-size 8 --num-workers 0"
)


@pytest.fixture
def place(monkeypatch, tmp_path):
    """A folder with whole.py, a plugin that no process has loaded yet."""
    forget_plugins(monkeypatch)
    (tmp_path / "whole.py").write_text(WHOLE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def trained(place, call):
    """The run folder of a plugin's network with its attention on its data set."""
    done = call(train_cifar, f"--plugin whole.py --model tiny --attention half {STRIPES} --run-dir run", place)
    assert done.returncode == 0, done.stderr
    return place / "run"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_takes_plugins(command, capsys):
    assert (
        main(
            [
                *([command, "pack"] if command == "data" else [command]),
                *(["ean"] if command == "search" else []),
                "--help",
            ]
        )
        == 0
    )
    assert "--plugin" in capsys.readouterr().out


def test_every_script_takes_plugins():
    for parser in (*map(script_parser, SCRIPTS), *map(search_parser, SEARCHES)):
        assert "--plugin" in parser.format_help()


@pytest.mark.parametrize("command", [train_cifar, train_imagenet, lambda words: search(["anas", *words]), main])
def test_one_that_fails_is_one_line(command, place, call):
    (place / "bad.py").write_text("import nowhere_found\n")
    words = "attentions --plugin=bad.py" if command is main else "--plugin bad.py"
    done = call(command, words, place)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: plugin bad.py: ModuleNotFoundError: No module named 'nowhere_found' (bad.py, line 1)\n"
    )


def test_lists_and_costs(place, call):
    rows = json.loads(call(main, "attentions --plugin whole.py --json", place).stdout)
    (row,) = [row for row in rows if row["name"] == "half"]
    assert row == {"name": "half", "slot": "post", "options": {}, "weights": 0, "summary": "Half of the input."}
    assert "\n  tiny\n" in call(main, "models", place).stdout
    assert call(main, "cost tiny --attention half", place).returncode == 0


def test_an_attention_that_cannot_be_made_hides_no_other(place, call):
    text = WHOLE.replace("0.5 * x", "x.no_such_thing").replace('"half", "Half"', '"wrong"')
    (place / "wrong.py").write_text(text)
    done = call(main, "attentions --plugin wrong.py --json", place)
    rows = {row["name"]: row["weights"] for row in json.loads(done.stdout)}
    assert rows["wrong"] is None
    assert rows["se"] == 580
    assert "attention wrong: AttributeError" in done.stderr
    assert "gluon-attn check wrong tells more" in done.stderr
    failed = call(main, "check wrong --channels 16", place)
    assert failed.returncode == 1
    assert "wrong: 0 passed, 1 failed, 12 not checked" in failed.stdout


def test_a_run_without_its_plugin_is_one_line(trained, call, monkeypatch):
    place = trained.parent
    assert call(main, f"eval {trained}", place).returncode == 0
    forget = ("half", "Half")
    forget_plugins(monkeypatch)
    from gluon_attn.attention.base import ATTENTIONS
    from gluon_attn.models.base import MODELS

    for name in forget:
        ATTENTIONS._aliases.pop(name, None)
    del ATTENTIONS._makers["half"]
    done = call(main, f"eval {trained}", place)
    assert done.returncode == 2
    assert done.stderr == (
        f"error: card {trained / 'card.json'}: unknown attention 'half'; if a plugin has it, name that with --plugin\n"
    )
    del MODELS._makers["tiny"]
    assert (
        "unknown model 'tiny'; if a plugin has it, name that with --plugin"
        in call(main, f"eval {trained}", place).stderr
    )
    words = f"--run-dir run --resume auto --model tiny --attention half {STRIPES}"
    assert "or name the plugin that has it with --plugin" in call(train_cifar, words, place).stderr


def test_workers_of_a_study_load_it(place, call):
    """From a file in the folder of the call; the worker starts in a process of its own."""
    pytest.importorskip("optuna", reason="optuna is not installed")
    words = f"compare --plugin whole.py --model tiny --attentions identity,half {STRIPES} --seeds 1 --output study"
    done = call(main, words, place)
    assert done.returncode == 0, done.stderr
    assert "half" in done.stdout
    assert all(RunFolder(place / "study" / "runs" / name).read_history() for name in ("000", "001"))


def test_data_sets_of_a_plugin_that_are_none(place, call):
    for change, said in (
        (
            ('Dataset("stripes"', 'Dataset("other"'),
            "must give a gluon_attn.Dataset of its own name, got one named 'other'",
        ),
        (("return gluon_attn.Dataset", "return str"), "must give a gluon_attn.Dataset of its own name, got"),
    ):
        text = WHOLE.replace(*change).replace('"stripes")\ndef', f'"stripes{len(said)}")\ndef')
        text = text.replace(
            'str("stripes", part, part, ("across", "along"), (0.5,) * 3, (0.5,) * 3, flip=True)', "str()"
        )
        name = f"plugin{len(said)}.py"
        (place / name).write_text(
            text.replace('"half", "Half"', f'"half{len(said)}"').replace('"tiny"', f'"tiny{len(said)}"')
        )
        words = STRIPES.replace("stripes", f"stripes{len(said)}")
        done = call(train_cifar, f"--plugin {name} --model cifar_resnet20_v1 {words} --run-dir {name[:-3]}", place)
        assert done.returncode == 2
        assert said in done.stderr


def test_throughput_with_a_data_set_of_a_plugin(place, call):
    done = call(train_cifar, f"--plugin whole.py --model tiny {STRIPES} --benchmark --benchmark-batches 1", place)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Python of a fresh environment with the example and a broken plugin installed: `environment(*words, cwd)`."""
    for module in ("pip", "setuptools", "wheel"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    parents = [str(ROOT), *(path for path in sys.path if path.endswith("-packages"))]
    (site / "parents.pth").write_text("\n".join(parents))  # what this environment has, and gluon_attn
    variables = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", plugins.VARIABLE)}

    def run(*words, cwd=folder):
        return subprocess.run(
            [str(python), *map(str, words)], cwd=cwd, env={**variables, "MPLBACKEND": "Agg"}, capture_output=True,
            text=True, check=False, timeout=300,
        )  # fmt: skip

    shutil.copytree(EXAMPLE, folder / "plugin")  # building writes into it
    shutil.copytree(EXAMPLE, folder / "broken")
    project = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "broken" / "pyproject.toml").write_text(project.replace("power", "broken"))
    (folder / "broken" / "power_attention.py").rename(folder / "broken" / "broken_attention.py")
    (folder / "broken" / "broken_attention.py").write_text("import nowhere_found\n")
    for name in ("plugin", "broken"):
        done = run("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", folder / name)
        assert done.returncode == 0, done.stderr
    return run


#: what a user does with an installed attention, in one process, which spares the start of MXNet for each
STORY = f"""
from gluon_attn.cli import main
data = "{SMALL}"
train = f"--model cifar_resnet20_v1 --num-epochs 1 --gpus= {{data}}"
for words in (
    "attentions", "cost cifar_resnet20_v1 --attention power", f"train {{train}} --attention power --run-dir run",
    "eval run", "export run --format symbol onnx --output exported", "eval exported/run.onnx --dataset synthetic",
    "check power --channels 16",
):
    code = main(words.split())
    assert code == 0, words
"""


def test_the_installed_example(environment, tmp_path):
    done = environment("-c", STORY, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n  power " in done.stdout
    assert "Gates each channel by its power" in done.stdout
    assert "power: 11 passed, 0 failed, 2 not checked" in done.stdout
    assert (tmp_path / "exported" / "run-symbol.json").is_file()
    assert done.stderr.count("left out") == 1
    assert (
        "plugin broken of broken-attention 0.1 is left out: ModuleNotFoundError: No module named 'nowhere_found' "
        "(broken_attention.py, line 1)\n" in done.stderr
    )


@pytest.mark.slow
def test_the_installed_example_is_compared(environment, tmp_path):
    pytest.importorskip("optuna", reason="optuna is not installed")
    words = (
        "compare --model cifar_resnet20_v1 --attentions identity,power --seeds 1 --num-epochs 1 --gpus= --output study"
    )
    done = environment("-m", "gluon_attn", *words.split(), *SMALL.split(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "power" in done.stdout


def test_doctor_lists_installed_plugins(environment):
    done = environment("-c", "from gluon_attn.cli import doctor; print(doctor.installed_plugins())")
    assert done.stdout == (
        "[('broken', 'broken-attention 0.1', 'module broken_attention'), "
        "('power', 'power-attention 0.1', 'module power_attention')]\n"
    )


def test_the_example_as_a_file(place, call):
    done = call(main, f"cost cifar_resnet20_v1 --attention power --plugin {EXAMPLE / 'power_attention.py'}", place)
    assert done.returncode == 0, done.stderr
    assert len((EXAMPLE / "power_attention.py").read_text(encoding="utf-8").splitlines()) <= 30
