"""What a report shows of a search for a connection scheme (EAN), read from its run folder."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from ...analyze import scheme_plots
from ...analyze.figures import svg_text
from ...analyze.page import Part, Picture, Section, Table, Text
from ...config.ean import EanSearchConfig
from ...config.model import ModelConfig
from ...models.base import MODELS
from ...search.ean.search_state import saved_probabilities
from ...search.ean.searcher import best_scheme, best_so_far
from ...utils.errors import UserError
from ...utils.files import read_json
from ..ean_standing import DIFFERENCES, standing, with_differences
from ..folder import RunFolder

#: the search itself; the others are its baselines
_EAN = "ean"
Samples = Mapping[str, Sequence[Mapping[str, Any]]]


def connections_part(folder: RunFolder, figures: Mapping[str, Figure] | None = None) -> Part:
    """What a report shows of a search for a connection scheme.

    Args:
        folder: its run folder; the search may still be at work.
        figures: what `connection_figures` gives for it, if that is there already.

    Raises:
        UserError: the folder has no sample yet, or a file is damaged.
    """
    config = folder.read_config(EanSearchConfig)
    samples = _samples(folder, config)
    figures = figures or _figures(folder, config, samples)
    bits = best_scheme(samples[_EAN])[0]
    header, rows = _table(folder, samples)
    steps, count = samples[_EAN][-1]["step"] + 1, len(samples[_EAN])
    name = config.model.model
    found = standing([dict(zip(header, row, strict=True)) for row in rows])
    header, rows = with_differences(header, rows)
    line = [Text([found.line])] if found.line else []
    table = Table(header, rows, found.best, "The best scheme of each search, and its costs")
    sections = [Section("Schemes", [*line, table])]
    sections += [
        Section(heading, [Picture(svg_text(figures[key]), description)])
        for key, (heading, description) in _described(bits, samples).items()
    ]
    how = [f"--scheme {folder.scheme_file}"] if folder.scheme_file.is_file() else ["the search has not ended"]
    if found.better and folder.better_scheme_file.is_file():
        how = [f"{how[0]}   EAN's", f"--scheme {folder.better_scheme_file}   the best, {rows[found.best][1]}"]
    sections.append(Section("To train it from scratch", [Text(how, fixed=True)]))
    done = "sampled" if steps >= config.ean.steps else "has sampled so far"
    summary = (
        f"Each search {done} {count} schemes ({steps} steps). Accuracy is that of the supernet, the costs are those of "
        f"the plain network of the scheme. {DIFFERENCES} The marked row has the highest."
    )
    return Part(f"Connections of {name}", summary, header, rows, sections, [found.line] if found.line else [])


def connection_figures(folder: RunFolder) -> dict[str, Figure]:
    """File name without suffix -> figure: the best rewards, all rewards, probabilities, the best network.

    Args:
        folder: the run folder of the search.

    Raises:
        UserError: the folder has no sample yet, or a file is damaged.
    """
    config = folder.read_config(EanSearchConfig)
    return _figures(folder, config, _samples(folder, config))


def _figures(folder: RunFolder, config: EanSearchConfig, samples: Samples) -> dict[str, Figure]:
    model, bits = config.model, best_scheme(samples[_EAN])[0]
    blocks = _blocks(model, bits)
    curves = {name: best_so_far(records) for name, records in samples.items()}
    return {
        "curves": scheme_plots.curves(curves),
        "rewards": scheme_plots.rewards(samples[_EAN]),
        "chances": scheme_plots.connection_probabilities(saved_probabilities(folder.search_state(_EAN)), blocks),
        "network": scheme_plots.network(bits, blocks, model.attention or "attention"),
    }


def _blocks(model: ModelConfig, bits: str) -> Sequence[int]:
    """Number of blocks in each stage, of which an option may decide; all in one where no declaration fits the bits."""
    declared = MODELS.get(model.model).blocks if model.model in MODELS else None
    blocks: Sequence[int] = model.model_options.get("blocks") or declared or ()
    return blocks if sum(blocks) == len(bits) else (len(bits),)


def _samples(folder: RunFolder, config: EanSearchConfig) -> Samples:
    """Name of each search that has begun -> the records of its samples, EAN's search first."""
    files = {name: folder.samples_file(name) for name in (_EAN, *config.score.baselines)}
    if not files[_EAN].is_file():
        raise UserError(f"{folder} has no {files[_EAN].name}: the search has not finished a step")
    return {name: _read(path) for name, path in files.items() if path.is_file()}


def _read(path):
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if records and all(isinstance(one["reward"], float) and isinstance(one["step"], int) for one in records):
            return records
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise UserError(f"{path} is damaged: every line must be a JSON object with a step and a reward")


def _table(folder: RunFolder, samples: Samples) -> tuple[Sequence[str], list[list[Any]]]:
    """(header, rows): the results, or the best samples so far."""
    if folder.results_file.is_file():
        found = read_json(folder.results_file)
        header, rows = list(found[0]), [list(row.values()) for row in found]
    else:
        header = ["scheme", "of", "connected", "accuracy", "reward"]
        rows = [_row(name, records) for name, records in samples.items()]
    return header, rows


def _row(name: str, records: Sequence[Mapping[str, Any]]) -> list[Any]:
    bits, reward = best_scheme(records)
    accuracy = next(one["accuracy"] for one in records if one["scheme"] == bits)
    return [bits, name, bits.count("1"), f"{accuracy:.2f} %", f"{reward:.3f}"]


def _described(bits: str, samples: Samples) -> dict[str, tuple[str, str]]:
    """Name of each figure -> (heading, description for those who cannot see it)."""
    best = ", ".join(f"{name} {best_so_far(records)[-1]:.3f}" for name, records in samples.items())
    return {
        "curves": ("Best reward so far", f"Best reward over the schemes evaluated; in the end {best}."),
        "rewards": ("Rewards", "Reward of every sampled scheme over the steps, with its moving average, the baseline."),
        "chances": ("Probabilities", "Probability that each block is connected over the steps, a row for each block."),
        "network": (
            "EAN's best scheme",
            f"Its blocks by stage, those connected to the shared attention marked: {bits}.",
        ),
    }
