"""EAN's three steps: a supernet is trained, its connections are searched, the network found trains from scratch."""

from pathlib import Path

from ..config.ean import EanPipelineConfig, EanSearchConfig, SupernetConfig, search_option
from ..config.files import merge
from ..config.train import RunConfig
from ..search.ean.supernet import build_supernet
from ..utils import log
from .ean_search import ean_search
from .folder import RunFolder
from .implied_options import with_scheme_file
from .options import Options
from .placement import RUNS, run_name, unused
from .train import Result, connect_quietly, train_run

_KEPT_OF_MODEL = ("norm", "drop_rate", "last_gamma")  # options of the network beside those of the found scheme


def train_supernet(options: Options) -> Result:
    """Train a supernet as the options of a `SupernetConfig` say."""
    return train_run(options, build_supernet)


def ean_pipeline(options: Options) -> Result:
    """Supernet, search and training from scratch, in folders below one, as an `EanPipelineConfig` says.

    Args:
        options: of an `EanPipelineConfig`.

    Returns:
        The result of the training from scratch, whose folder is FOLDER/train.
    """
    config = options.config()  # errors before all work
    backend = connect_quietly()
    top = _folder(config)
    backend.barrier()  # all processes have named the folder before one makes it
    groups = {group: values for group, values in config.to_dict().items() if group != "chain"}
    shared = {group: groups[group] for group in ("data", "model", "optim", "train")}
    supernet, search, train = (str(top.below(name).path) for name in ("supernet", "search", "train"))
    log.get_logger().info("1 of 3: the supernet, in %s", supernet)
    epochs = config.chain.supernet_epochs or config.train.num_epochs
    given = merge(shared, {"train": {"num_epochs": epochs, "run_dir": supernet}})
    train_supernet(Options(SupernetConfig, given=given))
    log.get_logger().info("2 of 3: the search, in %s", search)
    kept = {name: value for name, value in groups["train"].items() if search_option("train", name)}
    given = {
        "score": {**groups["score"], "supernet": supernet},
        "ean": groups["ean"],
        "train": {**kept, "run_dir": search},
    }
    found = ean_search(Options(EanSearchConfig, given=given))
    log.get_logger().info("3 of 3: the found network from scratch, in %s", train)
    network = {key: value for key, value in shared["model"].items() if key in _KEPT_OF_MODEL}
    from_scratch = {"data": {"hold_out": 0}, "train": {"run_dir": train}}
    given = merge({**shared, "model": {**network, "scheme": str(found.scheme_file)}}, from_scratch)
    return train_run(with_scheme_file(Options(RunConfig, given=given)))


def _folder(config: EanPipelineConfig) -> RunFolder:
    if config.train.run_dir:
        return RunFolder(Path(config.train.run_dir))
    return RunFolder(unused(RUNS / run_name(config)))
