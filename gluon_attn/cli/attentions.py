"""`gluon-attn attentions`: the attention modules."""

import argparse
import json
from typing import Any

from ..utils.table import render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn attentions`."""
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(args: argparse.Namespace) -> int:
    """Print a row for each module: slot, options with defaults, weights at 64 channels, the paper."""
    from ..attention.factory import list_attentions
    from ..runs.describe import CHANNELS, describe_attention

    rows = [describe_attention(name) for name in list_attentions()]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    header = ("name", "slot", f"weights at {CHANNELS} channels", "options", "what")
    print(render(header, [[row["name"], row["slot"], row["weights"], _options(row), row["summary"]] for row in rows]))
    print("\nslot: post = end of the residual branch, act = instead of the activation, conv = instead of the 3x3")
    print("convolution, stage = after a stage")
    return 0


def _options(row: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in row["options"].items())
