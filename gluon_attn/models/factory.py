"""Networks by name."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mxnet.gluon import HybridBlock

from ..attention.factory import ATTENTIONS
from ..config.base import nearest
from ..registry import UnknownName
from ..utils.checks import positive
from ..utils.errors import UserError
from .base import MODELS, Model
from .detection import CLASSES, DetectorBuild, canonical, detector_record
from .drop_block import with_drop_block
from .drop_path import with_drop_path
from .library_names import meant
from .norms import with_norm
from .plan import Entry, Plan
from .scheme import Scheme, is_file

#: options of `get_model` that do nothing outside of training
ONLY_IN_TRAINING = frozenset({"drop_path", "dropblock_prob"})
B = TypeVar("B", bound=Callable[..., HybridBlock])
#: what other libraries and other families call an option
_SYNONYMS = {"multiplier": "width", "width": "multiplier", "width_mult": "multiplier", "num_classes": "classes"}


def register_model(
    name: str,
    *aliases: str,
    input_size: int,
    stages: int,
    classes: int = 1000,
    head: bool = False,
    blocks: Sequence[int] = (),
) -> Callable[[B], B]:
    """Decorator that makes a backbone of your own known by its name, in every function and command.

    Args:
        name: the name that `get_model` takes.
        aliases: further names, which `list_models` does not list.
        input_size: height and width in pixels of the images that it is designed for.
        stages: number of its stages.
        classes: number of classes of the data set that it is designed for.
        head: whether an activation follows the last stage; an `act` slot counts it as one more stage.
        blocks: number of blocks in each stage; () if its options decide.

    Returns:
        A decorator of a class or function `build(plan, classes, *, input_size=..., option=default)`, which it returns
        as it is. That gives the uninitialized network, N,3,H,W -> N,classes; it binds the `Plan` to its blocks and
        makes the module of each slot with it. `input_size` is the height of the images that it is to take.

    Raises:
        UserError: what is decorated has no option `input_size`.
        ValueError: one of the names is taken.
    """

    def add(build: B) -> B:
        model = Model(build, input_size, stages, head=head, classes=classes, blocks=tuple(blocks))
        if "input_size" not in model.options():
            raise UserError(
                f"model {name!r} must have an option input_size: (plan, classes, *, input_size={input_size})"
            )
        MODELS.register(name, *aliases)(model)
        return build

    return add


def list_models(pattern: str | None = None, *, attention: str | None = None) -> list[str]:
    """Names of models.

    Args:
        pattern: those that match it, such as "*eca*" (default: all).
        attention: those that have this attention in their name; all others take it as `attention`.

    Returns:
        The names that `get_model` takes, sorted, without aliases.

    Raises:
        UserError: there is no such attention.
    """
    wanted = None if attention is None else ATTENTIONS.resolve(attention)
    return [name for name in MODELS.names(pattern) if wanted is None or wanted in MODELS.get(name).attentions]


def model_info(name: str) -> Model:
    """The record of a model, detectors included.

    Raises:
        UserError: the name is unknown; the message says what timm's network of that name is here, or suggests the
            nearest names.
    """
    try:
        return detector_record(name) or MODELS.get(name)
    except UnknownName as error:
        if own := meant(str(error.name)):
            raise UnknownName(error.kind, error.name, own) from None
        raise


def get_model(
    name: str,
    classes: int | None = None,
    attention: str | dict[str, Any] | None = None,
    plan: Plan | dict[str, Any] | None = None,
    pretrained: bool | str | Path = False,
    *,
    norm: str = "batch",
    drop_path: float = 0.0,
    dropblock_prob: float = 0.0,
    **options: Any,
) -> HybridBlock:
    """Make a network.

    Args:
        name: one of `list_models()`, or an alias; or a detector, mask_rcnn_fpn_NAME or faster_rcnn_fpn_NAME with the
            name of a ResNet for ImageNet, such as mask_rcnn_fpn_eca_resnet50.
        classes: number of outputs (default: 1000, of a detector 80); of a detector without the background.
        attention: a name of `list_attentions()`, or a mapping {"name": ..., option: value}. It goes into the slot that
            it is made for, in every block or stage; in a network that has an attention by default (MobileNetV3,
            EfficientNet, RegNetY) into the place of that.
        plan: which attention is in which slot, a `Plan` or its plain data, in place of `attention`.
        pretrained: a parameter file to load, or True for the published parameters of exactly this network
            (`gluon-attn models --pretrained` lists them). False: the network is uninitialized.
        norm: "batch" or "group" normalization in the backbone, see `norms.with_norm`.
        drop_path: largest probability that training drops the branch of a residual block for an image, see
            `drop_path.with_drop_path`; of a network of searched cells, that of every path.
        dropblock_prob: probability that training drops a value with the square around it, see
            `drop_block.with_drop_block`.
        **options: options of the model, such as `input_size`, `drop_rate`, `last_gamma`; `model_info(name).options()`
            has all with their defaults. `scheme` may also be the file of a connection scheme for this model, see
            `scheme.Scheme`; models such as sge_fbresnet50 take its bits, too.

    Returns:
        The network, N,3,H,W -> N,classes logits, or a `detection.Detector`. Its `recipe` holds name, classes, plan and
            options as plain data; a `Card` is made of it.

    Raises:
        UserError: a name, an option or a value is wrong; the plan does not fit; the parameters are of another network.

    Example:
        `net = get_model("resnet50_v1b", 1000, attention="eca", input_size=224)`
    """
    model = model_info(name)
    if is_file(options.get("scheme")):
        plan, options = _with_scheme_file(name, attention, plan, options)
        of_file = options.pop("norm", norm)
        norm = of_file if norm == "batch" else norm
    known = model.options()
    for key in options:
        if key not in known:
            synonym = _SYNONYMS.get(key)
            hint = f"; did you mean {synonym}?" if synonym in (*known, "classes") else nearest(key, known)
            raise UserError(f"model {name!r} has no option {key!r}{hint}")
    usual = CLASSES if isinstance(model.build, DetectorBuild) else 1000
    classes = positive("classes", usual if classes is None else classes)
    chosen = _plan(name, model, attention, plan)
    whole: dict[str, Any] = {"norm": norm} if norm != "batch" else {}
    if drop_path and "drop_path" in known:  # a network with a way of its own
        options["drop_path"] = drop_path
    elif drop_path:
        whole["drop_path"] = drop_path
    if dropblock_prob:
        whole["dropblock_prob"] = dropblock_prob
    net = with_norm(model.build(chosen, classes, **options), norm)
    with_drop_block(with_drop_path(net, whole.get("drop_path", 0)), dropblock_prob)
    # the content of files that options name, so that the recipe needs no file
    options = {**options, **{key: value for key, value in getattr(net, "resolved", {}).items() if key in options}}
    net.recipe = {
        "model": canonical(name),
        "classes": classes,
        "plan": None if model.own_plan else chosen.to_dict(),
        "options": {**options, **whole},
    }
    if pretrained:
        from .pretrained import load_params, pretrained_path

        load_params(net, pretrained_path(net.recipe) if pretrained is True else pretrained)
    return net


def attention_entry(model: Model, name: str, options: dict[str, Any] | None = None, slot: str | None = None) -> Entry:
    """The plan entry that puts an attention everywhere in a model.

    Args:
        model: the record of the model.
        name: name of the attention.
        options: its options.
        slot: kind of slot; None: the one that the attention is made for.

    Raises:
        UserError: the attention or the slot is unknown.
    """
    kind = ATTENTIONS.get(name)
    if slot is None and kind.slot == "post" and model.entries and not model.own_plan:
        return _in_place(model, name, options or {})
    slot = slot or kind.slot
    stages = tuple(range(1, model.stages)) if kind.between and slot == "stage" else None
    return Entry(slot=slot, name=name, options=options or {}, stages=stages, shared=kind.shared)


def _in_place(model, name, options):
    """The entry of an attention in the place of the one that a model has by default."""
    own = [Entry.from_dict(entry, "plan entry") for entry in model.entries]
    stages = sorted({stage for entry in own for stage in entry.stages or range(1, model.stages + 1)})
    every = len(stages) == model.stages
    return Entry(
        slot=own[0].slot, name=name, options=options, stages=None if every else tuple(stages),
        shared=ATTENTIONS.get(name).shared,
    )  # fmt: skip


def _with_scheme_file(name, attention, plan, options):
    """(plan, options) of the network with the scheme in the file that the options name."""
    options = dict(options)
    path = options.pop("scheme")
    found = Scheme.load(path)
    asked = attention.get("name") if isinstance(attention, dict) else attention
    found.check_belongs(path, name, asked)
    if found.attention is None:
        return plan, {**found.network_options(), **options, "scheme": found.scheme}
    if attention is not None or plan is not None:
        raise UserError(f"scheme {path} says which attention it connects: give neither attention nor plan")
    return found.plan(), {**found.network_options(), **options}


def has_own_attention(name: str) -> UserError:
    """The error for a network with its attention in its name that is to get another."""
    backbone = model_info(name).backbone
    return UserError(f"model {name!r} has its attention in its name; take {backbone or 'a plain backbone'} for another")


def _plan(name, model, attention, plan):
    """The `Plan` that the arguments of `get_model` ask for."""
    if attention is not None and plan is not None:
        raise UserError("give an attention or a plan, not both")
    if model.own_plan and (attention is not None or plan is not None):
        raise has_own_attention(name)
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
    return Plan(model.entries) if plan is None else plan
