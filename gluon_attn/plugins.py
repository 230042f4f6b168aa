"""Plugins: code outside the package that registers attentions, data sets and models when it is imported.

An installed distribution names its module in the entry point group `gluon_attn.plugins`; a file or a module of your own
is named by option plugin, by `load_plugin` or in GLUON_ATTN_PLUGINS. They are loaded once, when a name is first looked
up. An installed plugin that fails is left out with a warning, one that was asked for is an error.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import sys
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .utils.errors import UserError, reason
from .utils.log import get_logger

#: entry point group of installed plugins
GROUP = "gluon_attn.plugins"
#: environment variable with files and modules, separated as in PATH; child processes find there what this one loaded
VARIABLE = "GLUON_ATTN_PLUGINS"
#: kind of thing -> the module that registers what the package has of it, which a plugin finds there
OWN = {
    "attention": f"{__package__}.attention.factory",
    "dataset": f"{__package__}.data.factory",
    "model": f"{__package__}.models.zoo",
}


@dataclass
class _Plugin:
    """A plugin while it is loaded: what to call it, and how to take back what it registers."""

    label: str
    undo: list[Callable[[], None]] = field(default_factory=list)


_lock = threading.RLock()
_loading: list[_Plugin] = []
_loaded: set[str] = set()  # files and modules
_complete = False


def load_plugin(name: Path | str) -> None:
    """Load a plugin, here and in the worker processes that this process starts later.

    Args:
        name: a Python file, or a module that Python finds.

    Raises:
        UserError: it does not exist or fails while it is imported; what it has registered is taken back.
    """
    key = _key(str(name))
    if os.pathsep in key:
        raise UserError(f"plugin {name}: its path must not contain {os.pathsep!r}")
    with _lock:
        _load_named(str(name), key)
    names = _named()
    if key not in names:
        os.environ[VARIABLE] = os.pathsep.join([*names, key])


def load_all() -> None:
    """Load the plugins in GLUON_ATTN_PLUGINS and the installed ones, unless that is done or under way.

    Raises:
        UserError: as `load_plugin`, for those in GLUON_ATTN_PLUGINS.
    """
    global _complete
    if _complete:
        return
    with _lock:  # another thread waits; a plugin that looks a name up itself does not
        if _complete or _loading:
            return
        for name in _named():
            _load_named(name, _key(name))
        for entry in installed():
            _load_installed(entry)
        _complete = True


def installed() -> list[importlib.metadata.EntryPoint]:
    """The entry points of installed plugins, by name."""
    return sorted(importlib.metadata.entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


def label_of(entry: importlib.metadata.EntryPoint) -> str:
    """What messages call an installed plugin: its name and its distribution."""
    return f"plugin {entry.name}" + (f" of {entry.dist.name} {entry.dist.version}" if entry.dist else "")


def current() -> str | None:
    """What messages call the plugin that is being loaded; None if there is none."""
    return _loading[-1].label if _loading else None


def registered(undo: Callable[[], None]) -> None:
    """Tell that something was registered, and what takes it back should the plugin that is being loaded fail."""
    if _loading:
        _loading[-1].undo.append(undo)


def _named() -> list[str]:
    return [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]


def _key(name: str) -> str:
    """The absolute path of a file, for processes in other folders; a module's name as it is."""
    is_file = name.endswith(".py") or "/" in name or os.sep in name
    return str(Path(name).expanduser().resolve()) if is_file else name


def _load_named(name: str, key: str) -> None:
    problem = None if key in _loaded else _attempt(f"plugin {name}", lambda: _import(key))
    if problem:
        raise UserError(f"plugin {name}: {problem}")
    _loaded.add(key)


def _load_installed(entry: importlib.metadata.EntryPoint) -> None:
    def load() -> bool:
        fresh = entry.module not in sys.modules
        spec = importlib.util.find_spec(entry.module)
        if spec is not None and spec.origin and str(Path(spec.origin).resolve()) in _loaded:
            return False  # asked for as a file
        entry.load()
        return fresh

    problem = _attempt(label_of(entry), load)
    if problem:
        get_logger().warning("%s is left out: %s", label_of(entry), problem)


def _attempt(label: str, load: Callable[[], bool]) -> str | None:
    """Load a plugin; where that fails, take back what it has registered.

    Args:
        label: what to call it.
        load: imports it and tells whether its code ran.

    Returns:
        Why it failed, one line, or None.
    """
    for module in OWN.values():
        importlib.import_module(module)
    plugin = _Plugin(label)
    _loading.append(plugin)
    try:
        ran = load()
    except (Exception, SystemExit) as error:  # code of others: whatever it raises, the package works without it
        for undo in reversed(plugin.undo):
            undo()
        return reason(error)
    finally:
        _loading.remove(plugin)
    if ran and not plugin.undo:
        get_logger().warning("%s registers nothing when it is imported: see register_attention", label)
    return None


def _import(key: str) -> bool:
    """Import a file or a module; returns whether its code ran."""
    if not os.path.isabs(key):
        fresh = key not in sys.modules
        try:
            module = importlib.import_module(key)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{key}.".startswith(f"{error.name}."):
                raise
            raise UserError("Python finds no module of this name; name a file as my_plugin.py") from None
        if getattr(module, "__file__", None) is None and hasattr(module, "__path__"):
            raise UserError("it is a folder without __init__.py; name its .py file")
        return fresh
    path = Path(key)
    if not path.is_file():
        raise UserError("it is a folder; name its .py file" if path.is_dir() else "there is no such file")
    name = f"{path.stem}_{zlib.crc32(key.encode()):08x}"  # its own name, whatever modules there are
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # for modules beside it
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return True
