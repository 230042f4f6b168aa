"""Networks by name."""

from ..attention.factory import ATTENTIONS
from ..config.base import nearest
from ..utils.checks import positive
from ..utils.errors import UserError
from . import (  # noqa: F401 - each registers its networks
    cell_network,
    mobilenet_v2,
    named,
)
from .base import MODELS
from .norms import normalized
from .plan import Entry, Plan
from .resnet import (  # noqa: F401
    cifar_resnet,
    cifar_resnet_torch,
    fbresnet,
    gluon_resnet,
    imagenet_resnet,
)
from .scheme import Scheme, is_file


def list_models():
    """Names that `get_model` takes, sorted."""
    return MODELS.names()


def model_info(name):
    """The `Model` record of a name; an unknown one is a `UserError` with the nearest choices."""
    return MODELS.get(name)


def get_model(name, classes=1000, attention=None, plan=None, pretrained=False, *, norm="batch", **options):
    """A new network, uninitialized unless `pretrained`.

    name: one of `list_models()`. classes: number of outputs (default 1000). attention: a name of
    `list_attentions()`, or a mapping {"name": ..., option: value}, put where that attention belongs. plan: a
    `Plan` (or its plain data) instead. pretrained: a parameter file to load, or True for the published one of exactly
    this network (`gluon-attn models --pretrained` lists them). norm: "batch" (default) or "group", see
    `norms.normalized`. options: the network's own, such as `input_size`, `drop_rate`, `last_gamma`; an unknown one is
    a `UserError`. scheme: a file of a connection scheme for this network, see `scheme.Scheme`; networks such as
    sge_fbresnet50 also take its bits.
    The network's `recipe` holds all of this as plain data, for a `Card`.
    """
    model = MODELS.get(name)
    if is_file(options.get("scheme")):
        plan, options = _with_scheme(name, attention, plan, options)
        of_file = options.pop("norm", norm)
        norm = of_file if norm == "batch" else norm
    known = model.options()
    for key in options:
        if key not in known:
            raise UserError(f"model {name!r} has no option {key!r}{nearest(key, known)}")
    classes = positive("classes", classes)
    plan = _plan(name, model, attention, plan)
    net = normalized(model.build(plan, classes, **options), norm)
    # a network that read a file says what it held, so that the recipe needs no file
    options = {**options, **{key: value for key, value in getattr(net, "resolved", {}).items() if key in options}}
    net.recipe = {
        "model": MODELS.resolve(name),
        "classes": classes,
        "plan": None if model.own_plan else plan.to_dict(),
        "options": options if norm == "batch" else {**options, "norm": norm},
    }
    if pretrained:
        from .pretrained import load_params, pretrained_path

        load_params(net, pretrained_path(net.recipe) if pretrained is True else pretrained)
    return net


def _with_scheme(name, attention, plan, options):
    """(plan, options) of the network with the scheme in the file that the options name."""
    found, options = Scheme.load(options["scheme"]), dict(options)
    path = options.pop("scheme")
    if MODELS.resolve(found.model) != MODELS.resolve(name):
        raise UserError(f"scheme {path} is for {found.model}, not for {name}")
    if found.attention is None:
        return plan, {**found.network_options(), **options, "scheme": found.scheme}
    if attention is not None or plan is not None:
        raise UserError(f"scheme {path} says which attention it connects: give no attention and no plan beside it")
    return found.plan(), {**found.network_options(), **options}


def attention_entry(model, name, options=None, slot=None):
    """The plan entry that puts an attention where it belongs in a `Model`, or in another kind of place, `slot`."""
    kind = ATTENTIONS.get(name)
    slot = slot or kind.slot
    stages = tuple(range(1, model.stages)) if kind.between and slot == "stage" else None
    return Entry(slot=slot, name=name, options=options or {}, stages=stages, shared=kind.shared)


def _plan(name, model, attention, plan):
    if attention is not None and plan is not None:
        raise UserError("give an attention or a plan, not both")
    if model.own_plan and (attention is not None or plan is not None):
        raise UserError(f"model {name!r} has its attention in its name; take a plain backbone for another")
    if model.own_plan:
        return Plan(model.entries)
    if attention is not None:
        options = dict(attention) if isinstance(attention, dict) else {"name": attention}
        if "name" not in options:
            raise UserError(f"an attention given as a mapping needs its 'name', got {attention!r}")
        return Plan([attention_entry(model, options.pop("name"), options)])
    if isinstance(plan, dict):
        return Plan.from_dict(plan)
    if plan is not None and not isinstance(plan, Plan):
        raise UserError(f"plan must be a Plan or its plain data, got {plan!r}; Plan.load reads a file")
    return plan or Plan()
