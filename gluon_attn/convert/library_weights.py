"""ImageNet weights of timm and torchvision by name, as timm:seresnet50: from the installed library or its cache."""

import importlib
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..models.library_names import MOBILE
from ..utils.errors import UserError
from ..utils.suggest import did_you_mean
from .files import Weights, read_weights
from .tensors import Tensors

#: those that both have
GROUPED = (
    *(f"resnext{name}" for name in ("50_32x4d", "101_64x4d", "101_32x8d")), "wide_resnet50_2", "wide_resnet101_2",
)  # fmt: skip
#: library -> its networks whose weights ours take: others may have the same tensors and compute otherwise
NETWORKS = {
    "timm": (
        *(f"resnet{depth}" for depth in ("18", "34", "50", "101", "152")),
        *(f"resnet{name}" for name in ("10t", "14t", "26t", "50t", "26", "18d", "26d", "34d", "50d", "101d", "152d")),
        *(f"resnet{name}" for name in ("200d", "50c", "101c", "152c", "50s", "101s", "152s", "32ts", "33ts")),
        *(f"seresnet{name}" for name in ("18", "34", "50", "101", "152", "152d", "50t", "33ts")),
        *(f"ecaresnet{name}" for name in ("26t", "50t", "50d", "101d", "269d", "light")), "eca_resnet33ts",
        *(f"skresnet{name}" for name in ("18", "34", "50", "50d")),
        *(f"resnest{name}" for name in ("14d", "26d", "50d", "101e", "200e", "269e")),
        "gcresnet33ts", "gcresnet50t", "botnet26t_256", "halonet26t", "halonet50ts",
        "lambda_resnet26t", "lambda_resnet50ts", "gcresnext50ts", "skresnext50_32x4d",
        *(f"{name}26ts" for name in ("seresnext", "eca_resnext", "gcresnext", "bat_resnext")),
        *GROUPED, "resnext101_32x4d", *(f"seresnext{name}" for name in ("50_32x4d", "101_32x4d", "101_64x4d")),
        "legacy_senet154", *MOBILE["timm"],
    ),
    "torchvision": (
        *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)), "mobilenet_v2", *GROUPED, *MOBILE["torchvision"]
    ),
}  # fmt: skip
_INSTALL = {"timm": "pip install timm", "torchvision": "pip install torch torchvision"}


@dataclass(frozen=True)
class LibraryNetwork:
    """A network of another library with its weights; `str` gives "timm:seresnet50.ra2_in1k".

    Attributes:
        library: "timm" or "torchvision".
        name: of the network there.
        tag: which of its weights, such as "ra2_in1k" or "IMAGENET1K_V2"; "" for the library's default.
    """

    library: str
    name: str
    tag: str = ""

    def __str__(self) -> str:
        return f"{self.library}:{self.full_name}"

    @property
    def full_name(self) -> str:
        """Name and tag, with a dot between."""
        return f"{self.name}.{self.tag}" if self.tag else self.name


def library_network(text: str) -> LibraryNetwork | None:
    """The network that a word such as "timm:seresnet50" names; None for other words.

    Raises:
        UserError: the library has no such network that ours take the weights of.
    """
    library, colon, name = text.partition(":")
    if not colon or library not in NETWORKS or os.path.exists(text):
        return None
    name, _, tag = name.partition(".")
    known = NETWORKS[library]
    if name not in known:
        near = did_you_mean(name, known) or f"known: {', '.join(known)}"
        raise UserError(f"no network here takes the weights of {library}'s {name!r}; {near}")
    return LibraryNetwork(library, name, tag)


def read_library_weights(network: LibraryNetwork) -> Weights:
    """The weights of a network: by the library, where it is installed, else a file in its cache.

    Raises:
        UserError: the library is not installed and has no such file in its cache, or cannot load the weights.
    """
    try:
        net = _load(network, importlib.import_module("timm" if network.library == "timm" else "torchvision.models"))
    except ModuleNotFoundError:
        return _cached(network)
    except Exception as error:  # of downloads, caches, names: any kind
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{network.library} cannot load {network.full_name} ({reason}): {_by_file(network)}") from None
    state = {name: partial(_numpy, value) for name, value in net.state_dict().items()}
    return Weights(f"{network.library}'s weights", Tensors(state))


def _load(network: LibraryNetwork, module: Any) -> Any:
    if network.library == "timm":
        return module.create_model(network.full_name, pretrained=True)
    return module.get_model(network.name, weights=network.tag or "DEFAULT")


def _numpy(value):
    return value.detach().cpu().numpy()


def _cached(network: LibraryNetwork) -> Weights:
    """The weights in the only entry of the library's cache that has the name."""
    entries = _of_timm(network) if network.library == "timm" else _of_torchvision(network)
    if len(entries) > 1:
        names = ", ".join(sorted(entries))
        raise UserError(f"the cache of {network.library} has several weights of {network.name}: {names}; give a file")
    if not entries:
        raise UserError(
            f"{network.library} is not installed, and its cache has no {network.full_name}: "
            f"{_INSTALL[network.library]}, or {_by_file(network)}"
        )
    return read_weights(next(iter(entries.values())))


def _of_timm(network: LibraryNetwork) -> dict[str, Path]:
    """Name -> file in the cache of the Hugging Face Hub; one that needs no PyTorch where there is one."""
    home = os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or _cache() / "huggingface") / "hub"
    found: dict[str, Path] = {}
    for ending in ("bin", "safetensors"):
        for path in sorted(Path(home).expanduser().glob(f"models--timm--{network.name}*/snapshots/*/*.{ending}")):
            full = path.parents[2].name.rpartition("--")[2]
            name, _, tag = full.partition(".")
            if name == network.name and network.tag in ("", tag):
                found[full] = path
    return found


def _of_torchvision(network: LibraryNetwork) -> dict[str, Path]:
    """Name -> file in the cache of PyTorch, whose names have a hash in place of the tag."""
    folder = Path(os.environ.get("TORCH_HOME") or _cache() / "torch").expanduser() / "hub/checkpoints"
    return {path.name: path for path in sorted(folder.glob(f"{network.name}-*.pth"))}


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


def _by_file(network: LibraryNetwork) -> str:
    return f"download its file elsewhere and give that: gluon-attn convert FILE OUT --source {network.library}"
