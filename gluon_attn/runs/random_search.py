"""The baseline of a search: choices by chance, as many as the search's multiply-adds pay for."""

from ..utils.files import write_json
from ..utils.log import get_logger
from . import folder as run_folder
from ..runs.options import resolve
from ..utils.table import render

_FIRST, _SECOND = 2, 5  # forward and backward passes of a supernet's step: by the order of the gradients


def random_search(config_class, given, recipe, defaults, backend):
    """Train genotypes drawn by chance for `retrain_epochs` each; the best goes to genotype.json."""
    from ..data.factory import open_source
    from ..search.darts.methods import METHODS
    from ..utils.seed import derive, generator
    from .retrain import retrain

    config = resolve(config_class, defaults, recipe, given)
    folder, method = run_folder.new_folder(config), METHODS[config.kind](config)
    source = open_source(config.data, config.train.seed)
    shape, random = (source.classes, source.input_shape), generator(config.train.seed, 41)
    left, rows, best = budget(config, method, *shape), [], None
    if not backend.rank:
        run_folder.describe(folder, config)
    get_logger().info("a search of these options takes %.3g multiply-adds an image of its training part", left)
    while True:
        genotype = method.sample(random)
        cost = passes(method.network(genotype, *_sizes(shape)), shape[1]) * config.search.retrain_epochs
        if rows and cost > left:
            break
        left -= cost
        score = retrain(config, genotype, backend, derive(config.train.seed, len(rows)))
        rows.append({"number": len(rows), "accuracy": score, "skips": _skips(method, genotype)})
        get_logger().info("%d by chance: accuracy %.4f", len(rows), score)
        if best is None or score > best[0]:
            best = score, genotype
        if not backend.rank:
            about = {"seed": config.train.seed, "score": {"accuracy": round(100 * best[0], 2)}}
            write_json(folder / "genotype.json", method.document(best[1], origin="chance", **about))
            write_json(folder / "chance.json", rows)
    if not backend.rank:
        print(render(list(rows[0]), [[_shown(value) for value in row.values()] for row in rows]))
        print(f"\nbest of {len(rows)}: {best[0]:.4f}, {folder}/genotype.json")
    return 0


def budget(config, method, classes, input_shape):
    """Multiply-adds of a whole search, an image of the training part."""
    steps = _SECOND if config.search.unrolled else _FIRST
    warm = min(config.search.arch_warmup, config.train.num_epochs)
    epochs = warm + steps * (config.train.num_epochs - warm)
    return epochs * passes(method.supernet(classes, input_shape[1]), input_shape)


def passes(net, input_shape):
    """Multiply-adds of an image's forward pass; the backward pass is in proportion."""
    from ..analyze.cost import cost

    return cost(net, input_shape).macs


def _sizes(shape):
    classes, (_, height, _) = shape
    return classes, height


def _skips(method, genotype):
    edges = genotype.att if hasattr(genotype, "att") else genotype.normal.edges
    return sum(edge[0] == "skip_connect" for edge in edges)


def _shown(value):
    return f"{value:.4f}" if isinstance(value, float) else value
