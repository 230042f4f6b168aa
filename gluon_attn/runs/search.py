"""Searches by name: what `gluon-attn search` and `gluon_attn.search` run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config.base import Config
from ..config.ean import EanPipelineConfig, EanSearchConfig, SupernetConfig
from ..config.files import merge
from ..config.search import AnasConfig, AttDartsConfig
from ..config.search_defaults import SEARCH_DEFAULTS
from ..engine.backend import Backend
from ..utils.errors import UserError
from ..utils.suggest import did_you_mean
from .ean_pipeline import ean_pipeline, train_supernet
from .ean_search import ean_search
from .estimate import estimate
from .gradient_search import gradient_search, with_reference_normalization
from .multi_seed import multi_seed_search
from .options import Layer, Options, from_keywords
from .random_search import random_search
from .train import connect_quietly


@dataclass(frozen=True)
class SearchResult:
    """What a search leaves.

    Attributes:
        folder: the run folder, or that of several runs; None where nothing was written.
        genotype: of a gradient search, a `CellGenotype` or `AttentionGenotype`; else None.
        scheme: of an EAN search, a 0 or 1 per block; else None.
        file: genotype.json or best.json, for option arch_path or option scheme of a training; None of a supernet.
        details: the result of the kind of search that was run, such as a `GradientSearchResult`.
    """

    folder: Path | None
    genotype: Any = None
    scheme: str | None = None
    file: Path | None = None
    details: Any = field(default=None, repr=False)


def search(kind: str, **options: Any) -> SearchResult:
    """Search an architecture, as `gluon-attn search KIND` does.

    Args:
        kind: "att-darts" (cells with attention, by gradients), "anas" (an attention, by gradients), "ean-supernet"
            (train a supernet of connections to shared attention), "ean" (search which blocks to connect).
        options: names and values of options as flags and recipes have them, see `train`; of "ean" also all=True:
            supernet, search and training of the network found.

    Returns:
        The `SearchResult`, whose file a training takes.

    Raises:
        UserError: an unknown kind or option, a value that does not fit, or files that are missing or broken.
    """
    if kind not in SEARCHES:
        suggestion = did_you_mean(kind, SEARCHES) or f"choose from {', '.join(SEARCHES)}"
        raise UserError(f"unknown search {kind!r}; {suggestion}")
    everything = kind == "ean" and options.pop("all", False)
    chosen = PIPELINE if everything else SEARCHES[kind]
    return chosen.run(from_keywords(chosen.config, options, chosen.defaults))


def gradient_search_run(options: Options) -> SearchResult:
    """Run a gradient search, or what its options ask for instead: several seeds, random search, an estimate."""
    config = options.config()
    options, backend = with_reference_normalization(options), connect_quietly()
    with backend.peer_failures():
        if config.search.dry_run:
            return SearchResult(None, details=estimate(options.config(), backend))
        run = _gradient_run(config)
        found = run(options, backend)
        return SearchResult(found.folder.path, found.genotype, file=found.folder.genotype_file, details=found)


def _gradient_run(config: AttDartsConfig | AnasConfig) -> Callable[[Options, Backend], Any]:
    if config.search.seeds:
        return multi_seed_search
    return random_search if config.search.random_search else gradient_search


def ean_search_run(options: Options) -> SearchResult:
    """Run EAN's search; the authors' option resume FILE names the supernet."""
    asked, supernet = options.asked("train.resume"), options.asked("score.supernet")
    if asked not in (None, "auto") and supernet is None:
        given = merge(options.given, {"score": {"supernet": asked}, "train": {"resume": None}})
        options = Options(options.kind, options.defaults, options.recipe, given)
    found = ean_search(options)
    return SearchResult(found.folder, scheme=found.scheme, file=found.scheme_file, details=found)


def supernet_run(options: Options) -> SearchResult:
    """Train a supernet."""
    result = train_supernet(options)
    return SearchResult(result.folder, details=result)


def pipeline_run(options: Options) -> SearchResult:
    """Supernet, search and training of the network found; `details` is the `Result` of the training."""
    result = ean_pipeline(options)
    return SearchResult(result.folder.parent, details=result)


@dataclass(frozen=True)
class Search:
    """One kind of search: its config class, what it starts from, and the function that runs it."""

    config: type[Config]
    defaults: Layer
    run: Callable[[Options], SearchResult]


SEARCHES: Mapping[str, Search] = {
    "att-darts": Search(AttDartsConfig, SEARCH_DEFAULTS["att-darts"], gradient_search_run),
    "anas": Search(AnasConfig, SEARCH_DEFAULTS["anas"], gradient_search_run),
    "ean-supernet": Search(SupernetConfig, SEARCH_DEFAULTS["ean-supernet"], supernet_run),
    "ean": Search(EanSearchConfig, SEARCH_DEFAULTS["ean"], ean_search_run),
}
#: the search "ean" with all=True
PIPELINE = Search(EanPipelineConfig, SEARCH_DEFAULTS["ean --all"], pipeline_run)
