"""Run by each process of `test_processes.py`: `search_worker.py FOLDER`."""

import sys
from pathlib import Path

import gluon_attn  # noqa: F401  isort: skip - must come before MXNet
import mxnet as mx

from gluon_attn.config.search import AttDartsConfig
from gluon_attn.engine.backend import connect
from gluon_attn.runs.gradient_search import make_search_trainer

CONFIG = {
    "data": {"dataset": "synthetic", "train_images": 64, "input_size": 8, "classes": 3, "batch_size": 8,
             "num_workers": 0},
    "space": {"channels": 4, "layers": 3, "nodes": 1, "operations": ["none", "skip_connect", "dil_conv_3x3"],
              "location": "no_attention"},
    "search": {"unrolled": True, "arch_lr": 0.05, "arch_clip": 1.0, "draw_every": 0},
    "optim": {"optimizer": "sgd", "lr": 0.05, "clip_grad": 5},
    "train": {"num_epochs": 2, "seed": 3},
}  # fmt: skip


def main(folder):
    """Search; save all parameters and the initial architecture parameters by rank."""
    backend = connect()
    trainer = make_search_trainer(AttDartsConfig.from_dict(CONFIG), None, backend)
    before = {name: mx.nd.array(values) for name, values in trainer.task.alpha_values().items()}
    trainer.fit()
    trainer.net.save_parameters(str(folder / f"{backend.rank}.params"))
    mx.nd.save(str(folder / f"{backend.rank}.before"), before)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
