"""`gluon-attn convert`: weights of another repository as a parameter file of ours, or ours as a file of another."""

import argparse
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..utils.errors import UserError
from ..utils.files import sha256
from ..utils.paths import check_new_file
from ..utils.progress import Progress
from .network_flags import add_network, network_config, refuse_without_model
from .values import whole

if TYPE_CHECKING:
    from mxnet.gluon import HybridBlock

    from ..convert.files import Weights
    from ..convert.from_reference import Match
    from ..runs.conversion_check import ConversionCheck


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn convert`."""
    parser.add_argument(
        "input", metavar="IN",
        help="file of weights, or timm:NAME or torchvision:NAME for those that the installed library has or downloads; "
        "with --to a run folder or a published network",
    )  # fmt: skip
    parser.add_argument(
        "output", nargs="?", metavar="OUT",
        help="file to write: .params (default: named after IN), or with --to .safetensors, .pth or .pt",
    )  # fmt: skip
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--source", metavar="NAME",
        help="whose weights IN has: anas, att-darts, ean, ecanet, echo, gluoncv, mmdetection, open-atac, timm or "
        "torchvision (default: as its tensors say)",
    )  # fmt: skip
    way.add_argument("--to", choices=("timm", "torchvision"), help="turn weights of ours into theirs")
    parser.add_argument(
        "--weights", choices=("raw", "ema"),
        help="of a checkpoint with a moving average (EMA) of the weights: the weights of the last step or the EMA "
        "(default: as the source does: the EMA with timm, else the last step)",
    )  # fmt: skip
    parser.add_argument(
        "--model", metavar="NAME",
        help="network; `gluon-attn models` lists them (default: the one that the tensors fit)",
    )  # fmt: skip
    add_network(parser)
    parser.add_argument("--classes", type=whole, metavar="N", help="number of classes (default: as many as IN has)")
    parser.add_argument(
        "--check", metavar="IMAGE", help="print the first five classes of an image by both networks, where both can run"
    )


def run(args: argparse.Namespace) -> int:
    """Convert; print what was read, mapped and written."""
    from ..runs.convert import export_weights, import_weights

    args.output = args.output or _named_after(args.input, args.to)
    check_new_file(args.output, "OUT")
    if not args.model:
        refuse_without_model(args)
    config = network_config(args, args.model) if args.model else None
    given = (config, args.classes, args.check)
    if args.to:
        if args.weights:
            raise UserError("option weights chooses from a checkpoint of another repository: use it with option source")
        with Progress("converting"):
            exported = export_weights(args.input, args.output, args.to, *given)
        print(f"read    {args.input}: {_describe(exported.net)}")
        print(f"mapped  {exported.tensors} tensors to {exported.counterpart}")
        _print_written(args.output)
        _print_check(exported.check)
        return 0
    with Progress("converting"):
        imported = import_weights(args.input, args.output, args.source, *given, args.weights)
    weights, match = imported.weights, imported.match
    besides = f"; besides {', '.join(weights.other_keys)}" if weights.other_keys else ""
    size = f", {_size(args.input)}" if Path(args.input).exists() else ""
    print(f"read    {args.input}: {weights.kind}{size}, {len(weights.tensors)} tensors{besides}")
    if not args.source:
        print(f"source  {imported.source}")
    if not args.model:
        print(f"network {imported.flags}")
    if imported.alike and Path(args.input).exists():
        names = " and ".join(imported.alike)
        print(f"note    timm's {names} have the same tensors and compute otherwise: not for weights of theirs")
    for line in _told(weights, match):
        print(f"took    {line}")
    print(f"mapped  {len(set(match.names.values()))} of them to {len(match.shapes)} of {_describe(imported.net)}")
    print(f"left    {_listed(match.left)}")
    _print_written(args.output)
    if not args.model:
        print(f"next    gluon-attn train {imported.flags} --pretrained {shlex.quote(args.output)}")
    _print_check(imported.check)
    return 0


def _named_after(source: str, to: str | None) -> str:
    """The file to write where none is named."""
    if to:
        raise UserError("name the file to write: .safetensors, .pth or .pt")
    library, _, name = source.partition(":")
    file = Path(source).name.removesuffix(".tar")
    stem = name.partition(".")[0] if library in ("timm", "torchvision") else file.rpartition(".")[0]
    path = Path(f"{stem or file}.params")
    if path.exists():
        raise UserError(f"{path} is there already: name the file to write")
    return str(path)


def _told(weights: "Weights", match: "Match") -> Iterator[str]:
    """Which of the tensors in a file were taken, where that is a choice."""
    choice = weights.choice
    if choice:
        names = {"raw": "weights of the last step", "ema": "moving average (EMA) of the weights"}
        other = next(name for name in names if name != choice.kind)
        rest = f"; --weights {other} takes {choice.other}" if choice.other else ""
        yield f"{choice.key}, the {names[choice.kind]}{rest}"
    if match.prefix:
        yield f"the tensors under {match.prefix}"


def _print_written(path: str) -> None:
    print(f"wrote   {path}: {_size(path)}, SHA-256 {sha256(path)}")


def _print_check(check: "ConversionCheck | None") -> None:
    """Print the best classes of both networks, or why the other one could not run."""
    if check is None:
        return
    print(f"ours    {_classes(check.ours)}")
    if check.difference is None:
        print(f"theirs  not compared: {check.reason}")
        return
    print(f"theirs  {_classes(check.theirs)}, by {check.made_by}")
    print(f"largest difference {check.difference:.1e} of the largest logit")


def _classes(best: list[tuple[int, float]]) -> str:
    return ", ".join(f"class {number} {probability:.1%}" for number, probability in best)


def _describe(net: "HybridBlock") -> str:
    recipe = net.recipe
    names = [entry["name"] for entry in (recipe["plan"] or {}).get("entries", ())]
    return f"{' with '.join([recipe['model'], *dict.fromkeys(names)])}, {recipe['classes']} classes"


def _listed(names: Sequence[str]) -> str:
    from ..nn.params import few

    counters = [name for name in names if name.endswith("num_batches_tracked")]
    others = [name for name in names if name not in counters]
    parts = [few(others)] * bool(others) + [f"{len(counters)} counters of batches"] * bool(counters)
    return " and ".join(parts) or "nothing"


def _size(path: str) -> str:
    return f"{Path(path).stat().st_size / 1e6:.1f} MB"
