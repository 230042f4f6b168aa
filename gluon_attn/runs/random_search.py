"""The baseline of a gradient search: genotypes drawn at random, trained with as many MACs as the search takes."""

from dataclasses import dataclass

from mxnet.gluon import HybridBlock

from ..analyze.cost import cost
from ..config.run_kind import TITLES
from ..config.search import AnasConfig, AttDartsConfig
from ..data.factory import open_dataset
from ..engine.backend import Backend
from ..engine.devices import contexts
from ..search.darts.methods import METHODS, Genotype, SearchMethod
from ..utils.errors import UserError
from ..utils.files import read_json, write_json
from ..utils.log import get_logger
from ..utils.seed import derive, generator
from .announcement import announce, data_text, devices_text
from .folder import RunFolder
from .options import Options
from .placement import placed
from .retrain import retrain
from .train import describing

_FIRST_ORDER, _SECOND_ORDER = 2, 5  # forward and backward passes in a step of the supernet
_STREAM = 41  # of random numbers


@dataclass(frozen=True)
class RandomSearchResult:
    """What a random search leaves: its folder, with the best genotype in genotype.json, and a row per genotype."""

    folder: RunFolder
    genotype: Genotype
    accuracy: float
    rows: list[dict]


def random_search(options: Options, backend: Backend) -> RandomSearchResult:
    """Train genotypes drawn at random for `retrain_epochs` each; the best goes to genotype.json.

    Genotypes are drawn until their MACs reach those of the gradient search with the same options. With option resume
    those that were trained before are not trained again.

    Args:
        options: of an `AttDartsConfig` or `AnasConfig`.
        backend: the processes of the run.
    """
    with placed(options, backend) as place:
        known = _known(place.folder) if place.resumed else []
        backend.barrier()
        with describing(place, backend):
            return _search(place.config, place.folder, known, backend)


def _known(folder: RunFolder) -> list[dict]:
    """The rows of the genotypes that an earlier process has trained."""
    rows = read_json(folder.random_file) if folder.random_file.is_file() else []
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "accuracy" in row for row in rows):
        raise UserError(f"{folder.random_file} is damaged: start a new search")
    return rows


def _search(config, folder, known, backend):
    method, source = METHODS[config.kind](config), open_dataset(config.data, config.train.seed)
    classes, shape, random = source.classes, source.input_shape, generator(config.train.seed, _STREAM)
    left = budget(config, method, classes, shape)
    what = f"{TITLES[config.kind]}, at random, {config.search.retrain_epochs} epochs per genotype"
    data = data_text(source.name, len(source.train), 0, classes, shape)
    where = contexts(config.train.gpus, config.train.num_gpus, backend)
    announce(what, data, f"{devices_text(where, backend.size)}, float32", folder)
    rows: list[dict] = []
    best: tuple[float, Genotype] | None = None  # (accuracy, genotype)
    get_logger().info("a search with these options takes %.3g MACs per image of its training subset", left)
    while True:
        genotype = method.sample(random)
        spent = macs(method.network(genotype, classes, shape[1]), shape) * config.search.retrain_epochs
        if best is not None and spent > left:
            return RandomSearchResult(folder, best[1], best[0], rows)
        left -= spent
        if len(rows) < len(known):
            accuracy = known[len(rows)]["accuracy"]
        else:
            accuracy = retrain(config, genotype, backend, derive(config.train.seed, len(rows)), warned=bool(rows))
        rows.append({"number": len(rows), "accuracy": accuracy, "skips": _skips(genotype)})
        get_logger().info("random genotype %d: accuracy %.4f", len(rows), accuracy)
        if best is None or accuracy > best[0]:
            best = accuracy, genotype
        if not backend.rank and len(rows) >= len(known):
            about = {"seed": config.train.seed, "score": {"accuracy": round(100 * best[0], 2)}}
            write_json(folder.genotype_file, method.document(best[1], origin="chance", **about))
            write_json(folder.random_file, rows)


def budget(
    config: AttDartsConfig | AnasConfig, method: SearchMethod, classes: int, input_shape: tuple[int, int, int]
) -> int:
    """MACs of a whole gradient search, per image of its training subset.

    Args:
        config: the options of the search.
        method: makes its supernet.
        classes: number of classes.
        input_shape: (3,H,W) of one image.
    """
    passes = _SECOND_ORDER if config.search.unrolled else _FIRST_ORDER
    warm_up = min(config.search.arch_warmup, config.train.num_epochs)
    epochs = warm_up + passes * (config.train.num_epochs - warm_up)
    return epochs * macs(method.supernet(classes, input_shape[1]), input_shape)


def macs(net: HybridBlock, input_shape: tuple[int, int, int]) -> int:
    """MACs of the forward pass of one image, (3,H,W); those of the backward pass are in proportion."""
    return cost(net, input_shape).macs


def _skips(genotype):
    edges = genotype.att if hasattr(genotype, "att") else genotype.normal.edges
    return sum(edge[0] == "skip_connect" for edge in edges)
