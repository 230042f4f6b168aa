"""`gluon-attn attentions`: the attention modules."""

import inspect
import json

from ..utils.table import render

_CHANNELS, _SIZE = 64, 32


def add_arguments(parser):
    """Flags of `gluon-attn attentions`."""
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(args):
    """Print a row for each: place, options with defaults, what it adds to 64 channels, the paper."""
    from ..attention.factory import list_attentions

    rows = [describe(name) for name in list_attentions()]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    header = ("name", "slot", f"weights at {_CHANNELS} channels", "options", "what")
    print(render(header, [[row["name"], row["slot"], row["weights"], _options(row), row["summary"]] for row in rows]))
    print("\nslot: post = end of the residual branch, act = instead of the activation, conv = instead of the 3x3")
    print("convolution, stage = after a stage")
    return 0


def describe(name):
    """Plain data about one attention. weights: learnable ones, at 64 channels of 32x32."""
    from ..analyze.cost import cost
    from ..attention.base import ATTENTIONS
    from ..attention.factory import attention_options, get_attention

    options = attention_options(name)
    given = {"spatial": _SIZE} if "spatial" in options else {}
    module = get_attention(name, _CHANNELS, **given)
    return {
        "name": name,
        "slot": module.slot,
        "options": {key: None if value is inspect.Parameter.empty else value for key, value in options.items()},
        "weights": cost(module, (_CHANNELS, _SIZE, _SIZE)).params,
        "summary": inspect.getdoc(ATTENTIONS.get(name)).split("\n")[0],
    }


def _options(row):
    return ", ".join(f"{key}={value}" for key, value in row["options"].items())
