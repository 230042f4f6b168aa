"""Networks by name."""

import inspect
from dataclasses import dataclass
from functools import partial

from ..attention.base import positive
from ..attention.factory import ATTENTIONS
from ..config.base import nearest
from ..registry import Registry
from ..utils.errors import UserError
from . import variants
from .atac import act_entry
from .cifar_resnet import CIFARResNet
from .plan import Entry, Plan

MODELS = Registry("model")


@dataclass(frozen=True)
class Model:
    """What the registry holds of a network.

    build: `build(plan, classes, **options) -> HybridBlock`. places: number of `act` places to count over.
    input_size: height and width it was designed for. own_plan: its plan is part of its name.
    """

    build: object
    places: int
    input_size: int
    own_plan: bool = False

    def options(self):
        """Option name -> default."""
        parameters = inspect.signature(self.build).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def list_models():
    """Names that `get_model` takes, sorted."""
    return MODELS.names()


def model_info(name):
    """The `Model` record of a name; an unknown one is a `UserError` with the nearest choices."""
    return MODELS.get(name)


def get_model(name, classes=1000, attention=None, plan=None, pretrained=False, **options):
    """A new network, uninitialized unless `pretrained`.

    name: one of `list_models()`. classes: number of outputs (default 1000). attention: a name of
    `list_attentions()`, or a mapping {"name": ..., option: value}, put where that attention belongs. plan: a
    `Plan` (or its plain data) instead. pretrained: a parameter file to load. options: the network's own, such as
    `input_size`, `drop_rate`, `last_gamma`; an unknown one is a `UserError`.
    The network's `recipe` holds all of this as plain data, for a `Card`.
    """
    model = MODELS.get(name)
    known = model.options()
    for key in options:
        if key not in known:
            raise UserError(f"model {name!r} has no option {key!r}{nearest(key, known)}")
    classes = positive("classes", classes)
    plan = _plan(name, model, attention, plan)
    net = model.build(plan, classes, **options)
    net.recipe = {
        "model": MODELS.resolve(name),
        "classes": classes,
        "plan": None if model.own_plan else plan.to_dict(),
        "options": options,
    }
    if pretrained:
        from .pretrained import load_params, pretrained_path

        load_params(net, pretrained_path(name) if pretrained is True else pretrained)
    return net


def attention_entry(name, options=None):
    """The plan entry that puts an attention where it belongs."""
    return Entry(slot=ATTENTIONS.get(name).slot, name=name, options=options or {})


def _plan(name, model, attention, plan):
    if attention is not None and plan is not None:
        raise UserError("give an attention or a plan, not both")
    if model.own_plan and (attention is not None or plan is not None):
        raise UserError(f"model {name!r} has its attention in its name; take a plain backbone for another")
    if attention is not None:
        options = dict(attention) if isinstance(attention, dict) else {"name": attention}
        if "name" not in options:
            raise UserError(f"an attention given as a mapping needs its 'name', got {attention!r}")
        return Plan([attention_entry(options.pop("name"), options)])
    if isinstance(plan, dict):
        return Plan.from_dict(plan)
    if plan is not None and not isinstance(plan, Plan):
        raise UserError(f"plan must be a Plan or its plain data, got {plan!r}; Plan.load reads a file")
    return plan or Plan()


def _cifar_resnet(version, kind, count, plan, classes, *, input_size=32, drop_rate=0.0, last_gamma=False):
    return CIFARResNet(
        version, kind, [count] * 3, plan, classes,
        input_size=input_size, drop_rate=drop_rate, last_gamma=last_gamma,
    )  # fmt: skip


def _atac_cifar_resnet(
    plan, classes, *, blocks=3, act_type="ChaATAC", act_layers=4, act_order="bac", reduction=None, relu=None,
    global_pool=None, input_size=32, drop_rate=0.0,
):  # fmt: skip
    """Dai et al.'s network: version 2, `blocks` blocks a stage, the activation a choice (`models/atac.py`)."""
    blocks = positive("blocks", blocks)
    entry = act_entry(
        act_type, 4, act_layers=act_layers, act_order=act_order,
        reduction=reduction, relu=relu, global_pool=global_pool,
    )  # fmt: skip
    return CIFARResNet(2, "basic", [blocks] * 3, Plan([entry]), classes, input_size=input_size, drop_rate=drop_rate)


for _depth, (_kind, _count) in variants.CIFAR_RESNET.items():
    for _version in (1, 2):
        MODELS.register(f"cifar_resnet{_depth}_v{_version}")(
            Model(partial(_cifar_resnet, _version, _kind, _count), places=2 + _version, input_size=32)
        )
MODELS.register("atac_cifar_resnet", "atac")(Model(_atac_cifar_resnet, places=4, input_size=32, own_plan=True))
