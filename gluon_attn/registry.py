"""Names to classes and functions: the only way from a name that a user typed to code of this package."""

from collections.abc import Callable
from typing import Generic, TypeVar

from .utils.errors import UserError
from .utils.suggest import did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps the names of one kind of thing to what makes it, such as "dataset" to functions that open one.

    Args:
        kind: the kind of thing, for error messages ("attention", "model", "dataset").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._makers: dict[str, T] = {}
        self._aliases: dict[str, str] = {}

    def register(self, name: str, *aliases: str) -> Callable[[T], T]:
        """Decorator that registers a class or function under a name.

        Args:
            name: the canonical name.
            aliases: further names, which `names` does not list.

        Raises:
            ValueError: one of the names is taken.
        """

        def add(maker: T) -> T:
            for key in (name, *aliases):
                if key in self._makers or key in self._aliases:
                    raise ValueError(f"{self.kind} {key!r} is registered twice")
            self._makers[name] = maker
            self._aliases.update(dict.fromkeys(aliases, name))
            return maker

        return add

    def resolve(self, name: str) -> str:
        """The canonical name for `name`, which may be an alias.

        Raises:
            UserError: it is unknown; the message has the nearest names.
        """
        if name in self._makers:
            return name
        if name in self._aliases:
            return self._aliases[name]
        raise UserError(f"unknown {self.kind} {name!r}; {self._suggest(str(name))}")

    def get(self, name: str) -> T:
        """The class or function of a name or an alias; raises as `resolve`."""
        return self._makers[self.resolve(name)]

    def names(self) -> list[str]:
        """All canonical names, sorted."""
        return sorted(self._makers)

    def aliases(self, name: str) -> list[str]:
        """Other names of `name`, in the order of their registration."""
        return [alias for alias, known in self._aliases.items() if known == name]

    def __contains__(self, name: object) -> bool:
        return name in self._makers or name in self._aliases

    def _suggest(self, name: str) -> str:
        return did_you_mean(name, (*self._aliases, *self._makers), most=3) or "choose from " + ", ".join(self.names())
