"""The weights that a network starts from: those of a file, and new ones where its plan adds what the file has not."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mxnet.gluon import HybridBlock

from ..nn.params import check_names, few, read_params, set_params
from ..utils.errors import UserError
from .added_parts import backbone_names, default_attention, plain_recipe, planned_modules
from .pretrained import pretrained_path


@dataclass(frozen=True)
class StartWeights:
    """What a network took from a parameter file.

    Attributes:
        path: the file.
        modules: paths of the modules that the file does not have: their weights stay as they were initialized.
        renewed: names of the tensors of the classifier, or of a detector's last layers, if those of the file are for
            another number of classes.
        replaced: names of the tensors of the file in whose place the plan puts a module.
        classes: of the network.
    """

    path: str
    modules: tuple[str, ...] = ()
    renewed: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    classes: int = 0

    def message(self) -> str:
        """What starts anew, in words; empty if nothing does."""
        parts = []
        if self.modules:
            parts.append(f"has no weights of the attention: {few(self.modules)} are initialized anew")
        if self.replaced:
            parts.append(f"has {few(layers_of(self.replaced))}, in whose place the plan puts attention: left out")
        if self.renewed:
            names = " and ".join(self.renewed) if len(self.renewed) < 3 else ", ".join(layers_of(self.renewed))
            parts.append(f"is for another number of classes: {names} are initialized anew, for {self.classes}")
        return f"{self.path} {'; it '.join(parts)}" if parts else ""

    def new_names(self, net: HybridBlock) -> set[str]:
        """Names of the parameters of the network that are not the file's."""
        return {*self.renewed, *parameters_below(net, self.modules)}


def start_path(net: HybridBlock) -> Path:
    """Path of the published parameter file that a network can start from: its own, else that of its backbone alone.

    Args:
        net: the network.

    Raises:
        UserError: as `pretrained_path`.
    """
    try:
        return pretrained_path(net.recipe, any_classes=True)
    except UserError:
        plain = plain_recipe(net.recipe)
        if plain is None or plain == net.recipe:
            raise
        with contextlib.suppress(UserError):
            return pretrained_path(plain, any_classes=True)
        raise


def start_from_file(net: HybridBlock, path: Path | str, renewed: Sequence[str], classes: int) -> StartWeights:
    """Fill a network from a parameter file of the same network, or of the one without what its plan adds.

    Args:
        net: the network, initialized.
        path: the file.
        renewed: names of the tensors that are left out of a file for another number of classes. All else must fit.
        classes: of the network.

    Raises:
        UserError: the file cannot be read, or is of another network, which is then left as it was.
    """
    tensors = read_params(path)
    found = _match(net, tensors)
    check_names(path, {*found.names.values(), *found.replaced}, tensors)
    given = {own: tensors[there] for own, there in found.names.items()}
    anew = parameters_below(net, found.modules)
    left_out = set_params(net, given, path, renewed=renewed, anew=anew)
    return StartWeights(str(path), found.modules, tuple(left_out), found.replaced, classes)


def parameters_below(net: HybridBlock, paths: Collection[str]) -> list[str]:
    """Names of the parameters of the modules at these paths."""
    starts = tuple(f"{path}." for path in paths)
    return [name for name in net._collect_params_with_prefix() if name.startswith(starts)] if starts else []


def layers_of(names: Sequence[str]) -> list[str]:
    """The layers that tensors of these names belong to."""
    return list(dict.fromkeys(name.rpartition(".")[0] for name in names))


@dataclass(frozen=True)
class _Match:
    """Names of a network's tensors in a file, the modules that the file does not have, and what is left out of it."""

    names: Mapping[str, str]
    modules: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()

    def faults(self, tensors: Mapping[str, Any]) -> int:
        """Number of tensors that are missing or left over."""
        return len({*self.names.values(), *self.replaced} ^ set(tensors))


def _match(net: HybridBlock, tensors: Mapping[str, Any]) -> _Match:
    """The way to read a file that fits, else the one with the fewest faults."""
    ways = []
    for way in _ways(net, tensors):
        if not way.faults(tensors):
            return way
        ways.append(way)
    return min(ways, key=lambda way: way.faults(tensors))


def _ways(net: HybridBlock, tensors: Mapping[str, Any]) -> Iterator[_Match]:
    """The file is of this network; of one with less attention; of the one without a plan."""
    own = {name: name for name in net._collect_params_with_prefix()}
    yield _Match(own)
    modules = [path for path, module in planned_modules(net).items() if module.collect_params().keys()]
    absent = absent_modules(net, modules, tensors)
    if absent:
        without = set(parameters_below(net, absent))
        yield _Match({name: name for name in own if name not in without}, tuple(absent))
    backbone = backbone_names(net) if modules else None
    if backbone is not None:
        yield _Match(backbone.there, tuple(modules), backbone.replaced)
        usual = default_attention(net)
        if usual:
            yield _Match(backbone.there, tuple(modules), (*backbone.replaced, *usual))


def absent_modules(net: HybridBlock, modules: Collection[str], tensors: Collection[str]) -> list[str]:
    """Those of the modules at these paths of which a file has no tensor at all."""
    return [path for path in modules if not set(parameters_below(net, [path])) & set(tensors)]
