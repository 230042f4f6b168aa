"""Commands of EAN's search: the guide's, the authors', and mistakes."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_ean import DATA, NETWORK, SUPERNET, run

from gluon_attn.cli.search import search_options
from gluon_attn.runs import ean_search

ROOT = Path(__file__).resolve().parents[2]


SUPERNETS = (
    "-a forward_config_share_sge_resnet50 -data DIR --checkpoint NAS_ckpts/ensemble_sge_train_on_subset",
    "-a forward_dia_fbresnet50 -data DIR --checkpoint NAS_ckpts/ensemble_dia_train_on_subset",
)
SEARCH = (
    "--batch-size 1000 -a forward_dia_fbresnet50 --manualSeed 666 -data DIR --checkpoint ckpts/ean_search "
    "--validate_size 2 --resume NAS_ckpts/checkpoint39.params"
)


def test_the_commands_of_the_guide_parse():
    text = (ROOT / "docs/search-connections.md").read_text(encoding="utf-8")
    lines = [line.split()[2:] for line in text.splitlines() if line.startswith("python search.py ")]
    assert len(lines) >= 5
    for name, *words in lines:
        search_options(name, words)


@pytest.mark.parametrize("words", SUPERNETS)
def test_the_authors_commands_for_a_supernet(words):
    config = search_options("ean-supernet", words.split()).config()
    assert config.data.hold_out == 100
    assert (config.data.dataset, config.data.batch_size, config.data.data_dir) == ("imagenet_folder", 256, "DIR")
    assert (config.train.num_epochs, config.train.run_dir) == (50, words.split()[-1])
    assert (config.optim.optimizer, config.optim.lr, config.optim.lr_decay_period) == ("sgd", 0.1, 40)


def test_the_authors_command_for_a_search(monkeypatch):
    seen = []
    found = ean_search.EanSearchResult(Path(), Path(), [SimpleNamespace(best=lambda: ("0",))])
    monkeypatch.setattr("gluon_attn.runs.search.ean_search", lambda options: seen.append(options.config()) or found)
    assert run(f"ean {SEARCH}") == 0
    (config,) = seen
    assert (config.score.supernet, config.train.resume) == ("NAS_ckpts/checkpoint39.params", None)
    assert (config.train.seed, config.train.run_dir, config.data.batch_size) == (666, "ckpts/ean_search", 1000)
    assert (config.data.hold_out, config.ean.steps) == (100, 300)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("ean --steps 2", "--supernet is missing: it names the run folder"),
        ("ean --supernet nothing", "there is no supernet nothing: "),
        ("ean --lr 0.1", "--lr has no meaning here: the supernet is not trained here"),
        ("ean --mixup", "unknown option --mixup"),
        ("ean --baselines chance --supernet x", "--baselines must be one of random, evolution"),
        ("ean-supernet --scheme 101", "unknown option --scheme"),
        ("ean-supernet --dataset digits --model cifar_resnet20_v1", "attention, the attention to share, or a network"),
        (f"ean-supernet {SUPERNET} --hold-out 99", "--hold-out 99 leaves no training images of class"),
        (f"ean-supernet {SUPERNET} --model mobilenet_v2", "share one attention per stage"),
        (f"ean --all {DATA} {NETWORK} --steps 0", "steps must be at least 1"),
    ],
)
def test_mistakes_are_one_line(words, message, here, capfd):
    assert run(words) == 2
    error = capfd.readouterr().err.strip().splitlines()[-1]
    assert message in error
    assert error.startswith("error: ")


def test_a_folder_without_checkpoints(supernet_run, here, capfd):
    shutil.copytree(supernet_run, "bare")
    shutil.rmtree("bare/checkpoints")
    assert run("ean --supernet bare") == 2
    assert "bare holds no whole checkpoint of a supernet" in capfd.readouterr().err
