"""`search.py ean`: searches which blocks to connect to shared attention; with --all the whole way."""

import logging
from pathlib import Path

from ...config.ean import EanPipelineConfig, EanSearchConfig, chained_option, search_option
from ...config.files import merge
from ...runs import folder as run_folder
from ...runs.ean_search import search
from ...runs.options import resolve
from ...utils import log
from ..flags import make_parser, parse, refuse
from .ean_supernet import DEFAULTS, train_supernet

_UNTRAINED = "the supernet is not trained here; --controller-lr is the controller's rate"
#: flags of the authors' script, which never reads them
_IGNORED_THERE = {
    **dict.fromkeys(("--epochs", "--start-epoch", "--lr", "--momentum"), (1, _UNTRAINED)),
    **dict.fromkeys(("--wd", "--weight-decay", "--learning-rate"), (1, _UNTRAINED)),
}
_SEARCHED = {group: DEFAULTS[group] for group in ("model",)} | {
    "data": {key: DEFAULTS["data"][key] for key in ("dataset", "batch_size", "hold_out")}
}


def make_search_parser():
    """The parser of the command without --all, for `flags.parse`."""
    parser = make_parser(
        "search.py ean", "Search which blocks to connect to shared attention (EAN, step 2); with --all the whole way.",
        EanSearchConfig, _SEARCHED, search_option,
    )  # fmt: skip
    refuse(parser, _IGNORED_THERE)
    return parser


def make_chain_parser():
    """The parser of the command with --all, for `flags.parse`."""
    return make_parser(
        "search.py ean --all", "Train a supernet, search its connections, train what was found from scratch.",
        EanPipelineConfig, DEFAULTS, chained_option,
    )  # fmt: skip


def main(argv):
    """Search, or with --all go the whole way; returns the exit code."""
    if "--all" in argv:
        chain(*parse(make_chain_parser(), [word for word in argv if word != "--all"]))
        return 0
    given, recipe = parse(make_search_parser(), argv)
    search(_with_their_resume(given), recipe, _SEARCHED)
    return 0


def _with_their_resume(given):
    """The authors' --resume FILE names the supernet."""
    meant = given.get("train", {}).get("resume")
    if meant in (None, "auto") or "supernet" in given.get("score", {}):
        return given
    return merge(given, {"score": {"supernet": meant}, "train": {"resume": None}})


def chain(given, recipe):
    """Supernet, search and training of what was found, in folders below one; returns the result of the training."""
    from ...engine.backend import connect
    from ...runs.scheme_file import with_scheme_file
    from ...runs.train import run

    config = resolve(EanPipelineConfig, DEFAULTS, recipe, given)  # what is wrong shows before all work
    folder, backend = _folder(config), connect()
    if backend.rank:  # process 0 speaks for all
        log.to_terminal(logging.ERROR)
    backend.barrier()  # all have named the folder before one makes it
    options = {group: values for group, values in config.to_dict().items() if group != "chain"}
    shared = {group: options[group] for group in ("data", "model", "optim", "train")}
    epochs = {"num_epochs": config.chain.supernet_epochs or config.train.num_epochs}
    log.get_logger().info("1 of 3: the supernet, in %s", folder / "supernet")
    train_supernet(merge(shared, {"train": {**epochs, "run_dir": str(folder / "supernet")}}))
    log.get_logger().info("2 of 3: the search, in %s", folder / "search")
    searched = {group: options[group] for group in ("score", "ean")}
    kept = {name: value for name, value in options["train"].items() if search_option("train", name)}
    found = search(
        merge(searched, {"score": {"supernet": str(folder / "supernet")},
                         "train": {**kept, "run_dir": str(folder / "search")}})
    )  # fmt: skip
    log.get_logger().info("3 of 3: the found network from scratch, in %s", folder / "train")
    from_scratch = {"data": {"hold_out": 0}, "train": {"run_dir": str(folder / "train")}}
    network = {key: value for key, value in shared["model"].items() if key in ("norm", "drop_rate", "last_gamma")}
    result = run(*with_scheme_file(
        merge(merge({**shared, "model": network}, from_scratch), {"model": {"scheme": str(found.scheme)}}), {}
    ))  # fmt: skip
    log.get_logger().info(
        "best test accuracy of the found network %.4f in epoch %d; folder %s",
        result.best["val_accuracy"], result.best["epoch"], folder,
    )  # fmt: skip
    return result


def _folder(config):
    """The folder of the whole way: the one asked for, or a new one."""
    if config.train.run_dir:
        return Path(config.train.run_dir)
    return run_folder.unused(Path("runs") / run_folder.run_name(config))
