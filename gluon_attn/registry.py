"""Names to classes and functions: the only way from a name that a user typed to code of this package or a plugin."""

import fnmatch
import importlib
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from . import plugins
from .utils.errors import UserError
from .utils.suggest import did_you_mean

T = TypeVar("T")
_CLEAR = 0.75  # similarity of a name to one that it is a slip of


class UnknownName(UserError):
    """A name that is not registered.

    Args:
        kind: the kind of thing, such as "attention".
        name: the unknown name.
        advice: what the user can do.
    """

    def __init__(self, kind: str, name: object, advice: str) -> None:
        super().__init__(f"unknown {kind} {name!r}; {advice}")
        self.kind, self.name = kind, name


class Registry(Generic[T]):
    """Maps the names of one kind of thing to what makes it, such as "dataset" to functions that open one.

    Args:
        kind: the kind of thing, for error messages ("attention", "model", "dataset").
        extended: whether plugins add to it; they, and the module of `plugins.OWN` with the library's own, are loaded
            when a name is first looked up.
    """

    def __init__(self, kind: str, extended: bool = False) -> None:
        self.kind = kind
        self._extended = extended
        self._makers: dict[str, T] = {}
        self._aliases: dict[str, str] = {}
        self._origins: dict[str, str] = {}

    def register(self, name: str, *aliases: str) -> Callable[[T], T]:
        """Decorator that registers a class or function under a name.

        Args:
            name: the canonical name.
            aliases: further names, which `names` does not list.

        Raises:
            ValueError: one of the names is taken.
        """

        def add(maker: T) -> T:
            origin = _origin(maker)
            for key in (name, *aliases):
                if key in self._makers or key in self._aliases:
                    first = self._origins[self._aliases.get(key, key)]
                    raise ValueError(f"{self.kind} {key!r} is registered twice: by {first} and by {origin}")
            self._makers[name], self._origins[name] = maker, origin
            self._aliases.update(dict.fromkeys(aliases, name))
            plugins.registered(lambda: self._withdraw(name))
            return maker

        return add

    def _withdraw(self, name: str) -> None:
        del self._makers[name], self._origins[name]
        self._aliases = {alias: known for alias, known in self._aliases.items() if known != name}

    def _complete(self) -> None:
        if self._extended:
            if self.kind in plugins.OWN:
                importlib.import_module(plugins.OWN[self.kind])
            plugins.load_all()

    def resolve(self, name: str) -> str:
        """The canonical name for `name`, which may be an alias.

        Raises:
            UnknownName: it is unknown; the message has the nearest names.
        """
        self._complete()
        if name in self._makers:
            return name
        if name in self._aliases:
            return self._aliases[name]
        raise UnknownName(self.kind, name, self._advice(str(name)))

    def get(self, name: str) -> T:
        """The class or function of a name or an alias; raises as `resolve`."""
        return self._makers[self.resolve(name)]

    def names(self, pattern: str | None = None) -> list[str]:
        """All canonical names, sorted; with a pattern such as "*eca*" those that match it.

        Args:
            pattern: as of `matching`.
        """
        self._complete()
        return sorted(matching(self._makers, pattern))

    def aliases(self, name: str) -> list[str]:
        """Other names of `name`, in the order of their registration."""
        self._complete()
        return [alias for alias, known in self._aliases.items() if known == name]

    def __contains__(self, name: object) -> bool:
        self._complete()
        return name in self._makers or name in self._aliases

    def _advice(self, name: str) -> str:
        known = (*self._aliases, *self._makers)
        near = did_you_mean(name, known, most=3) or "choose from " + ", ".join(self.names())
        if not self._extended or did_you_mean(name, known, cutoff=_CLEAR):
            return near
        return f"{near}{' Or' if near.endswith('?') else '; or'} name the plugin that has it with option plugin"


def matching(names: Iterable[str], pattern: str | None) -> list[str]:
    """The names that match a pattern, upper and lower case alike; all without one.

    Args:
        names: the names.
        pattern: as of `fnmatch`: * is any text, ? a character, [ab] one of some.
    """
    wanted = "*" if pattern is None else pattern.lower()
    return [name for name in names if fnmatch.fnmatchcase(name.lower(), wanted)]


def _origin(maker: Any) -> str:
    """What registers: a plugin, or the module of a class or function."""
    return plugins.current() or str(getattr(maker, "__module__", __package__))
