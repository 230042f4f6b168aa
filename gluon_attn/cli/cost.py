"""`gluon-attn cost`: parameters and MACs of a model."""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..utils.table import render
from .network_flags import add_network, network_config
from .values import whole

if TYPE_CHECKING:
    from ..analyze.cost import Row
    from ..analyze.paper_figures import Figures
    from ..runs.describe import ModelCost


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn cost`; those of the network are the training script's."""
    parser.add_argument("model", metavar="MODEL", help="network; `gluon-attn models` lists them")
    add_network(parser)
    parser.add_argument(
        "--classes", type=whole, metavar="N", help="number of classes (default: 10 of a CIFAR network, else 1000)"
    )
    parser.add_argument("--input-size", type=whole, metavar="N", help="height and width (default: the network's)")
    parser.add_argument("--layers", action="store_true", help="a row for every operator as well")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print parameters and MACs, part by part."""
    from ..runs.describe import model_cost

    found = model_cost(network_config(args, args.model), args.classes, args.input_size)
    if args.json:
        print(json.dumps(found.to_dict(args.layers), indent=2))
        return 0
    result = found.cost
    print(f"{found.model}, {found.classes} classes, one image of {'x'.join(map(str, found.input_shape))}\n")
    if args.layers:
        print(_table(result.layers, with_operator=True) + "\n")
    print(_table([*result.parts, result.total()]))
    if result.attention.output:
        print("\n" + _table([result.attention]))
    print(f"\nbesides the parameters: {result.fixed:,} fixed weights, {result.statistics:,} running statistics")
    if found.note:
        print(f"counted for {found.note}")
    if found.figures:
        print("\n" + _comparison(found, found.figures))
    return 0


def _comparison(found: "ModelCost", figures: "Figures") -> str:
    """Our figures beside the published ones."""
    cells = [
        [row["what"], row["ours"], row["printed"], row["published"], f"{row['difference']:+.2%}"]
        for row in found.comparison()
    ]
    header = ["", "ours", "printed", "published", "difference"]
    return f"{render(header, cells)}\npublished by {figures.source}{'; ' * bool(figures.note)}{figures.note}"


def _table(rows: "Sequence[Row]", with_operator: bool = False) -> str:
    header = ["part", "output", "params", "MACs", "other operations"]
    cells = [[row.name, "x".join(map(str, row.output[1:])), row.params, row.macs, row.other_ops] for row in rows]
    if with_operator:
        header.insert(1, "operator")
        cells = [[cell[0], row.op, *cell[1:]] for cell, row in zip(cells, rows, strict=True)]
    return render(header, cells)
