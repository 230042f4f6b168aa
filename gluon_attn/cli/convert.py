"""`gluon-attn convert`: weights of another repository as a parameter file of ours, or ours as a file of another."""

from pathlib import Path

from ..runs.conversion_check import compare, read_for
from ..utils.errors import UserError
from .network_flags import add_network, network_config
from .values import whole


def add_arguments(parser):
    """Flags of `gluon-attn convert`."""
    parser.add_argument(
        "input", metavar="IN", help="file of weights; with --to a run folder, too, or a published network"
    )
    parser.add_argument("output", metavar="OUT", help="file to write: .params, or with --to .safetensors, .pth or .pt")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument(
        "--source", metavar="NAME",
        help="whose weights IN has: anas, att-darts, ean, ecanet, echo, gluoncv, open-atac, timm or torchvision",
    )  # fmt: skip
    way.add_argument("--to", choices=("timm", "torchvision"), help="turn weights of ours into theirs")
    parser.add_argument("--model", metavar="NAME", help="network; `gluon-attn models` lists them")
    add_network(parser)
    parser.add_argument("--classes", type=whole, metavar="N", help="number of classes (default: as many as IN has)")
    parser.add_argument(
        "--check", metavar="IMAGE", help="print the first five classes of an image by both networks, where both can run"
    )


def run(args):
    """Read, map, write; say what was done."""
    return _outward(args) if args.to else _inward(args)


def _inward(args):
    from ..convert import match, read_weights, save_match
    from ..nn.params import load_params

    if not args.model:
        missing = "name the network that the weights are of with --model; `gluon-attn models` lists them"
        raise UserError(f"{missing}{_hint(read_weights(args.input).tensors, args.source)}")
    net = _network(args, args.classes)  # before the work: whether it can be made
    image = args.check and read_for(args.check, net)
    weights = read_weights(args.input)
    classes = args.classes or _classes(net, weights.tensors, args.source)
    net = net if classes == net.recipe["classes"] else _network(args, classes)
    try:
        found = match(net, weights.tensors, args.source)
    except UserError as error:
        raise UserError(f"{error}{_hint(weights.tensors, args.source)}") from None
    save_match(found, args.output)
    besides = f"; besides {', '.join(weights.other_keys)}" if weights.other_keys else ""
    print(f"read    {args.input}: {weights.kind}, {_size(args.input)}, {len(weights.tensors)} tensors{besides}")
    print(f"mapped  {len(set(found.names.values()))} of them to {len(found.shapes)} of {_describe(net)}")
    print(f"left    {_listed(found.left)}")
    print(f"wrote   {args.output}: {_size(args.output)}, {_hash(args.output)}")
    if args.check:
        load_params(net, args.output)
        compare(net, args.input, image, args.source)
    return 0


def _outward(args):
    from ..convert import save_reference
    from ..convert.counterpart import needed_counterpart

    net, card = _ours(args)
    image = args.check and read_for(args.check, net, card)
    made = needed_counterpart(net, args.to)
    state = save_reference(net, args.output, args.to)
    print(f"read    {args.input}: {_describe(net)}")
    print(f"mapped  {len(state)} tensors to {made}")
    print(f"wrote   {args.output}: {_size(args.output)}, {_hash(args.output)}")
    if args.check:
        compare(net, args.output, image, args.to)
    return 0


def _hint(tensors, source):
    """The flags that fit, where they can be told from the tensors; else nothing."""
    from ..convert.infer_model import flags, infer_config

    config = infer_config(tensors, source)
    return f"; these fit: {flags(config)}" if config else ""


def _network(args, classes):
    from ..models.build import build
    from ..models.factory import model_info

    return build(network_config(args, args.model), classes or model_info(args.model).classes)


def _classes(net, tensors, source):
    """How many classes the weights have."""
    from ..convert import rows
    from ..nn.params import classifier

    own = net.recipe["classes"]
    paths = [path for path in classifier(net, own) if path.endswith("weight")]
    return (rows(net, tensors, source, paths[0]) if paths and tensors else None) or own


def _ours(args):
    """(network with the weights of IN, its `Card` or None)."""
    from ..deploy.load_run import card_network, load_run
    from ..models.catalogue import catalogue
    from ..nn.params import classifier, load_params, read_params

    if Path(args.input).is_dir():
        return load_run(args.input)
    if not Path(args.input).exists() and args.input in catalogue():
        entry = catalogue()[args.input]
        return card_network(entry.card, entry.path(), f"card of {entry.name}"), entry.card
    if not args.model:
        raise UserError(f"name the network of {args.input} with --model; a run folder knows its own")
    net = _network(args, args.classes)
    if not args.classes:
        shapes = {name: value.shape for name, value in read_params(args.input).items()}
        found = [shapes[name][0] for name in classifier(net, net.recipe["classes"]) if name in shapes]
        net = _network(args, found[0]) if found else net
    load_params(net, args.input)
    return net, None


def _describe(net):
    recipe = net.recipe
    names = [entry["name"] for entry in (recipe["plan"] or {}).get("entries", ())]
    return f"{' with '.join([recipe['model'], *names])}, {recipe['classes']} classes"


def _listed(names):
    from ..nn.params import few

    counters = [name for name in names if name.endswith("num_batches_tracked")]
    others = [name for name in names if name not in counters]
    parts = [few(others)] * bool(others) + [f"{len(counters)} counters of batches"] * bool(counters)
    return " and ".join(parts) or "nothing"


def _size(path):
    return f"{Path(path).stat().st_size / 1e6:.1f} MB"


def _hash(path):
    from ..utils.files import sha256

    return f"SHA-256 {sha256(path)}"
