"""What a search for a connection scheme tries schemes with."""

from pathlib import Path

from ..config.ean import search_option
from ..config.train import RunConfig
from ..utils import log
from ..utils.errors import UserError
from . import folder as run_folder


class Setting:
    """What schemes are tried with: the trained supernet on its devices, and the evaluator with its images."""

    def __init__(self, config, backend):
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
        self.evaluator = Evaluator(self.supernet, loader, self.devices, backend)
        self.ends = [bit * sum(self.supernet.blocks) for bit in "01"]

    def times(self):
        """Milliseconds that the attention of a block adds to an image, for each stage."""
        from ..analyze.latency import latency
        from ..search.ean.latency_reward import stage_times

        log.get_logger().info("measuring what the attention of each stage takes")
        return stage_times(self.supernet, lambda: latency(self.supernet, self.source.input_shape, batch=32, repeats=3))


def of_the_supernet(options):
    """Plain data of the data and network of the supernet's run folder that a search has a use for, or nothing."""
    folder = options.get("score", {}).get("supernet")
    if not folder or not (Path(folder) / "config.yaml").is_file():
        return {}
    stored = run_folder.read_config(folder, RunConfig).to_dict()
    return {
        group: {name: value for name, value in stored[group].items() if search_option(group, name)}
        for group in ("data", "model")
    }


def _weights(supernet):
    """The parameter file of a supernet: as its run's last epoch left them, or the file itself."""
    from ..checkpoint import CheckpointStore

    if supernet is None:
        raise UserError("name the supernet: --supernet RUN, the folder that search.py ean-supernet wrote")
    if not Path(supernet).exists():
        raise UserError(f"there is no supernet {supernet}: give --supernet a run folder or a parameter file")
    if not Path(supernet).is_dir():
        return Path(supernet)
    newest = CheckpointStore(Path(supernet) / "checkpoints").newest()
    if newest is None:
        raise UserError(f"{supernet} holds no whole checkpoint of a supernet: train it with search.py ean-supernet")
    return newest[0] / "net.params"
