"""The tutorial: its commands and snippets, in their order, in one folder; what it shows is what they print.

The slow test runs them as they stand, each in a process of its own. The short one runs the same text with tiny
settings, all in one process, to spare imports; only `SHORTER` differs.
"""

import json
import re
import shlex
import shutil

import pytest
from texts import ROOT

pytest.importorskip("optuna", reason="needs Optuna")
pytest.importorskip("onnxruntime", reason="needs the extra onnx")

TEXT = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
#: (language, content) of its blocks; "text" is what the block before prints, one without a language is not run
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
#: what the short form replaces: data, and how long and often is trained
SHORTER = [
    (r"--dataset \w+(?=.*--output inspect)", "--dataset synthetic --images 20"),
    (r"--dataset (?:digits|mnist5k)", "--dataset synthetic --train-images 40 --val-images 40"),
    (r'dataset="mnist5k"(?=, attentions)', 'dataset="synthetic", train_images=40, val_images=40'),
    (r'dataset="mnist5k"', 'dataset="synthetic"'),
    (r"--num-epochs \d+", "--num-epochs 1"),
    (r"num_epochs=\d+", "num_epochs=1"),
    (r"--seeds \d+", "--seeds 2"),
    (r"seeds=\d+", "seeds=2"),
    (r"--trials \d+", "--trials 2"),
    (r" --workers \d+", ""),
    (r"--hold-out \d+", "--hold-out 1"),
    (r"--steps \d+", "--steps 2"),
    (r"--images 100", "--images 5"),
]
#: runs the blocks that stand in the file that it is given; before each it prints a line with the block's number
PROGRAM = """
import json, shlex, sys
from gluon_attn.cli import main
sys.stderr = sys.stdout  # as a terminal shows them
for number, (language, text) in enumerate(json.load(open(sys.argv[1]))):
    print(f"== {number}", flush=True)
    if language == "python":
        exec(compile(text, f"block {number}", "exec"), {"__name__": "tutorial"})
    for line in text.splitlines() * (language == "bash"):
        code = main(shlex.split(line)[1:])
        assert code == 0, (code, line)
"""


def prepared(folder, blocks):
    """The blocks that are run; files of the clone and those that the text shows are put into `folder`."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    for language, text in blocks:
        if language == "yaml":
            (folder / re.match(r"# (\w+\.yaml)\n", text)[1]).write_text(text, encoding="utf-8")
    return [(language, text) for language, text in blocks if language in ("bash", "python")]


def shown():
    """Number of a block that is run -> the lines that the text shows of its output."""
    found, number = {}, -1
    for language, text in BLOCKS:
        number += language in ("bash", "python")
        if language == "text":
            found[number] = text.splitlines()
    return found


def masked(line):
    """A line in which all numbers in a row are one 0."""
    return re.sub(r"0(?: 0)+", "0", " ".join(re.sub(r"[-+]?\d[\d.,]*(?:e[-+]\d+)?", "0", line).split()))


def check_output(number, lines, output):
    """The first line that is shown, a table's header mostly, is one of `output`, numbers apart."""
    assert masked(lines[0]) in set(map(masked, output.splitlines())), (number, lines[0], output)


def check_files(folder):
    """What the text names in code is there."""
    named = set(re.findall(r"`((?:runs|studies|inspect|exported)/[\w./-]+)`", TEXT)) | {"report.html"}
    assert len(named) > 8
    assert [name for name in sorted(named) if not (folder / name).exists()] == []


def test_the_tutorial_runs_with_tiny_settings(tmp_path, run_command):
    blocks = prepared(tmp_path, BLOCKS)
    for pattern, replacement in SHORTER:
        blocks = [(language, re.sub(pattern, replacement, text)) for language, text in blocks]
    (tmp_path / "blocks.json").write_text(json.dumps(blocks))
    done = run_command("-c", PROGRAM, "blocks.json", timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    outputs = re.split(r"^== \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    for number, lines in shown().items():
        check_output(number, lines, outputs[number])
    check_files(tmp_path)


@pytest.mark.slow
def test_the_tutorial_runs_as_it_stands(tmp_path, run_command):
    pytest.importorskip("mlxtend", reason="needs the extra data")
    expected = shown()
    for number, (language, text) in enumerate(prepared(tmp_path, BLOCKS)):
        programs = [["-c", text]] if language == "python" else []
        programs += [["-m", "gluon_attn", *shlex.split(line)[1:]] for line in text.splitlines() * (language == "bash")]
        output = ""
        for program in programs:
            done = run_command(*program, timeout=1800)
            assert done.returncode == 0, (program, done.stderr[-3000:])
            output += done.stdout + done.stderr
        if number in expected:
            check_output(number, expected[number], output)
    check_files(tmp_path)


def test_the_plugin_is_the_one_of_the_examples():
    (part,) = re.findall(r"^```py\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert part.strip() in (ROOT / "examples/plugin/power_attention.py").read_text("utf-8")


def test_every_command_is_one_of_this_package():
    lines = [line for language, text in BLOCKS if language == "bash" for line in text.splitlines()]
    assert len(lines) > 12
    assert all(line.startswith("gluon-attn ") for line in lines)
