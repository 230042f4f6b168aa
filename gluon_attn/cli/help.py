"""The help of a command: `--help` begins with examples and the usual flags, `--help-all` describes every flag."""

import argparse
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Start:
    """What the help of a command begins with.

    Attributes:
        examples: words after the command, one line each.
        usual: flags that `--help` describes, by their `dest`; it names the others. (): it describes all.
    """

    examples: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()


#: options that stand for another one's value, as other repositories spell it: `--help-all` alone names them
OTHER_SPELLINGS = {
    "data.use_rec", "model.use_se", "model.use_sk", "model.use_gn", "train.no_cuda", "search.cifar100",
}  # fmt: skip
_GENERAL = {"--help", "--help-all", "--plugin", "--version"}
_MOST = 100  # columns


class HelpFormatter(argparse.HelpFormatter):
    """Writes a flag once, "-b, --batch-size N", in its own spelling, or `everything` in all its spellings."""

    everything = False

    def __init__(self, prog: str, **options: object) -> None:
        super().__init__(prog, **options)  # type: ignore[arg-type]
        self._width = min(self._width, _MOST)

    def _format_action_invocation(self, action):
        if not action.option_strings:
            return super()._format_action_invocation(action)
        names = ", ".join(spellings(action, self.everything))
        if action.nargs == 0:
            return names
        value = action.metavar or ("{" + ",".join(action.choices) + "}" if action.choices else action.dest.upper())
        return f"{names} {value}{' ...' if action.nargs in ('+', '*') else ''}"


class EverythingFormatter(HelpFormatter):
    """`HelpFormatter` for `--help-all`."""

    everything = True


def spellings(action: argparse.Action, everything: bool = False) -> list[str]:
    """The spellings of a flag that a help shows; a switch is `--[no-]NAME`, but `--no-NAME` where that is its name.

    Args:
        action: of an option.
        everything: whether those of other repositories are wanted, too.
    """
    off = getattr(action, "off", ())
    names = [name for name in action.option_strings if name not in off]
    if not everything:
        long = [name for name in names if name.startswith("--")]
        names = [*[name for name in names if len(name) == 2][:1], *long[:1]]
    both = off and not own_name(action).startswith("--no-")
    return [f"--[no-]{name[2:]}" if both and name.startswith("--") else name for name in names]


def own_name(action: argparse.Action) -> str:
    """The first long spelling of a flag."""
    return next(name for name in action.option_strings if name.startswith("--"))


def help_text(parser: argparse.ArgumentParser, start: Start, everything: bool) -> str:
    """The help of a parser.

    Args:
        parser: the parser.
        start: what it begins with.
        everything: whether it describes all flags, in all spellings.
    """
    parts = [_usage(parser), *_filled(parser.description or ""), *_examples(parser.prog, start)]
    short = bool(start.usual) and not everything
    if short:
        parts += [*_usual(parser, start), _others(parser, start)]
    else:
        groups = _groups(parser, everything)
        parts += filter(None, (_section(title, actions, everything) for title, actions in groups))
    return "\n\n".join([*parts, *filter(None, [parser.epilog])]) + "\n"


def _groups(parser, everything):
    """(title, its arguments) of each group; the flags that every command has are the last of theirs."""
    more = everything or any(spellings(action) != spellings(action, True) for action in _flags(parser))
    for group in parser._action_groups:
        own = [action for action in group._group_actions if not _GENERAL & {*action.option_strings}]
        general = [action for action in group._group_actions if _GENERAL & {*action.option_strings}]
        title = "arguments" if group is parser._positionals else group.title
        yield title, own + [action for action in general if more or "--help-all" not in action.option_strings]


def _usage(parser):
    needed = [action for action in _shown(parser) if not action.option_strings or action.required]
    words = [f"{own_name(one)} {one.metavar}" if one.option_strings else _positional(one) for one in needed]
    return f"usage: {parser.usage or ' '.join([f'{parser.prog} [options]', *words])}"


def _positional(action):
    name = action.metavar or action.dest
    return {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} ..."}.get(action.nargs, name)


def _shown(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (action for action in parser._actions if action.help != argparse.SUPPRESS)


def _flags(parser):
    return (action for action in _shown(parser) if action.option_strings)


def _filled(text):
    return [textwrap.fill(text, HelpFormatter("")._width)] if text else []


def _examples(prog, start):
    if not start.examples:
        return []
    command = f"python {prog}" if prog.split()[0].endswith(".py") else prog
    lines = [f"  {command} {words}".rstrip() for words in start.examples]
    return ["\n".join(["example:" if len(lines) == 1 else "examples:", *lines])]


def _usual(parser, start):
    """Sections of what a command line has to say, and of the usual flags in the order of `start`."""
    known = {action.dest: action for action in _flags(parser)}
    positional = [action for action in _shown(parser) if not action.option_strings]
    usual = [known[dest] for dest in start.usual if dest in known]
    sections = [("arguments", positional), ("usual options", usual)]
    return filter(None, (_section(title, actions, False) for title, actions in sections))


def _section(title, actions, everything):
    formatter = (EverythingFormatter if everything else HelpFormatter)("")
    formatter.start_section(title)
    formatter.add_arguments(actions)
    formatter.end_section()
    return formatter.format_help().strip("\n")


def _others(parser, start):
    """The names of all other flags, by group."""
    lines = ["more options, which --help-all describes:"]
    for group in parser._action_groups:
        names = [
            own_name(action)
            for action in _flags(parser)
            if action in group._group_actions and action.dest not in {*start.usual, *OTHER_SPELLINGS}
        ]
        if names:
            title = "general" if group is parser._optionals else group.title
            lines.append(textwrap.fill(
                f"{title}: {' '.join(names)}", HelpFormatter("")._width, initial_indent="  ", subsequent_indent="    ",
                break_on_hyphens=False,
            ))  # fmt: skip
    return "\n".join(lines)
