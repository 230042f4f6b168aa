"""What `search.py att-darts` and `search.py anas` share: from options to a run folder."""

import contextlib
import logging

from ...runs import folder as run_folder
from ...runs import train
from ...runs.options import resolve
from ...utils import log
from ...utils.errors import UserError
from ..flags import make_parser, parse, refuse

#: flags of the reference repositories' scripts that mean nothing here: flag -> (number of values, what to do)
_ELSEWHERE = {
    "--checkpoint-path": (1, "--resume auto goes on with a run"),
    "--exp-path": (1, "--run-dir names the folder of the run"),
    "--save": (1, "--run-dir names the folder of the run"),
}


def parser_of(prog, description, config_class, defaults):
    """The parser of a search."""
    parser = make_parser(prog, description, config_class, defaults)
    refuse(parser, _ELSEWHERE)
    return parser


def main(parser, config_class, defaults, argv):
    """Run the search that a command line asks for; returns the exit code.

    defaults: plain data laid over the class's own.
    """
    from ...engine.backend import connect

    given, recipe = parse(parser, argv)
    config = resolve(config_class, defaults, recipe, given)
    defaults = with_norm(defaults, config)
    backend = connect()
    if backend.rank:  # process 0 speaks and writes for all
        log.to_terminal(logging.ERROR)
    with backend.watched():
        if config.search.dry_run:
            from ...runs.estimate import estimate

            return estimate(resolve(config_class, defaults, recipe, given), backend)
        if config.search.seeds:
            from ...runs.multi_seed import several

            return several(config_class, given, recipe, defaults, backend)
        if config.search.random_search:
            from ...runs.random_search import random_search

            return random_search(config_class, given, recipe, defaults, backend)
        folder, trainer = run(config_class, given, recipe, defaults, backend)
    last = trainer.history[-1]
    log.get_logger().info(
        "supernet's validation accuracy %.4f, entropy %.4f, %d skips; %s/genotype.json",
        last["val_accuracy"], last["entropy"], last["skips"], folder,
    )  # fmt: skip
    return 0


def with_norm(defaults, config):
    """`defaults`, where CIFAR's images are normalized as both references do."""
    if not config.data.dataset.startswith("cifar"):
        return defaults
    return {**defaults, "data": {**defaults.get("data", {}), "normalization": "att-darts"}}


def run(config_class, given, recipe, defaults, backend):
    """Search; returns the run folder and the `SearchTrainer` at its end."""
    config, folder, resumed = run_folder.place(config_class, given, recipe, defaults)
    trainer = make_trainer(config, folder, backend)
    backend.barrier()
    with contextlib.nullcontext() if backend.rank else run_folder.written(folder, config, resumed=resumed):
        train.fit(trainer, folder, resumed)
        _last_words(trainer)
    return folder, trainer


def make_trainer(config, folder, backend):
    """The `SearchTrainer` of a config; writes nothing. folder: where its callbacks write, or None for none."""
    import mxnet as mx

    from ...data.factory import build_parts
    from ...engine.devices import contexts
    from ...search.darts.methods import METHODS
    from ...search.darts.trainer import SearchTrainer
    from ...utils.seed import seed_all

    seed, devices = config.train.seed, contexts(config.train.gpus, config.train.num_gpus, backend)
    method = METHODS[config.kind](config)
    portion = config.search.train_portion
    data, others = build_parts(config.data, seed, portion, len(devices), backend.rank, backend.size)
    net = method.supernet(data.classes, data.input_shape[1])
    seed_all(seed)
    net.initialize(mx.init.MSRAPrelu(), ctx=devices)
    callbacks = () if backend.rank or folder is None else list(_callbacks(config, folder, method))
    return SearchTrainer(net, config, method.derive, devices, data.train, others, data.val, callbacks, backend)


def _callbacks(config, folder, method):
    from functools import partial

    from ...analyze.draw import draw, missing
    from ...analyze.charts import draw_operation_weights
    from ...analyze.plots import draw_history
    from ...engine import callbacks as cb
    from ...engine import tracking
    from ...search.darts import callbacks as own

    yield own.SearchProgress(config.train.log_interval)
    yield cb.MetricsFile(folder / "metrics.jsonl")
    yield own.GenotypeFile(folder / "genotype.json", method.document)
    yield cb.Curves(draw_history, folder / "history.png")
    yield cb.Curves(partial(_mixing, draw_operation_weights, method.choices()), folder / "choices.png")
    if config.search.draw_every:
        if missing():
            log.get_logger().warning("%s; going on without (--draw-every 0 asks for none)", missing())
        else:
            yield own.CellPictures(folder / "cells", config.search.draw_every, draw)
    if config.train.tensorboard:
        yield tracking.TensorBoard(folder / "events")
    if config.train.wandb:
        yield tracking.WeightsAndBiases(folder, config.train.project)
    yield cb.Checkpoints(train.store_of(config, folder))


def _mixing(draw, choices, history, path):
    draw(history, choices, path)


def _last_words(trainer):
    if not trainer.history:
        raise UserError("nothing was searched")
