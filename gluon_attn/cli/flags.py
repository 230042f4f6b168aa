"""Command lines made from the option groups: a field of a config dataclass is a flag, and nothing else is."""

import argparse
import dataclasses

import yaml

from ..config.base import field_types, unwrap_optional
from ..config.files import merge, read_yaml
from ..utils.errors import UserError
from .parser import Parser


def make_parser(prog, description, config_class, defaults):
    """A parser with a flag for every option of `config_class`; what was not given is absent from its result.

    defaults: plain data laid over the class's own defaults, shown in the help.
    """
    parser = Parser(prog=prog, description=description, argument_default=argparse.SUPPRESS)
    parser.add_argument("--config", metavar="FILE", help="YAML recipe; flags beside it win")
    shown = config_class.from_dict(defaults)
    for group, kind in field_types(config_class).items():
        section = parser.add_argument_group(kind.__doc__.splitlines()[0].rstrip("."))
        for field in dataclasses.fields(kind):
            _add(
                section,
                group,
                field,
                field_types(kind)[field.name],
                getattr(getattr(shown, group), field.name),
            )
    return parser


def _add(section, group, field, kind, default):
    names = ["--" + field.name.replace("_", "-"), *field.metadata["flags"]]
    names = list(dict.fromkeys(sorted(names, key=len)))
    text = field.metadata["help"].replace("%", "%%")
    if default not in (None, False, (), {}):
        text += f" (default {','.join(map(str, default)) if isinstance(default, tuple) else default})"
    options = {"dest": f"{group}.{field.name}", "help": text}
    kind = unwrap_optional(kind)[1]
    if kind is bool:
        section.add_argument(*names, action=argparse.BooleanOptionalAction, **options)
    elif kind is dict:
        section.add_argument(*names, nargs="+", metavar=field.metadata["metavar"], **options)
    else:
        word = field.metadata["metavar"] or getattr(kind, "__name__", "").upper()
        choices = field.metadata["choices"]
        shown = "{" + ",".join(choices) + "}" if choices else ("N,N" if word == "TUPLE" else word)
        section.add_argument(*names, metavar=shown, **options)


def parse(parser, argv):
    """(given, recipe): the options on the command line as plain data by group, and the recipe file's, if any."""
    given = {}
    options = vars(parser.parse_args([_dashes(word) for word in argv]))
    recipe = read_yaml(options.pop("config")) if "config" in options else {}
    for key, value in options.items():
        group, _, name = key.partition(".")
        given.setdefault(group, {})[name] = _pairs(value) if isinstance(value, list) else value
    return given, recipe


def resolve(config_class, *layers):
    """A config from plain data, later layers winning."""
    data = {}
    for layer in layers:
        data = merge(data, layer)
    return config_class.from_dict(data)


def _dashes(word):
    """The reference repositories write --some_flag where we write --some-flag; both are understood."""
    if not word.startswith("--"):
        return word
    flag, equals, value = word.partition("=")
    return flag.replace("_", "-") + equals + value


def _pairs(words):
    """["reduction=8", ...] -> {"reduction": 8, ...}, values read as YAML scalars."""
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UserError(f"expected NAME=VALUE, got {word!r}")
        pairs[name] = yaml.safe_load(value)
    return pairs
