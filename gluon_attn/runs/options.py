"""The options of a run in their layers, from the command line, a recipe or Python, to one checked config."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..config.base import Config, field_types
from ..config.files import merge, read_yaml
from ..utils.errors import UserError
from ..utils.suggest import did_you_mean

#: plain data by option group, {"optim": {"lr": 0.1}}: what YAML files and `Config.to_dict` hold
Layer = Mapping[str, Any]


@dataclass(frozen=True)
class Options:
    """A config class and the layers that fill it; a later layer wins over an earlier one.

    Args:
        kind: the config class, such as `RunConfig`.
        defaults: what the script or a reference repository starts from, laid over the class's own defaults.
        recipe: what a recipe file says.
        given: what the command line or a Python call says.
    """

    kind: type[Config]
    defaults: Layer = field(default_factory=dict)
    recipe: Layer = field(default_factory=dict)
    given: Layer = field(default_factory=dict)

    def config(self) -> Any:
        """The checked config, an instance of `kind`; the same object at each call.

        Raises:
            UserError: an unknown option, or a value that does not fit.
        """
        return self._config

    @cached_property
    def _config(self):
        return self.kind.from_dict(merge(merge(self.defaults, self.recipe), self.given))

    def asked(self, key: str) -> Any:
        """The value of "group.name" in `given` or else `recipe`; None where neither has it."""
        group, _, name = key.partition(".")
        return next((layer[group][name] for layer in (self.given, self.recipe) if name in layer.get(group, ())), None)

    def override(self, key: str, value: Any) -> "Options":
        """The options with "group.name" given another value."""
        group, _, name = key.partition(".")
        return dataclasses.replace(self, given=merge(self.given, {group: {name: value}}))

    def with_defaults(self, layer: Layer) -> "Options":
        """The options with more defaults, laid over those that there are."""
        return dataclasses.replace(self, defaults=merge(self.defaults, layer))


def from_keywords(kind: type[Config], keywords: Mapping[str, Any], defaults: Layer | None = None) -> Options:
    """The `Options` of a Python call: keywords have the names of flags and of YAML keys.

    Args:
        kind: the config class.
        keywords: option name -> value, such as num_epochs=2; also group name -> mapping, such as optim={"lr": 0.1},
            and config=FILE, a recipe.
        defaults: see `Options`.

    Raises:
        UserError: an unknown option, with the nearest known one.
    """
    places, groups = dict(_places(kind)), {field.name for field in dataclasses.fields(kind)}
    given: dict[str, Any] = {}
    recipe = keywords.get("config")
    for name, value in keywords.items():
        if name == "config":
            continue
        if name in groups and isinstance(value, Mapping):
            layer = {name: dict(value)}
        elif name in places:
            group, option = places[name]
            layer = {group: {option: value}}
        elif name in groups:
            raise UserError(f"{name} is a group of options and takes a mapping of them, got {value!r}")
        else:
            suggestion = did_you_mean(name, {*places, *groups})
            raise UserError(f"unknown option {name!r}{f'; {suggestion}' if suggestion else ''}")
        given = merge(given, layer)
    return Options(kind, defaults or {}, read_yaml(Path(recipe)) if recipe else {}, given)


def place_of(kind: type[Config], name: str) -> str:
    """ "group.name" of an option of a config class.

    Args:
        kind: the config class.
        name: of the option, as a flag, in a recipe or as "group.name".

    Raises:
        UserError: there is no such option; the message names the nearest known one.
    """
    places = dict(_places(kind))
    known = {f"{group}.{option}": (group, option) for group, option in places.values()}
    spelled = name.lstrip("-").replace("-", "_")
    found = places.get(spelled) or known.get(spelled)
    if found is None:
        suggestion = did_you_mean(spelled, {*places, *known})
        raise UserError(f"unknown option {name!r}{f'; {suggestion}' if suggestion else ''}")
    return ".".join(found)


def _places(kind: type[Config]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every name of an option, also the further spellings of its flag, with (group, name)."""
    kinds = field_types(kind)
    for group in dataclasses.fields(kind):
        for option in dataclasses.fields(kinds[group.name]):
            place = group.name, option.name
            for flag in option.metadata["flags"]:
                if flag.startswith("--"):
                    yield flag[2:].replace("-", "_"), place
    for group in dataclasses.fields(kind):  # an option's own name wins over another one's further spelling
        for option in dataclasses.fields(kinds[group.name]):
            yield option.name, (group.name, option.name)
