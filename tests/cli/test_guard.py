"""Exceptions to exit codes."""

import signal
from pathlib import Path

import pytest
from lost_signals import get_while_freeing

from gluon_attn.cli.guard import guarded, resuming
from gluon_attn.utils.errors import Interrupted, TrainingError, UserError


def failing(error):
    def function(argv):
        raise error

    return function


@pytest.mark.parametrize(("value", "code"), [(None, 0), (0, 0), (3, 3)])
def test_what_the_function_returns(value, code):
    assert guarded(lambda argv: value, ["a"]) == code


def test_arguments_are_handed_on(monkeypatch):
    seen = []
    guarded(seen.append, ("a", "b"))
    monkeypatch.setattr("sys.argv", ["tool", "c"])
    guarded(seen.append)
    assert seen == [["a", "b"], ["c"]]


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("no such\n  model"), 2, "error: no such model\n"),
        (TrainingError("the loss is NaN"), 1, "error: the loss is NaN\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (SystemExit(2), 2, ""),
        (SystemExit(), 0, ""),
        (SystemExit("words"), 1, "error: words\n"),
    ],
)
def test_one_line_and_a_code(capsys, error, code, line):
    assert guarded(failing(error), []) == code
    assert capsys.readouterr().err == line


def test_ctrl_c_while_an_object_is_freed_is_not_lost(capsys):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert guarded(lambda argv: get_while_freeing(signal.SIGINT), []) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "error: interrupted\n"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--lr", "0.1"], "--lr 0.1 "),
        (["--run-dir", "old", "--resume=auto", "--lr", "0.1"], "--lr 0.1 "),
        (["ean", "--run_dir=old", "--resume", "old", "a b"], "ean 'a b' "),
        ([], ""),
    ],
)
def test_an_interrupted_run_says_how_to_go_on(capsys, words, kept):
    assert guarded(failing(Interrupted(Path("runs/x y"))), words, "python train_cifar.py") == 130
    line = f"error: interrupted; to resume: python train_cifar.py {kept}--run-dir 'runs/x y' --resume auto\n"
    assert capsys.readouterr().err == line


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        guarded(lambda argv: 1 / 0, [])


def test_a_reader_that_leaves_early_is_no_traceback(run_command, tmp_path):
    script = tmp_path / "talk.py"
    script.write_text(
        "import os, sys\nfrom gluon_attn.cli.guard import guarded, resuming\n"
        "reader, writer = os.pipe()\nos.dup2(writer, 1)\nos.close(writer)\nos.close(reader)\n"
        "sys.exit(guarded(lambda argv: print('x' * 100000), []))\n"
    )
    result = run_command(script)
    assert (result.returncode, result.stderr) == (141, "")


def test_what_may_crash_later_ends_at_once(run_command):
    """Nothing that Python does at its end runs."""
    code = (
        "import atexit\n"
        "from gluon_attn.cli.guard import guarded, resuming\n"
        "from gluon_attn.utils.errors import PeerError\n"
        "atexit.register(print, 'late')\n"
        "def fail(argv): raise PeerError('gone')\n"
        "print('early')\n"
        "guarded(fail, [])\n"
    )
    done = run_command("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (1, "early\n", "error: gone\n")


def test_the_command_to_resume_with_has_the_path_of_the_script(monkeypatch):
    program = "python train_cifar.py"
    assert resuming(program, [], Path("r")) == "python train_cifar.py --run-dir r --resume auto"
    monkeypatch.setattr("sys.argv", ["/some where/train_cifar.py"])
    assert resuming(program, [], Path("r")) == "python '/some where/train_cifar.py' --run-dir r --resume auto"
    assert resuming("gluon-attn train", [], Path("r")) == "gluon-attn train --run-dir r --resume auto"
