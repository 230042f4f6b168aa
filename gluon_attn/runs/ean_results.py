"""The results of a search for a connection scheme: the best scheme's file, a table of costs, figures and a report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..config.ean import EanSearchConfig
from ..utils import log
from ..utils.files import write_json
from ..utils.table import render
from .ean_context import SearchContext
from .ean_standing import ALL, DIFFERENCES, NONE, standing, with_differences
from .folder import RunFolder

if TYPE_CHECKING:  # these load MXNet or matplotlib
    from ..models.scheme import Scheme
    from ..search.ean.reward import Reward
    from ..search.ean.searcher import Searcher

HEADER = ("scheme", "of", "connected", "accuracy", "reward", "params", "MACs", "ms/image")
_NOT_IN_SCHEME = ("input_size", "scheme")  # options of the supernet that a scheme file does not hold


def write_results(
    folder: RunFolder, config: EanSearchConfig, context: SearchContext, searches: "Sequence[Searcher]"
) -> None:
    """Writes best.json, results.json, four PNGs and report.html, and logs the table.

    Where another scheme has a higher reward, that one is written, too, and a warning says so.

    Args:
        folder: the run folder.
        config: the options of the search.
        context: supernet and evaluator; the evaluator has evaluated `context.extremes`.
        searches: finished searches, the first of them an `EanSearch`, the others baselines.
    """
    ean: Any = searches[0]
    best, reward = ean.best()
    scheme = _best_scheme(config, context, ean, best)
    scheme.save(folder.scheme_file)
    rows = _rows(context, searches, scheme)
    results = [dict(zip(HEADER, row, strict=True)) for row in rows]
    write_json(folder.results_file, results)
    found = standing(results)
    if found.better:
        other = results[found.best]
        _as_best(context, scheme, other["scheme"], other["of"]).save(folder.better_scheme_file)
    else:
        folder.better_scheme_file.unlink(missing_ok=True)
    _write_pictures(folder)
    table = render(*with_differences(HEADER, rows))
    text = "%s\n%s\nbest scheme %s, reward %.3f: %s"
    log.get_logger().info(text, table, DIFFERENCES, best, reward, folder.scheme_file)
    if found.better:
        log.get_logger().warning(
            "%s It is in %s: give that as option scheme to train it", found.line, folder.better_scheme_file
        )
    elif found.line:
        log.get_logger().info("%s", found.line)


def _as_best(context: SearchContext, scheme: "Scheme", bits: str, name: str) -> "Scheme":
    """The `Scheme` of another row of the table."""
    score = context.evaluator.scores[bits]["accuracy"]
    return scheme.replace(scheme=bits, score=score, origin=f"{name}, beside {scheme.origin}")


def _best_scheme(config: EanSearchConfig, context: SearchContext, searcher: "Searcher", bits: str) -> "Scheme":
    """The `Scheme` file of the best bits: with network, attention, options, score and origin."""
    from ..models.scheme import Scheme

    recipe = context.supernet.recipe
    options = {key: value for key, value in recipe["options"].items() if key not in _NOT_IN_SCHEME}
    model = {"model": recipe["model"], "attention": None, "options": options}
    if recipe["plan"]:
        (entry,) = recipe["plan"]["entries"]
        model |= {"attention": entry["name"], "options": entry["options"], "network": options}
    images = config.score.images or len(context.source.val)
    origin = (
        f"search.py ean, {searcher.steps} steps, seed {config.train.seed}; accuracy of the supernet on {images} images "
        f"of {context.source.name}"
    )
    return Scheme(scheme=bits, score=context.evaluator.scores[bits]["accuracy"], origin=origin, **model)


def _rows(context: SearchContext, searches: "Sequence[Searcher]", scheme: "Scheme") -> list[tuple]:
    """A row of `HEADER` for the best scheme of each search, and for none and all blocks connected."""
    none, all_connected = context.extremes
    named = {search.name: search.best()[0] for search in searches} | {NONE: none, ALL: all_connected}
    reward: Reward = searches[0].reward
    rows = []
    for name, bits in named.items():
        accuracy = context.evaluator.scores[bits]["accuracy"]
        params, macs, milliseconds = _cost(context, scheme.replace(scheme=bits))
        rows.append(
            (bits, name, bits.count("1"), f"{accuracy:.2f} %", f"{reward(bits, accuracy):.3f}", params, macs,
             f"{milliseconds:.3f}")
        )  # fmt: skip
    return rows


def _cost(context: SearchContext, scheme: "Scheme") -> tuple[int, int, float]:
    """(parameters, MACs, milliseconds per image) of the plain network of a scheme."""
    import mxnet as mx

    from ..analyze.cost import cost
    from ..analyze.latency import latency
    from ..config.model import ModelConfig
    from ..models.build import build

    shape = context.source.input_shape
    net = build(ModelConfig(**scheme.model_options()), context.source.classes, shape[1])
    net.initialize(mx.init.MSRAPrelu(), ctx=context.devices[0])
    net.hybridize(static_alloc=True, static_shape=True)
    spent = cost(net, shape)
    return spent.params, spent.macs, latency(net, shape, batch=32)


def _write_pictures(folder: RunFolder) -> None:
    """Write the figures and the page; they show what the folder holds."""
    from ..analyze.figures import save_png
    from ..analyze.page import write_page
    from .pages.connections import connection_figures, connections_part

    figures = connection_figures(folder)
    for name, figure in figures.items():
        save_png(figure, folder.path / f"{name}.png")
    part = connections_part(folder, figures)
    write_page(folder.report_file, part.title, part.summary, part.sections)
