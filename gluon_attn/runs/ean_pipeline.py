"""EAN's three steps: a supernet is trained, its connections are searched, the network found trains from scratch."""

from pathlib import Path

from ..config.ean import EanPipelineConfig, EanSearchConfig, SupernetConfig, search_option
from ..config.files import merge
from ..config.train import RunConfig
from ..search.ean.supernet import build_supernet
from ..utils import log
from .ean_search import EanSearchResult, ean_search
from .group_placement import group_placed
from .implied_options import with_scheme_file
from .options import Options
from .train import Result, connect_quietly, train_run

_SHARED = ("data", "model", "optim", "train")  # groups that training has, too
#: options of the network beside those of the found scheme
_KEPT_OF_MODEL = ("norm", "drop_rate", "drop_path", "dropblock_prob", "last_gamma")


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
    config, backend = options.config(), connect_quietly()  # errors before all work
    parts: dict[str, Options | None] = {"supernet": _supernet_options(config), "search": None, "train": None}
    with backend.peer_failures(), group_placed(config, backend, parts) as top:
        supernet, search, train = (str(top.below(name).path) for name in parts)
        log.get_logger().info("1 of 3: the supernet, in %s", supernet)
        train_supernet(_supernet_options(config).override("train.run_dir", supernet))
        log.get_logger().info("2 of 3: the search, in %s", search)
        found = ean_search(_search_options(config, supernet).override("train.run_dir", search))
        log.get_logger().info("3 of 3: the found network from scratch, in %s", train)
        scheme = _chosen_scheme(config, found)
        return train_run(with_scheme_file(_training_options(config, scheme).override("train.run_dir", train)))


def _chosen_scheme(config: EanPipelineConfig, found: EanSearchResult) -> Path:
    """The file of the scheme that is trained."""
    if found.better_scheme_file is None:
        return found.scheme_file
    if config.chain.train_scheme == "best":
        return found.better_scheme_file
    log.get_logger().warning(
        "EAN's scheme is trained, though %s has a higher reward: option train_scheme best trains that one, in a new "
        "option run_dir, or option scheme of a training", found.better_scheme_file,
    )  # fmt: skip
    return found.scheme_file


def _supernet_options(config: EanPipelineConfig) -> Options:
    groups = config.to_dict()
    shared = {group: groups[group] for group in _SHARED}
    epochs = config.chain.supernet_epochs or config.train.num_epochs
    return Options(SupernetConfig, given=merge(shared, {"train": {"num_epochs": epochs}}))


def _search_options(config: EanPipelineConfig, supernet: str) -> Options:
    groups = config.to_dict()
    kept = {name: value for name, value in groups["train"].items() if search_option("train", name)}
    given = {"score": {**groups["score"], "supernet": supernet}, "ean": groups["ean"], "train": kept}
    return Options(EanSearchConfig, given=given)


def _training_options(config: EanPipelineConfig, scheme: Path) -> Options:
    groups = config.to_dict()
    network = {key: value for key, value in groups["model"].items() if key in _KEPT_OF_MODEL}
    shared = {**{group: groups[group] for group in _SHARED}, "model": {**network, "scheme": str(scheme)}}
    return Options(RunConfig, given=merge(shared, {"data": {"hold_out": 0}}))
