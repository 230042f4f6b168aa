"""The `gluon-attn` command as such."""

import pytest

from gluon_attn.cli import main
from gluon_attn.cli.main import COMMANDS
from gluon_attn.version import __version__


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_help_lists_every_command(capsys, argv):
    assert main(argv) == 0
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed for name in COMMANDS)


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"gluon-attn {__version__}\n"


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["docter"], "error: unknown command 'docter', did you mean doctor?; see gluon-attn --help\n"),
        (["zzz", "--json"], "error: unknown command 'zzz'; see gluon-attn --help\n"),
        (["--versoin"], "error: unknown option --versoin, did you mean --version?; see gluon-attn --help\n"),
        (["doctor", "--jsn"], "error: unknown option --jsn, did you mean --json?; see gluon-attn doctor --help\n"),
    ],
)
def test_a_mistake_is_one_line_and_code_2(capsys, argv, line):
    assert main(argv) == 2
    assert capsys.readouterr() == ("", line)


def test_help_does_not_load_mxnet(run_command):
    code = "import sys; from gluon_attn.cli import main; main(['--help']); sys.exit('mxnet' in sys.modules)"
    assert run_command("-c", code).returncode == 0


def test_python_m_runs_the_same_command(run_command):
    result = run_command("-m", "gluon_attn", "--version")
    assert (result.returncode, result.stdout) == (0, f"gluon-attn {__version__}\n")
