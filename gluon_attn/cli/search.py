"""`gluon-attn search` and search.py: architecture searches."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from ..config.base import Config
from ..config.ean import (
    EanPipelineConfig,
    EanSearchConfig,
    SupernetConfig,
    chained_option,
    search_option,
    supernet_option,
)
from ..config.search import AnasConfig, AttDartsConfig
from ..config.search_defaults import SEARCH_DEFAULTS
from ..runs.options import Options
from ..utils import log
from ..utils.table import render
from .flags import make_parser, parse, refuse
from .guard import guarded
from .parser import Parser, choose
from .starts import STARTS
from .train import FOREIGN_FLAGS

#: subcommand -> what it does
SEARCHES = {
    "att-darts": "search a cell with attention by gradients (DARTS, Att-DARTS)",
    "anas": "search an attention module by gradients (ANAS)",
    "ean-supernet": "train the network whose connections to shared attention are drawn at random (EAN, step 1)",
    "ean": "search which blocks to connect to shared attention by reinforcement learning (EAN, step 2)",
}
_ALL = "--all"
_UNTRAINED = "the supernet is not trained here; --controller-lr is the controller's rate"
_GRADIENT_FLAGS = {
    "--checkpoint-path": (1, "--resume auto resumes a run"),
    "--exp-path": (1, "--run-dir names the folder of the run"),
    "--save": (1, "--run-dir names the folder of the run"),
}
_EAN_FLAGS = dict.fromkeys(  # of the authors' script, which never reads them
    ("--epochs", "--start-epoch", "--lr", "--momentum", "--wd", "--weight-decay", "--learning-rate"), (1, _UNTRAINED)
)


def _every_option(group: str, name: str) -> bool:
    return True


#: subcommand -> (its description, config class, which options have flags, flags that are refused)
_PARSERS: dict[str, tuple[str, type[Config], Callable[[str, str], bool], dict[str, Any]]] = {
    "att-darts": ("Search a cell with attention by gradients.", AttDartsConfig, _every_option, _GRADIENT_FLAGS),
    "anas": ("Search an attention for the blocks of a ResNet by gradients.", AnasConfig, _every_option,
             _GRADIENT_FLAGS),
    "ean-supernet": ("Train a supernet of connections to shared attention (EAN, step 1).", SupernetConfig,
                     supernet_option, FOREIGN_FLAGS),
    "ean": ("Search which blocks to connect to shared attention (EAN, step 2); with --all all three steps.",
            EanSearchConfig, search_option, _EAN_FLAGS),
    "ean --all": ("Train a supernet, search its connections, train what was found from scratch.", EanPipelineConfig,
                  chained_option, {}),
}  # fmt: skip


def search(argv: Sequence[str] | None = None) -> int:
    """Entry point of search.py; returns the exit code."""
    return guarded(lambda argv: dispatch("search.py", argv), argv, "python search.py")


def main(argv: Sequence[str]) -> int:
    """`gluon-attn search`; returns the exit code."""
    return dispatch("gluon-attn search", argv)


def dispatch(program: str, argv: Sequence[str]) -> int:
    """Run the search that a command line names first, and print what was found.

    Args:
        program: the program's name, for messages.
        argv: the words after it.

    Returns:
        The exit code.
    """
    name = choose(argv, SEARCHES, program, "Search for cells, attention modules and connections.")
    if name is None:
        return 0
    options = search_options(name, argv[1:], program)
    from ..runs import search as searches

    everything = options.kind is EanPipelineConfig
    chosen = searches.PIPELINE if everything else searches.SEARCHES[name]
    result = chosen.run(options)
    _REPORTS["ean --all" if everything else name](result)
    return 0


def search_parser(name: str, program: str = "search.py") -> Parser:
    """The parser of a search.

    Args:
        name: a subcommand, or "ean --all".
        program: the program's name, for messages.
    """
    description, kind, shown, refused = _PARSERS[name]
    parser = make_parser(f"{program} {name}", description, kind, SEARCH_DEFAULTS[name], shown, start=STARTS[name])
    refuse(parser, refused)
    return parser


def search_options(name: str, argv: Sequence[str], program: str = "search.py") -> Options:
    """The options that a command line of a search gives.

    Args:
        name: a subcommand.
        argv: the words after it.
        program: the program's name, for messages.
    """
    words = list(argv)
    if name == "ean" and _ALL in words:
        name, words = "ean --all", [word for word in words if word != _ALL]
    return parse(search_parser(name, program), words, _PARSERS[name][1], SEARCH_DEFAULTS[name])


def _report_gradient(result):
    details = result.details
    if result.folder is None:  # an estimate
        _report_estimate(details)
    elif hasattr(details, "criterion"):
        print(_seeds_table(details.rows))
        print(f"\nbest by {details.criterion}: seed {details.best['seed']}, {result.file}")
    elif hasattr(details, "rows"):
        print(render(list(details.rows[0]), [[_shown(value) for value in row.values()] for row in details.rows]))
        print(f"\nbest of {len(details.rows)}: {details.accuracy:.4f}, {result.file}")
    else:
        log.get_logger().info(
            "supernet's validation accuracy %.4f, entropy %.4f, %d skips; %s",
            details.accuracy, details.last["entropy"], details.last["skips"], result.file,
        )  # fmt: skip


def _report_estimate(found):
    print(f"{found.weights:,} weights; {found.epochs} epochs of {found.steps} steps of {found.batch_size} images")
    minutes = found.seconds / 60
    readable = f"{minutes / 60:.1f} hours" if minutes > 120 else f"{minutes:.1f} minutes"
    print(f"{found.step_seconds:.2f} s per step, {readable} in all, {found.memory / 2**30:.2f} GB of memory")


def _seeds_table(rows):
    """A row per search, then mean and spread (standard deviation of a sample)."""
    header = [key for key in rows[0] if key != "folder"]
    cells = [[_shown(row[key]) for key in header] for row in rows]
    columns = [[row[key] for row in rows] for key in header[1:]]
    cells.append(["mean", *(_shown(statistics.fmean(column)) for column in columns)])
    if len(rows) > 1:
        cells.append(["spread", *(_shown(statistics.stdev(column)) for column in columns)])
    return render(header, cells)


def _shown(value):
    return f"{value:.4f}" if isinstance(value, float) else value


def _report_supernet(result):
    log.get_logger().info(
        "%s without attention %.4f; next: search.py ean --supernet %s", result.details.score_kind.name,
        result.details.score_kind.of(result.details.history[-1]), result.folder,
    )  # fmt: skip


def _report_pipeline(result):
    found = result.details
    log.get_logger().info(
        "best %s of the found network %.4f in epoch %d; folder %s",
        found.score_kind.name, found.score, found.best["epoch"], result.folder,
    )  # fmt: skip


#: subcommand -> what it says of a `SearchResult`; EAN's search logs its table itself
_REPORTS: dict[str, Callable[[Any], None]] = {
    "att-darts": _report_gradient,
    "anas": _report_gradient,
    "ean-supernet": _report_supernet,
    "ean": lambda result: None,
    "ean --all": _report_pipeline,
}
