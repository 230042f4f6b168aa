"""What a plan adds to a network and what it replaces there, told from the layers that the backbone has without it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mxnet.gluon import HybridBlock

from .factory import get_model, model_info
from .plan import Plan

#: slots that are empty without a plan; in the others a module takes the place of a layer
EMPTY_SLOTS = ("post", "inner", "stage")


def planned_modules(net: HybridBlock) -> dict[str, HybridBlock]:
    """The modules that a plan put into a network.

    Args:
        net: the network.

    Returns:
        Path, as parameter names begin -> module, in the order of the network; a shared module has several paths.
    """
    return dict(_planned(net, ""))


def _planned(block: HybridBlock, prefix: str) -> Iterator[tuple[str, HybridBlock]]:
    for name, child in block._children.items():
        if slot_of(child):
            yield f"{prefix}{name}", child
        else:
            yield from _planned(child, f"{prefix}{name}.")


def slot_of(block: HybridBlock) -> str | None:
    """The slot that a plan put a block into; None for a layer of the backbone."""
    return getattr(block, "plan_slot", None)


@dataclass(frozen=True)
class BackboneNames:
    """Names of the parameters that a network shares with itself without a plan.

    Attributes:
        there: name in the network -> name in the network without a plan. They differ where a module in a row of
            layers moves those after it.
        replaced: names there of the layers whose places the plan gives to its modules.
    """

    there: dict[str, str]
    replaced: tuple[str, ...]


def backbone_names(net: HybridBlock) -> BackboneNames | None:
    """How the parameters of a network are called in the network without its plan.

    Args:
        net: the network, with the `recipe` that `get_model` gives it.

    Returns:
        The names; None if there is no such network.
    """
    plain = without_plan(net)
    if plain is None:
        return None
    names = dict(_pairs(net, plain, "", ""))
    used = set(names.values())
    return BackboneNames(names, tuple(name for name in plain._collect_params_with_prefix() if name not in used))


def without_plan(net: HybridBlock) -> HybridBlock | None:
    """The network of a recipe without its attention, uninitialized.

    Args:
        net: the network.

    Returns:
        None if its attention belongs to its name and there is no network without it.
    """
    recipe = plain_recipe(getattr(net, "recipe", None))
    return recipe and get_model(recipe["model"], recipe["classes"], **recipe["options"])


def default_attention(net: HybridBlock) -> list[str]:
    """Names of the parameters of the attention that the network's model has by default, whatever its plan put there.

    Args:
        net: the network, with the `recipe` that `get_model` gives it.
    """
    recipe = net.recipe
    record = model_info(recipe["model"])
    if record.own_plan or not record.entries:
        return []
    usual = get_model(recipe["model"], recipe["classes"], **recipe["options"])
    starts = tuple(f"{path}." for path in planned_modules(usual))
    return [name for name in usual._collect_params_with_prefix() if name.startswith(starts)]


def plain_recipe(recipe: dict[str, Any] | None) -> dict[str, Any] | None:
    """The recipe of a network without its attention; None if there is no such network."""
    if recipe is None:
        return None
    record = model_info(recipe["model"])
    if record.own_plan and record.backbone is None:
        return None
    options = {**record.preset, **recipe["options"]}
    return {**recipe, "model": record.backbone or recipe["model"], "plan": Plan().to_dict(), "options": options}


def _pairs(own: HybridBlock, plain: HybridBlock, prefix: str, there: str) -> Iterator[tuple[str, str]]:
    """(name in `own`, name in `plain`) of the parameters of layers that both have, in the same order."""
    yield from ((f"{prefix}{name}", f"{there}{name}") for name in own._reg_params if name in plain._reg_params)
    rest = list(plain._children.items())
    for name, child in own._children.items():
        slot = slot_of(child)
        if slot is not None:
            if slot not in EMPTY_SLOTS and rest:
                rest.pop(0)
            continue
        while rest and type(rest[0][1]) is not type(child):  # the norm and activation of a convolution that is replaced
            rest.pop(0)
        if rest:
            other, counterpart = rest.pop(0)
            yield from _pairs(child, counterpart, f"{prefix}{name}.", f"{there}{other}.")
