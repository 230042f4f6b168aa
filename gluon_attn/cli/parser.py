"""The argument parser of every command: an error is one line, a mistyped flag names the nearest known one."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from .. import plugins
from ..utils.paths import expanded
from ..utils.suggest import did_you_mean
from ..version import __version__
from .help import Start, help_text
from .spelling import OF_TIMM

#: placeholders (`metavar`) of values that are paths, or may be: a leading ~ in these values is the home folder
PATHS = {
    "BITS|FILE", "DATA_DIR", "DIR", "DIR|NAME", "FILE", "FILE.png", "FILE|MODULE", "FOLDER", "IMAGE", "IN", "NAME|FILE",
    "OUT", "PREFIX", "RUN", "RUN|MODEL", "TARGET", "auto|CHECKPOINT",
}  # fmt: skip


class Parser(argparse.ArgumentParser):
    """`ArgumentParser` without abbreviations, whose errors are one line on stderr and exit code 2.

    Every command takes --plugin, which loads what it names as soon as it is parsed, and --help-all beside --help.

    Args:
        args: as of `ArgumentParser`.
        start: what its help begins with.
        kwargs: as of `ArgumentParser`.
    """

    def __init__(self, *args: Any, start: Start | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)
        self.start = start or Start()
        if self.add_help:
            self.add_argument(
                "--help-all", action=_HelpAll, nargs=0, dest=argparse.SUPPRESS,
                help="describe every option, also with the spellings of other repositories",
            )  # fmt: skip
        self.add_argument(
            "--plugin", action=_Load, dest=argparse.SUPPRESS, metavar="FILE|MODULE",
            help="Python file or module with attentions, data sets or models of your own; may be repeated",
        )  # fmt: skip

    def format_help(self) -> str:
        """What --help prints."""
        return help_text(self, self.start, everything=False)

    def error(self, message: str) -> NoReturn:
        """Exit with code 2 and `message` as one line on stderr."""
        self.exit(2, f"error: {' '.join(message.split())}; see {self.prog} --help\n")

    def parse_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> Any:
        """Parse a command line, as argparse does, and expand ~ in paths.

        A word that is left over is an error that names the nearest flag.

        Args:
            args: the words after the program's name (default: those of this process).
            namespace: takes the values (default: a new one).
        """
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(self._complaint(unknown[0].partition("=")[0]))
        for action in (action for action in self._actions if hasattr(parsed, action.dest)):
            value = getattr(parsed, action.dest)
            given = value if isinstance(value, list) and isinstance(action.default, list) else [value]
            if action.nargs is None and [] in given:  # argparse's result of --flag=--
                self.error(f"argument {'/'.join(action.option_strings)}: expected one argument")
            if action.metavar in PATHS:
                setattr(parsed, action.dest, list(map(expanded, value)) if isinstance(value, list) else expanded(value))
        return parsed

    def _complaint(self, argument):
        if not argument.startswith("-"):
            return f"unexpected argument {argument!r}"
        return f"unknown option {argument}{suggestion(argument, self._option_string_actions)}"


class _HelpAll(argparse.Action):
    """Prints the help with every flag and ends the process."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        parser._print_message(help_text(parser, parser.start, everything=True), sys.stdout)
        parser.exit()


class _Load(argparse.Action):
    """Loads a plugin and leaves nothing in the namespace."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        plugins.load_plugin(values)


def suggestion(name: str, known: Iterable[str]) -> str:
    """ ", did you mean ...?" for the name in `known` that is nearest to `name`, "" where none is near."""
    known = list(known)
    meant = OF_TIMM.get(name)
    near = f"did you mean {meant}?" if meant in known else did_you_mean(name, known, most=1, cutoff=0.6)
    return f", {near}" if near else ""


def choose(argv: Sequence[str], commands: Mapping[str, str], prog: str, description: str) -> str | None:
    """The subcommand that a command line names first.

    Args:
        argv: the words after the program's name.
        commands: name -> what it does, for the help.
        prog: the program's name.
        description: what the program does.

    Returns:
        One of `commands`, or None after --help or --version. An unknown word ends the process with exit code 2.
    """
    name = argv[0] if argv else "--help"
    if name in commands:
        return name
    width = max(map(len, commands))
    lines = [f"  {known:<{width}}  {text}" for known, text in commands.items()]
    parser = Parser(
        prog=prog,
        usage=f"{prog} COMMAND ...",
        description=description,
        epilog="\n".join(["commands:", *lines, "", f"{prog} COMMAND --help shows a command's options."]),
    )
    parser.add_argument("--version", action="version", version=f"gluon-attn {__version__}")
    if not name.startswith("-"):
        parser.error(f"unknown command {name!r}{suggestion(name, commands)}")
    parser.parse_args(argv or ["--help"])
    return None
