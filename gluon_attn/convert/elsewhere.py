"""Our networks in the libraries whose weights are converted: what they are called there, and how they are made."""

import contextlib
import importlib
from dataclasses import dataclass, field

import numpy as np

from ..utils.errors import UserError
from ..utils.optional import without_torch

#: attention of ours -> (timm's attn_layer, options that ours must have for it)
_TIMM_LAYERS = {
    "se": ("se", {}),
    "ese": ("ese", {}),
    "eca": ("eca", {}),
    "ceca": ("ceca", {}),
    "cbam": ("cbam", {"bias": False}),
    "light_cbam": ("lcbam", {}),
    "gc": ("gc", {"epsilon": 1e-6}),
    "gca": ("gca", {"epsilon": 1e-6}),
}
#: options of ours that make timm's selective kernels
_TIMM_SK = {"groups": 1, "narrowest": 8, "split": True}


@dataclass(frozen=True)
class Counterpart:
    """A network of another library: `library.NAME(**options)` in its own words."""

    library: str
    name: str
    options: dict = field(default_factory=dict)

    def __str__(self):
        words = "".join(f", {key}={value!r}" for key, value in self.options.items())
        if self.library == "torchvision":
            return f"torchvision.models.{self.name}({words[2:]})"
        return (
            f"{'timm.create_model' if self.library == 'timm' else 'gluoncv.model_zoo.get_model'}({self.name!r}{words})"
        )

    def logits(self, path, images):
        """Logits (N,classes) for images (N,3,H,W) float32, normalised, with the weights of file `path`, which has its
        names. None where the library is not installed."""
        with contextlib.suppress(ImportError):
            return _gluon_logits(self, path, images) if self.library == "gluoncv" else _torch_logits(self, path, images)
        return None


def counterpart(net, library):
    """The `Counterpart` of a network of `get_model` in "timm", "torchvision" or "gluoncv"; None if it has none."""
    recipe = net.recipe
    entries = (recipe["plan"] or {}).get("entries", [])
    classes = recipe["classes"]
    base, attention = _parts(recipe["model"], entries)
    if library == "gluoncv":
        known = attention is None and base.startswith(("cifar_resnet", "resnet"))
        return Counterpart("gluoncv", base, {"classes": classes}) if known else None
    name = _backbone(base, library)
    if name is None or (attention and library != "timm"):
        return None
    options = {"num_classes": classes}
    if attention and attention["name"] == "sk":
        plain = base.endswith("_v1b") and attention["options"] == _TIMM_SK
        return Counterpart("timm", f"sk{name}", options) if plain and name == "resnet50" else None
    if attention:
        layer, needed = _TIMM_LAYERS.get(attention["name"], (None, None))
        # timm's squeeze-and-excitation has 8 hidden channels or more, ours 4 at the 64 of a basic block
        narrow = layer == "se" and name.startswith(("resnet18", "resnet34"))
        if layer is None or narrow or attention["options"] != needed:
            return None
        options["block_args"] = {"attn_layer": layer}
    return Counterpart(library, name, options)


def needed_counterpart(net, library):
    """As `counterpart`; none is a `UserError`."""
    found = counterpart(net, library)
    if found is None:
        raise UserError(
            f"{library} has no network like this {net.recipe['model']}: its weights would fit nothing there"
        )
    return found


def _parts(model, entries):
    """(backbone, the one attention at every place of its own as a plan entry, or None); "" where there are more."""
    from ..models.factory import model_info

    info = model_info(model)
    entries = list(info.entries) if info.own_plan else entries
    base = info.backbone or model
    if not entries:
        return (base, None) if info.backbone or not info.own_plan else ("", None)
    entry = {"options": {}, "shared": False, "scheme": None, "stages": None, **entries[0]}
    spread = len(entries) > 1 or entry["shared"] or entry["scheme"] or entry["stages"]
    slot = entry.get("slot", "post")
    fits = not spread and (slot == "post" or (slot == "conv" and entry["name"] == "sk"))
    return (base, {**entry, "options": dict(entry["options"])}) if fits else ("", None)


def _backbone(base, library):
    for ending, there in (("_v1b", ""), ("_v1d", "d")):
        if base.startswith("resnet") and base.endswith(ending) and (library == "timm" or not there):
            return base.removesuffix(ending) + there
    return base if (base, library) == ("mobilenet_v2", "torchvision") else None


def _torch_logits(made, path, images):
    library = importlib.import_module(made.library if made.library == "timm" else "torchvision.models")
    torch = importlib.import_module("torch")
    make = library.create_model if made.library == "timm" else getattr(library, "get_model")  # noqa: B009
    from .files import read_weights

    net = make(made.name, **made.options).eval()
    tensors = read_weights(path).tensors
    net.load_state_dict({name.removeprefix("module."): torch.from_numpy(np.array(tensors[name])) for name in tensors})
    with torch.no_grad():
        return net(torch.from_numpy(images)).numpy()


def _gluon_logits(made, path, images):
    import mxnet as mx

    with without_torch():
        zoo = importlib.import_module("gluoncv.model_zoo")
    net = zoo.get_model(made.name, pretrained=False, **made.options)
    net.load_parameters(str(path))
    return net(mx.nd.array(images)).asnumpy()
