"""Parameter files: written whole, read strictly."""

from pathlib import Path

import mxnet as mx
from mxnet.gluon import nn

from ..utils.errors import UserError
from ..utils.files import atomic_path


def save_params(net, path):
    """Write a network's parameters and running statistics to `path` under their structural names."""
    with atomic_path(path) as staged:
        net.save_parameters(str(staged))


def load_params(net, path, ctx=None, renewed=()):
    """Read a parameter file into a network, which it initializes where needed.

    Strict: a missing, left-over or wrongly shaped tensor, or a file that cannot be read, is a `UserError` and
    the network is left as it was. ctx: device or devices (default: where the network is, else the CPU). renewed: names
    of tensors that stay as they are, already initialized, if all of them have another first length in the file, as a
    classifier for other classes has. Returns the names that were so left out.
    """
    tensors = read_params(path)
    params = net._collect_params_with_prefix()
    missing, extra = sorted(set(params) - set(tensors)), sorted(set(tensors) - set(params))
    if missing or extra:
        parts = [f"it lacks {few(missing)}"] * bool(missing) + [f"it has {few(extra)} besides"] * bool(extra)
        raise UserError(f"{path} is of another network: {', '.join(parts)}")
    left_out = _other_rows(params, tensors, renewed)
    for name in left_out:
        del params[name], tensors[name]
    for name, value in tensors.items():
        if params[name].shape is not None and not _fits(params[name].shape, value.shape):
            raise UserError(f"{path} is of another network: {name} has shape {value.shape}, here {params[name].shape}")
    for name, param in params.items():
        fill(param, tensors[name], ctx)
    return left_out


def classifier(net, classes=None):
    """Names of the weights of the last layer, dense or a convolution, with `classes` outputs; [] if there is none.

    classes: None takes the last of any number.
    """
    layers = []

    def look(block):
        if isinstance(block, (nn.Dense, nn.Conv2D)) and classes in (None, block.weight.shape[0]):
            layers.append(block)

    net.apply(look)
    own = {id(param) for layer in layers[-1:] for param in layer.collect_params().values()}
    return [name for name, param in net._collect_params_with_prefix().items() if id(param) in own]


def fill(param, value, ctx=None):
    """Give a parameter, initialized or not, the NDArray `value` in the parameter's dtype; ctx as in `load_params`."""
    param._load_init(value, _where(param, ctx), cast_dtype=True, dtype_source="current")


def few(names):
    """The first three of some names and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def read_params(path):
    """Tensor name -> NDArray of a parameter file; `UserError` when it is missing, damaged or no such file."""
    if not Path(path).is_file():
        raise UserError(f"parameter file {path} does not exist")
    try:
        tensors = mx.nd.load(str(path))
    except (mx.MXNetError, OSError, ValueError):
        raise UserError(f"parameter file {path} is damaged or not a parameter file") from None
    if not tensors:  # of a network without parameters; MXNet gives a list
        return {}
    if not isinstance(tensors, dict):
        raise UserError(f"parameter file {path} holds no names; expected a file that save_params wrote")
    return {name.split(":", 1)[-1]: value for name, value in tensors.items()}


def _where(param, ctx):
    """Devices for the values; a parameter that lives elsewhere is moved there."""
    devices = [ctx] if isinstance(ctx, mx.Context) else ctx
    if param._data is None and not param._deferred_init:
        return devices or [mx.cpu()]
    if devices and set(devices) != set(param.list_ctx()):
        param.reset_ctx(devices)
    return param.list_ctx()


def _other_rows(params, tensors, names):
    """The names, if each has another first length in `tensors` and otherwise fits, else []."""
    pairs = [(params[name].shape, tensors[name].shape) for name in names]
    other = all(own[:1] != found[:1] and _fits(own[1:], found[1:]) for own, found in pairs)
    return list(names) if other else []


def _fits(shape, found):
    return len(shape) == len(found) and all(a in (0, -1, b) for a, b in zip(shape, found, strict=True))
