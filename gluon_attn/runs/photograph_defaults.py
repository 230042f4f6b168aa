"""The defaults of a training on photographs: ours, or those of the repository whose command line it is."""

from ..config.files import merge
from ..config.photograph_defaults import EPOCHS, OWN, PHOTOGRAPHS, SCRIPTS, STEPS, WARMUP, WARMUP_SHARE, ReferenceScript
from .options import Layer, Options

_STEP_OPTIONS = ("lr_decay", "lr_decay_epoch", "lr_decay_period")


def with_photograph_defaults(options: Options, whose: str | None = None) -> Options:
    """The options of a training on photographs with their defaults filled in.

    Args:
        options: of a `RunConfig`.
        whose: "own", or a name in `SCRIPTS` (default: that of the repository whose own options are given, else "own").
    """
    script = SCRIPTS.get(whose or reference_script(options) or OWN)
    return options.with_defaults(_of_script(options, script) if script else _own(options))


def reference_script(options: Options) -> str | None:
    """The name in `SCRIPTS` of the repository whose command line it is: one with options that only its script has.

    Args:
        options: of a `RunConfig`.
    """
    if any(options.asked(f"model.{name}") for name in ("attention", "use_se", "use_sk", "plan", "scheme")):
        return None
    model = str(options.asked("model.model") or "")
    for name, script in SCRIPTS.items():
        named = model.startswith(script.models) if model else "model" in script.defaults
        if named and own_options(options, script):
            return name
    return None


def own_options(options: Options, script: ReferenceScript) -> list[str]:
    """Names of the options that are given and that only the script of a repository has."""
    return [key.partition(".")[2] for key in script.options if options.asked(key) not in (None, False)]


def _of_script(options: Options, script: ReferenceScript) -> Layer:
    layer = merge(PHOTOGRAPHS, script.defaults)
    if script.images:
        layer = merge(layer, {"data": {"batch_size": max(1, script.images // _devices(options))}})
    return layer


def _own(options: Options) -> Layer:
    mode = options.asked("optim.lr_mode")
    steps = any(options.asked(f"optim.{name}") is not None for name in _STEP_OPTIONS)
    if mode == "step" or (mode is None and steps):
        return merge(PHOTOGRAPHS, {"optim": STEPS})
    epochs = _whole(options.asked("train.num_epochs"), EPOCHS)
    warmup = 0 if options.asked("optim.warmup_updates") else min(WARMUP, epochs // WARMUP_SHARE)
    return merge(PHOTOGRAPHS, {"optim": {"warmup_epochs": warmup}})


def _devices(options: Options) -> int:
    """How many devices are asked for."""
    named = options.asked("train.gpus")
    if named is not None:
        return len(str(named).split(",") if isinstance(named, (str, int)) else named)
    return max(1, _whole(options.asked("train.num_gpus"), 1))


def _whole(value: object, default: int) -> int:
    """An option's value as it was given; `default` where it is no whole number, which is told later."""
    return int(str(value)) if str(value).isdecimal() else default
