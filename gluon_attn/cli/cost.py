"""`gluon-attn cost`: parameters and multiply-accumulates of a model."""

import json

from ..utils.table import render
from .network_flags import add_network, network_config
from .values import whole


def add_arguments(parser):
    """Flags of `gluon-attn cost`; those of the network are the training script's."""
    parser.add_argument("model", metavar="MODEL", help="network; `gluon-attn models` lists them")
    add_network(parser)
    parser.add_argument(
        "--classes", type=whole, metavar="N", help="number of classes (default: 10 of a CIFAR network, else 1000)"
    )
    parser.add_argument("--input-size", type=whole, metavar="N", help="height and width (default: the network's)")
    parser.add_argument("--layers", action="store_true", help="a row for every operator as well")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args):
    """Print the table."""
    from ..analyze.cost import cost
    from ..analyze.paper_figures import compare, published
    from ..models.build import build
    from ..models.factory import model_info

    config = network_config(args, args.model)
    info = model_info(args.model)
    size, classes = args.input_size or info.input_size, args.classes or info.classes
    net = build(config, classes, size)
    result = cost(net, (3, size, size))
    figures = published(net.recipe)
    if args.json:
        data = {"model": net.recipe["model"], "classes": classes, "input_shape": [3, size, size]}
        figure = figures and {"source": figures.source, "note": figures.note, "rows": compare(figures, result)}
        print(json.dumps({**data, **result.to_dict(args.layers), "published": figure}, indent=2))
        return 0
    print(f"{net.recipe['model']}, {classes} classes, one image of 3x{size}x{size}\n")
    if args.layers:
        print(_table(result.layers, with_operator=True) + "\n")
    print(_table([*result.parts, _total(result)], with_operator=False))
    if result.attention.output:
        print("\n" + _table([result.attention], with_operator=False))
    print(f"\nbesides the parameters: {result.fixed:,} fixed weights, {result.statistics:,} running statistics")
    if figures:
        print("\n" + _comparison(figures, compare(figures, result)))
    return 0


def _comparison(figures, rows):
    """Ours beside what was published."""
    cells = [[row["what"], row["ours"], row["printed"], row["published"], f"{row['difference']:+.2%}"] for row in rows]
    note = f"; {figures.note}" if figures.note else ""
    header = ["", "ours", "printed", "published", "difference"]
    return f"{render(header, cells)}\npublished by {figures.source}{note}"


def _total(result):
    from ..analyze.cost import Row

    return Row("total", "", result.parts[-1].output, result.params, result.macs, result.other_ops)


def _table(rows, with_operator):
    header = ["part", "output", "params", "MACs", "other operations"]
    cells = [[row.name, "x".join(map(str, row.output[1:])), row.params, row.macs, row.other_ops] for row in rows]
    if with_operator:
        header.insert(1, "operator")
        cells = [[cell[0], row.op, *cell[1:]] for cell, row in zip(cells, rows, strict=True)]
    return render(header, cells)
