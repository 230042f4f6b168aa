"""What a search for a connection scheme evaluates schemes with: the trained supernet, its devices and images."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.ean import EanSearchConfig, search_option
from ..config.train import RunConfig
from ..utils import log
from ..utils.errors import UserError
from ..utils.paths import expanded
from .folder import RunFolder

if TYPE_CHECKING:  # loads MXNet
    from ..engine.backend import Backend

_LATENCY_BATCH, _LATENCY_REPEATS = 32, 3


class SearchContext:
    """The trained supernet on its devices, and the evaluator with its images.

    Args:
        config: the options of the search.
        backend: the processes that share the evaluations.

    Attributes:
        weights: the parameter file of the supernet.
        devices: its devices.
        source: the data set.
        supernet: the `Supernet`, compiled for evaluation.
        evaluator: the `Evaluator`.
        extremes: the schemes with no and with all blocks connected.

    Raises:
        UserError: if the option supernet names no trained supernet.
    """

    def __init__(self, config: EanSearchConfig, backend: "Backend") -> None:
        from ..data.factory import build_test
        from ..engine.devices import contexts
        from ..nn.params import load_params
        from ..search.ean.evaluator import Evaluator
        from ..search.ean.supernet import build_supernet

        self.weights = _weights(config.score.supernet)
        self.devices = contexts(config.train.gpus, config.train.num_gpus, backend)
        self.source, loader = build_test(config.data, config.train.seed, config.score.images)
        self.supernet = build_supernet(config.model, self.source.classes, self.source.input_shape[1])
        self.supernet.initialize(ctx=self.devices)
        load_params(self.supernet, self.weights)
        self.supernet.compile_for_evaluation(fused=all(device.device_type == "cpu" for device in self.devices))
        self.count, self.processes = config.score.images, backend.size
        self.evaluator = Evaluator(self.supernet, loader, self.devices, backend)
        self.extremes = [bit * sum(self.supernet.blocks) for bit in "01"]

    def announce(self, folder: RunFolder) -> None:
        """Log the first line of the search."""
        from ..models.base import network_text
        from .announcement import announce, data_text, devices_text, parameters

        count = self.count or len(self.source.val)
        what = f"a search (search.py ean), {network_text(self.supernet.recipe)}, {sum(self.supernet.blocks)} blocks"
        data = data_text(self.source.name, 0, count, self.source.classes, self.source.input_shape)
        where = f"{devices_text(self.devices, self.processes)}, float32"
        announce(f"{what}, {parameters(self.supernet):,} parameters", data, where, folder)

    def stage_latencies(self) -> list[float]:
        """Measures the milliseconds that the attention of one block adds to an image, for each stage."""
        from ..analyze.latency import latency
        from ..search.ean.reward import stage_latencies

        log.get_logger().info("measuring the latency of each stage's attention")
        shape = self.source.input_shape
        return stage_latencies(
            self.supernet, lambda: latency(self.supernet, shape, batch=_LATENCY_BATCH, repeats=_LATENCY_REPEATS)
        )


def supernet_options(options: dict[str, Any]) -> dict[str, Any]:
    """Options of data and model of the supernet's run that also apply to a search.

    Args:
        options: plain data of the search's options by group; score.supernet may name a run folder.

    Returns:
        Plain data by group; empty if there is no such run folder.
    """
    folder = expanded(options.get("score", {}).get("supernet"))
    if not folder or not RunFolder(folder).holds_run:
        return {}
    stored = RunFolder(folder).read_config(RunConfig).to_dict()
    return {
        group: {name: value for name, value in stored[group].items() if search_option(group, name)}
        for group in ("data", "model")
    }


def _weights(supernet: str | None) -> Path:
    """The parameter file of a supernet: the newest checkpoint of its run folder, or the file itself."""
    from ..checkpoint import CheckpointStore

    if supernet is None:
        raise UserError("option supernet is missing: it names the run folder that search.py ean-supernet wrote")
    if not Path(supernet).exists():
        raise UserError(f"there is no supernet {supernet}: option supernet takes a run folder or a parameter file")
    if not Path(supernet).is_dir():
        return Path(supernet)
    newest = CheckpointStore(RunFolder(supernet).checkpoints).newest()
    if newest is None:
        raise UserError(f"{supernet} holds no whole checkpoint of a supernet: train it with search.py ean-supernet")
    return newest[0] / "net.params"
