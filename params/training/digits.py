"""Train the networks of index.json again, all or the named ones, and replace their files.

    python params/training/digits.py [NAME ...]

Each file has the weights of the last epoch of one run of train_cifar.py, whose command is in the index; none was chosen
by its test accuracy. The last bits of the weights, and so the hashes, differ from machine to machine.
"""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for a clone that is not installed

import gluon_attn  # noqa: E402
from gluon_attn.checkpoint import CheckpointStore  # noqa: E402
from gluon_attn.config.card import Card  # noqa: E402
from gluon_attn.deploy.evaluate import score  # noqa: E402
from gluon_attn.deploy.load_run import card_network, load_card  # noqa: E402
from gluon_attn.deploy.predictor import of_network  # noqa: E402
from gluon_attn.models.catalogue import publish  # noqa: E402
from gluon_attn.runs.evaluation_data import open_test_set  # noqa: E402
from gluon_attn.utils.files import write_text  # noqa: E402

SEED = 1
RECIPE = "--dataset digits --batch-size 32 --lr 0.1 --lr-mode cosine --warmup-epochs 1 --num-epochs 8 --save-period 0"
ATTENTIONS = ("se", "eca", "cbam", "bam", "sge", "triplet", "cha_atac", "dia", "anas")
NETWORKS = {
    "digits_resnet20": "--model cifar_resnet20_v1",
    **{f"digits_resnet20_{name}": f"--model cifar_resnet20_v1 --attention {name}" for name in ATTENTIONS},
    "digits_att_darts": "--model att_darts_cifar --model-options channels=8 layers=6",
}


def train(name: str, folder: Path) -> str:
    """Train one network in a run folder.

    Returns:
        The command.
    """
    command = f"python train_cifar.py {RECIPE} {NETWORKS[name]} --seed {SEED}"
    subprocess.run([sys.executable, *shlex.split(command)[1:], "--run-dir", str(folder)], cwd=ROOT, check=True)
    return command


def measured(name: str, card: Card, weights: Path) -> dict[str, Any]:
    """The score of a network on its test images, as `gluon-attn eval` computes it."""
    result = score(of_network(card_network(card, weights, name), card), open_test_set(name, card).val)
    accuracy = result.correct / result.images
    return {"dataset": card.dataset, "images": result.images, "correct": result.correct, "accuracy": accuracy}


def main(names: Sequence[str]) -> None:
    """Train and publish each network, all if there are no names."""
    for name in names or NETWORKS:
        if name not in NETWORKS:
            sys.exit(f"unknown network {name!r}; choose from {', '.join(NETWORKS)}")
        with tempfile.TemporaryDirectory() as scratch:
            run = Path(scratch) / name
            command = train(name, run)
            weights = CheckpointStore(run / "checkpoints").newest()[0] / "net.params"
            log = f"logs/{name}.txt"
            write_text(ROOT / "params" / log, (run / "log.txt").read_text(encoding="utf-8"))
            publish(
                ROOT / "params", name, weights, load_card(run), score=measured(name, load_card(run), weights),
                origin=f"trained here with gluon_attn {gluon_attn.__version__}; the last epoch's weights",
                command=command, seed=SEED, log=log,
            )  # fmt: skip
        print(f"{name}: published", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
