"""`gluon-attn attentions`: the attention modules."""

import argparse
import json
import re
from collections.abc import Mapping
from typing import Any

from ..utils.table import render
from .models import OPEN_OPTIONS, add_pattern, as_pattern, check_found, options_text

#: slot -> where a module sits there
_SLOTS = {
    "post": "end of the residual branch",
    "act": "instead of the activation",
    "conv": "instead of the 3x3 convolution",
    "stage": "after a stage",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn attentions`."""
    add_pattern(parser, "*eca*")
    parser.add_argument("--long", action="store_true", help="with options and where they are from")
    parser.add_argument("--json", action="store_true", help="print a JSON list, with the options")


def run(args: argparse.Namespace) -> int:
    """Print a row for each module by slot: weights at 64 channels, and what it is."""
    from ..attention.factory import list_attentions
    from ..runs.describe import CHANNELS, describe_attention

    names = list_attentions(as_pattern(args.pattern))
    check_found(names, args.pattern, list_attentions())
    rows = [describe_attention(name) for name in names]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    sections: dict[str, list[Mapping[str, Any]]] = {slot: [] for slot in _SLOTS}
    for row in rows:
        sections.setdefault(row["slot"], []).append(row)
    shown = {slot: members for slot, members in sections.items() if members}
    header = ("  name", "weights", *(["options"] if args.long else []), "what")
    cells = [_cells(row, args.long) for members in shown.values() for row in members]
    lines = iter(render(header, cells).split("\n"))
    print(next(lines))
    for slot, members in shown.items():
        print(f"{slot}: {_SLOTS.get(slot, 'see its documentation')}")
        print("\n".join(next(lines) for _ in members))
    more = f"; {OPEN_OPTIONS}" if args.long else "; --long shows options and papers"
    print(f"\nweights at {CHANNELS} channels{more}")
    return 0


def _cells(row: Mapping[str, Any], long: bool) -> tuple[Any, ...]:
    if long:
        return f"  {row['name']}", row["weights"], options_text(row["options"]), row["summary"]
    return f"  {row['name']}", row["weights"], re.sub(r"(, |; \w+ is )http.*|[,.]$", "", row["summary"])
