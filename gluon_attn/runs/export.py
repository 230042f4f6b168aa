"""The folders that `gluon-attn export --out` writes: which network, which images, and what is printed."""

from pathlib import Path

from ..utils.errors import UserError
from ..utils.log import get_logger

CALIBRATION_IMAGES, MAX_DROP, BATCH = 128, 1.0, 8


def run_forms(args):
    """Write what was asked for and print a line a folder."""
    from ..deploy.bundle import pack
    from ..deploy.repository import served

    wanted = _wanted(args)
    if args.repository:  # the fastest has to be one that servers read
        servable = served(wanted)
        wanted = servable if args.purpose else wanted
    _check(args, wanted)
    net, card, source, name, output = _network(args)
    card = card.replace(preprocess=args.preprocess, dynamic=args.dynamic)
    material = _material(args, source, any(form.precision == "int8" for form in wanted))
    output = Path(args.out or output)
    if args.purpose:
        packed = [_fastest(args, net, card, name, wanted, output, material)]
    else:
        packed = pack(net, card, name, wanted, output, material)
    print("\n".join(map(str, packed)))
    _repositories(args, packed, name, output)
    return 0


def _wanted(args):
    """The forms to write, or for --for speed to choose from."""
    from ..deploy import targets

    if args.purpose:
        formats, precisions = args.format or targets.FORMATS, args.precision or targets.PRECISIONS
        return targets.every(formats, precisions) or targets.asked(formats, precisions)[0]
    wanted, absent = targets.asked(args.format or ["symbol"], args.precision or ["float32"])
    if absent:
        get_logger().warning("left out, as there is no such form: %s", ", ".join(map("-".join, absent)))
    return wanted


def _check(args, wanted):
    """That no option is without effect on these forms."""
    if args.purpose is None and args.batch_size:
        raise UserError("--batch-size goes with --for speed")
    int8 = {form.format for form in wanted if form.precision == "int8"}
    if (args.calibration_images or args.calibration) and not int8:
        raise UserError("--calibration and --calibration-images go with --precision int8")
    if args.calibration and "symbol" not in int8:
        raise UserError("--calibration is of MXNet's int8: it goes with --format symbol")


def _fastest(args, net, card, name, wanted, output, material):
    """Measure, print the table, return the folder of the fastest."""
    from ..cli.bench import table
    from ..deploy.fastest import fastest
    from ..utils import cpu

    threads = cpu.threads(cpu.Host())[0]
    best, speeds = fastest(net, card, name, wanted, output, material, args.batch_size or BATCH, threads)
    print(f"{table(speeds)}\n")
    return best


def _repositories(args, packed, name, output):
    from ..deploy.repository import write_repository

    for server in dict.fromkeys(args.repository or ()):
        print(f"wrote {write_repository(packed, name, server, output / f'repository-{server}')}")


def _network(args):
    """(network, `Card`, `Dataset` or None, name of the files, default folder) of a run folder or a named model."""
    from ..deploy.load_run import load_run
    from ..models.factory import list_models
    from .evaluation_data import open_test_set

    options = {"data_dir": args.data_dir, "rec_val": args.rec_val}
    if args.target in list_models() and not Path(args.target).exists():
        net, card, source = _named(args, options)
        return net, card, source, args.target, Path("runs") / args.target / "export"
    if args.params or args.input_size:
        raise UserError("--params and --input-size go with the name of a model, not with a run folder")
    net, card = load_run(args.target)
    try:
        source = open_test_set(args.target, card, args.dataset, **options)
    except UserError as error:
        if args.dataset or any(options.values()):
            raise
        get_logger().warning("the check uses random images: %s", error)
        source = None
    return net, card, source, Path(args.target).resolve().name, Path(args.target) / "export"


def _named(args, options):
    """(network, `Card`, `Dataset` or None); without a data set the model has the classes that it was designed for."""
    from ..config.card import Card
    from ..models.factory import get_model, model_info
    from .network import make_card, named_network

    options = {**options, "input_size": args.input_size}
    if args.dataset or args.rec_val or args.data_dir:
        net, source = named_network(args.target, args.params or True, args.dataset, options)
        return net, make_card(net, source), source
    info = model_info(args.target)
    side = args.input_size or info.input_size
    sized = {"input_size": side} if "input_size" in info.options() else {}
    net = get_model(args.target, info.classes, pretrained=args.params or True, **sized)
    return net, Card(**net.recipe, input_shape=(3, side, side)), None


def _material(args, source, calibrated):
    from ..deploy.bundle import Material

    drop = MAX_DROP if args.max_drop is None else args.max_drop
    method = args.calibration or "naive"
    if source is None:
        return Material(max_drop=drop / 100, method=method)
    images = _calibration_images(source, args.calibration_images or CALIBRATION_IMAGES) if calibrated else None
    return Material(source.val, source.name, images, drop / 100, method)


def _calibration_images(source, count):
    """Training images, evenly from the whole set; test images where only these are at hand."""
    import numpy as np

    from ..utils.seed import generator

    for part, what in ((source.train, "training"), (source.val, "test")):
        try:
            chosen = np.unique(np.linspace(0, len(part) - 1, count).astype(int))
            images = part.take(chosen, generator(0))[0]
        except UserError as error:
            get_logger().warning("no %s images to calibrate with: %s", what, error)
            continue
        if len(images):
            return images
    raise UserError("int8 is calibrated with images, and none of the data set can be read")
