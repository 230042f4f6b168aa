"""Command lines made from the option groups: a field of a config dataclass is a flag, and nothing else is."""

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..config.base import Config, field_types, unwrap_optional
from ..config.files import read_yaml
from ..config.train import RunConfig
from ..runs.options import Layer, Options
from .help import Start
from .parser import Parser
from .values import pair

_WORDS = {int: "N", float: "X", str: "NAME"}


def make_parser(
    prog: str,
    description: str,
    config_class: type[Config],
    defaults: Layer,
    shown_option: Callable[[str, str], bool] = lambda group, name: True,
    conflict_handler: str = "error",
    start: Start | None = None,
) -> Parser:
    """A parser with a flag for every option of a config class; what is not given is absent from its result.

    Args:
        prog: the program's name.
        description: what it does.
        config_class: the class.
        defaults: plain data laid over the class's own defaults, shown in the help.
        shown_option: (group, name) -> whether an option has a flag.
        conflict_handler: of `ArgumentParser`; "resolve" lets a command's own flag take an option's further spelling.
        start: what its help begins with.
    """
    parser = Parser(
        prog=prog,
        usage=f"{prog} [options]",
        description=description,
        argument_default=argparse.SUPPRESS,
        conflict_handler=conflict_handler,
        start=start,
    )
    parser.add_argument("--config", metavar="FILE", help="YAML recipe; flags beside it win")
    shown = config_class.from_dict(defaults)
    kinds = field_types(config_class)
    for group in dataclasses.fields(config_class):
        section = parser.add_argument_group(group.metadata["help"])
        kind, values = kinds[group.name], getattr(shown, group.name)
        for field in dataclasses.fields(kind):
            if not shown_option(group.name, field.name):
                continue
            _add(
                section, f"{group.name}.{field.name}", field, field_types(kind)[field.name], getattr(values, field.name)
            )
    return parser


class _Switch(argparse.Action):
    """--NAME and --no-NAME; argparse's own takes an option such as --no-wd for the negative of one named --wd.

    Attributes:
        off: the spellings that switch off. Help does not show those of an option such as --no-wd.
    """

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        self.off = [f"--no-{name[2:]}" for name in option_strings if name.startswith("--")]
        super().__init__([*option_strings, *self.off], dest, nargs=0, **options)

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        setattr(namespace, self.dest, option_string not in self.off)


def _add(section, dest, field, kind, default):
    short = [flag for flag in field.metadata["flags"] if not flag.startswith("--")]
    names = [*short, "--" + field.name.replace("_", "-"), *field.metadata["flags"]]
    text = field.metadata["help"].replace("%", "%%")
    if default not in (None, False, (), {}):
        text += f" (default {','.join(map(str, default)) if isinstance(default, tuple) else default})"
    options = {"dest": dest, "help": text}
    kind = unwrap_optional(kind)[1]
    if kind is bool:
        options["action"] = _Switch
    else:
        choices = field.metadata["choices"]
        word = "{" + ",".join(choices) + "}" if choices else _WORDS.get(kind, "N,N")
        options["metavar"] = field.metadata["metavar"] or word
        if kind is dict:
            options["nargs"], options["type"] = "+", pair
        elif field.metadata["several"]:
            options["nargs"], options["metavar"] = "+", field.metadata["metavar"] or "N"
    section.add_argument(*dict.fromkeys(names), **options)


def refuse(parser: Parser, flags: Mapping[str, tuple[int, str]]) -> None:
    """Add flags of other programs that have no effect here, so that each is a one-line error with advice.

    Args:
        parser: gets the flags.
        flags: flag -> (number of its values, what to do instead).
    """
    for flag, (count, advice) in flags.items():
        action = type("_Refused", (argparse.Action,), {"__call__": _refusal(flag, advice)})
        parser.add_argument(flag, action=action, nargs=count, help=argparse.SUPPRESS)


def _refusal(flag, advice):
    return lambda self, parser, *_: parser.error(f"{flag} has no meaning here: {advice}")


def parse(
    parser: Parser,
    argv: Sequence[str],
    kind: type[Config] = RunConfig,
    defaults: Layer | None = None,
    own: dict[str, Any] | None = None,
) -> Options:
    """The options that a command line gives, with those of its recipe file, if any.

    Args:
        parser: as `make_parser` made it.
        argv: the words after the program's name.
        kind: the config class.
        defaults: plain data laid over the class's own defaults.
        own: gets the values of the command's own flags, which belong to no option group.
    """
    given: dict[str, dict[str, Any]] = {}
    values = vars(parser.parse_args([_dashes(word) for word in argv]))
    recipe = read_yaml(values.pop("config")) if "config" in values else {}
    for key, value in values.items():
        group, _, name = key.partition(".")
        if not name and own is not None:
            own[key] = value
            continue
        pairs = isinstance(value, list) and isinstance(value[0], tuple)
        given.setdefault(group, {})[name] = dict(value) if pairs else value
    return Options(kind, defaults or {}, recipe, given)


def _dashes(word):
    """The reference repositories write --some_flag where we write --some-flag; both are understood."""
    if not word.startswith("--"):
        return word
    flag, equals, value = word.partition("=")
    return flag.replace("_", "-") + equals + value
