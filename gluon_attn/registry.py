"""Names to makers. The only way from text that a user typed to a class of ours."""

from .utils.errors import UserError
from .utils.suggest import did_you_mean


class Registry:
    """Maps the names of one kind of thing ("attention", "model", "dataset") to makers.

    A name given twice raises `ValueError`; asking for an unknown one raises `UserError` with the nearest choices.
    """

    def __init__(self, kind):
        self.kind = kind
        self._makers = {}
        self._aliases = {}

    def register(self, name, *aliases):
        """Decorator that files a maker under `name` and, unlisted, under each of `aliases`."""

        def file_it(maker):
            for key in (name, *aliases):
                if key in self._makers or key in self._aliases:
                    raise ValueError(f"{self.kind} {key!r} is registered twice")
            self._makers[name] = maker
            self._aliases.update(dict.fromkeys(aliases, name))
            return maker

        return file_it

    def resolve(self, name):
        """The canonical name for `name`, which may be an alias."""
        if name in self._makers:
            return name
        if name in self._aliases:
            return self._aliases[name]
        raise UserError(f"unknown {self.kind} {name!r}; {self._suggest(str(name))}")

    def get(self, name):
        """The maker filed under `name` or an alias of it."""
        return self._makers[self.resolve(name)]

    def names(self):
        """All canonical names, sorted."""
        return sorted(self._makers)

    def aliases(self, name):
        """Other names of `name`, in the order of their registration."""
        return [alias for alias, known in self._aliases.items() if known == name]

    def __contains__(self, name):
        return name in self._makers or name in self._aliases

    def _suggest(self, name):
        return did_you_mean(name, (*self._aliases, *self._makers), most=3) or "choose from " + ", ".join(self.names())
