"""`gluon-attn models`: the networks."""

import argparse
import json

from ..utils.table import render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn models`."""
    parser.add_argument("--cost", action="store_true", help="count parameters and MACs as well")
    parser.add_argument(
        "--pretrained", action="store_true", help="list the published parameter files instead, with what they are for"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(args: argparse.Namespace) -> int:
    """Print a row for each network: input size, options with defaults, and what it costs where asked for."""
    from ..models.factory import list_models
    from ..runs.describe import describe_model

    if args.pretrained:
        return _published(args)
    rows = [describe_model(name, args.cost) for name in list_models()]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    header = ["name", "input", *(["params", "MACs"] if args.cost else []), "options"]
    cells = [
        [row["name"], "x".join(map(str, row["input_shape"]))]
        + ([row["params"], row["macs"]] if args.cost else [])
        + [", ".join(f"{key}={value}" for key, value in row["options"].items())]
        for row in rows
    ]
    print(render(header, cells))
    return 0


def _published(args: argparse.Namespace) -> int:
    """Print a row for each published network."""
    from ..models.catalogue import catalogue

    known = catalogue().values()
    if args.json:
        print(json.dumps([entry.to_dict() for entry in known], indent=2))
        return 0
    cells = [
        (entry.name, entry.purpose(), "x".join(map(str, entry.card.input_shape)), entry.score_text(), entry.home)
        for entry in known
    ]
    print(render(("name", "network", "input", "score", "in"), cells))
    return 0
