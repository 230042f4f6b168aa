"""What a search for a connection scheme leaves: the best scheme's file, a table of costs, pictures and a page."""

from ..utils import log
from ..utils.files import write_json
from ..utils.table import render

HEADER = ("scheme", "of", "connected", "accuracy", "reward", "params", "MACs", "ms/image")
_NONE, _ALL = "no block connected", "all connected"
_NO_OPTIONS = ("input_size", "scheme")  # of a model, which are said elsewhere


def write_results(folder, config, setting, searches):
    """Write best.json, results.json, rewards.png, chances.png, network.png and report.html; log the table."""
    first = searches[0]
    best, reward = first.best()
    scheme = _scheme(config, setting, first, best)
    scheme.save(folder / "best.json")
    rows = _rows(setting, searches, scheme)
    write_json(folder / "results.json", [dict(zip(HEADER, row, strict=True)) for row in rows])
    figures = _figures(first, searches, scheme, setting.supernet.blocks)
    _draw(folder, figures)
    _report(folder / "report.html", config, rows, figures, scheme)
    table = render(HEADER, rows)
    log.get_logger().info("%s\nbest scheme %s, reward %.3f: %s", table, best, reward, folder / "best.json")


def _scheme(config, setting, searcher, bits):
    """The `Scheme` with what it is for."""
    from ..models.scheme import Scheme

    recipe = setting.supernet.recipe
    options = {key: value for key, value in recipe["options"].items() if key not in _NO_OPTIONS}
    model = {"model": recipe["model"], "attention": None, "options": options}
    if recipe["plan"]:
        (entry,) = recipe["plan"]["entries"]
        model |= {"attention": entry["name"], "options": entry["options"], "network": options}
    images = config.score.images or len(setting.source.val)
    origin = (
        f"search.py ean, {searcher.steps} steps, seed {config.train.seed}; accuracy of the supernet on {images} images "
        f"of {setting.source.name}"
    )
    return Scheme(scheme=bits, score=setting.evaluator.known[bits]["accuracy"], origin=origin, **model)


def _rows(setting, searches, scheme):
    """A row of `HEADER` for the best scheme of each search, for none and all blocks connected."""
    none, whole = setting.ends
    named = {one.name: one.best()[0] for one in searches} | {_NONE: none, _ALL: whole}
    reward, rows = searches[0].reward, []
    for name, bits in named.items():
        accuracy = setting.evaluator.known[bits]["accuracy"]
        params, macs, milliseconds = _cost(setting, scheme.replace(scheme=bits))
        rows.append(
            (bits, name, bits.count("1"), f"{accuracy:.2f} %", f"{reward(bits, accuracy):.3f}", params, macs,
             f"{milliseconds:.3f}")
        )  # fmt: skip
    return rows


def _cost(setting, scheme):
    """(parameters, MACs, milliseconds an image) of the network of a scheme, built for itself."""
    import mxnet as mx

    from ..analyze.cost import cost
    from ..analyze.latency import latency
    from ..config.model import ModelConfig
    from ..models.build import build

    shape = setting.source.input_shape
    net = build(ModelConfig(**scheme.model_options()), setting.source.classes, shape[1])
    net.initialize(mx.init.MSRAPrelu(), ctx=setting.devices[0])
    net.hybridize(static_alloc=True, static_shape=True)
    spent = cost(net, shape)
    return spent.params, spent.macs, latency(net, shape, batch=32)


def _figures(first, searches, scheme, blocks):
    """File name without ending -> figure."""
    from ..analyze import scheme_plots

    return {
        "curves": scheme_plots.curves({one.name: one.curve() for one in searches}),
        "rewards": scheme_plots.rewards(first.samples),
        "chances": scheme_plots.connection_probabilities(first.course, blocks),
        "network": scheme_plots.network(scheme.scheme, blocks, scheme.attention or "attention"),
    }


def _draw(folder, figures):
    from ..analyze.figures import save_png

    for name, figure in figures.items():
        save_png(figure, folder / f"{name}.png")


def _report(path, config, rows, figures, scheme):
    from ..analyze.figures import svg_text
    from ..analyze.report import write_report

    steps, tried = config.ean.steps, config.ean.steps * (1 + config.ean.validate_size)
    write_report(
        path,
        title=f"Connections of {scheme.model}",
        summary=f"Each search tried {tried} schemes ({steps} steps). Accuracy is the supernet's, the cost that of the "
        "network of the scheme by itself.",
        header=HEADER,
        rows=rows,
        marked=0,
        figure="".join(svg_text(figure) for figure in figures.values()),
        sections=[("To train it from scratch", [f"--scheme {path.parent / 'best.json'}"])],
    )
