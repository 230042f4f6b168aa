"""`search.py att-darts` and `search.py anas`: their command lines, what they write and find."""

import json
import shlex

import pytest

from gluon_attn.analyze import draw
from gluon_attn.cli import search, train_cifar
from gluon_attn.cli.main import main
from gluon_attn.cli.search import search_options
from gluon_attn.config.model import ModelConfig
from gluon_attn.config.train import RunConfig, data_and_network

TINY = (
    "--dataset synthetic --train-images 32 --classes 3 --input-size 8 --batch-size 8 -j 0 --epochs 2 --draw-every 0 "
    "--operations none,skip_connect,dil_conv_3x3 --nodes 1"
)
CELLS = f"att-darts {TINY} --init_ch 4 --layers 3 --attentions se"
ATTENTION = f"anas {TINY}"


def config_of(line):
    name, *words = shlex.split(line)
    return search_options(name, words).config()


def test_the_defaults_are_the_references():
    config = config_of("att-darts --unrolled")
    optim, search_ = config.optim, config.search
    assert (config.data.batch_size, config.train.num_epochs, config.train.seed) == (64, 50, 2)
    assert (optim.lr, optim.target_lr, optim.momentum, optim.wd, optim.clip_grad) == (0.025, 0.001, 0.9, 3e-4, 5)
    assert (search_.arch_lr, search_.arch_wd, search_.arch_clip, search_.unrolled) == (3e-4, 1e-3, None, True)
    assert (config.space.channels, config.space.layers, search_.train_portion) == (16, 8, 0.5)
    config = config_of("anas --batch_size 128 --seed 1 --note exp1")
    assert (config.data.batch_size, config.train.num_epochs, config.train.seed) == (128, 50, 1)
    assert (config.optim.lr, config.optim.target_lr, config.optim.wd, config.optim.clip_grad) == (0.1, 0, 1e-4, 5)
    assert (config.search.arch_clip, config.space.net_type, config.name_parts[2]) == (5, "resnet20", "exp1")


def test_the_references_spellings():
    words = (
        "--data D --batchsz 32 --lr_min 0.01 --wd 0.1 --report_freq 7 --init_ch 8 --layers 4 --cutout --cutout_len 5 "
        "--grad_clip 3 --train_portion 0.4 --arch_lr 0.1 --arch_wd 0.2 --location double_mixed"
    )
    config = config_of(f"att-darts {words}")
    assert (config.data.data_dir, config.data.batch_size, config.data.cutout_length) == ("D", 32, 5)
    assert (config.optim.target_lr, config.optim.clip_grad, config.train.log_interval) == (0.01, 3, 7)
    assert (config.search.arch_lr, config.search.arch_wd, config.space.location) == (0.1, 0.2, "double_mixed")
    words = "--workers 1 --learning_rate 0.3 --learning_rate_min 0.2 --weight_decay 0.1 --cifar100 --tmp_data_dir D"
    config = config_of(f"anas {words} --arch_learning_rate 0.1 --arch_weight_decay 0.2 --net_type resnet56 --unrolled")
    assert (config.data.dataset, config.data.data_dir, config.data.num_workers) == ("cifar100", "D", 1)
    assert (config.optim.lr, config.optim.target_lr, config.optim.wd) == (0.3, 0.2, 0.1)
    assert (config.search.arch_lr, config.search.arch_wd, config.space.net_type) == (0.1, 0.2, "resnet56")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("att-darts --checkpoint_path x", "--checkpoint-path has no meaning here: --resume auto resumes a run"),
        ("att-darts --drop_path_prob 0.3", "--drop-path-prob has no effect in a search"),
        ("att-darts --dataset digits --attentions see", "unknown attention 'see'"),
        ("att-darts --dataset digits --operations channel_score", "channel_score has no place in this search"),
        ("anas --dataset digits --operations sep_conv_5x5", "sep_conv_5x5 has no place in this search"),
        ("anas --dataset digits --operations none", "at least one operation besides none"),
        ("anas --location end", "unknown option --location"),
        ("anas --dataset digits --seeds 1,1", "--seeds must have each seed once"),
    ],
)
def test_what_is_refused_in_a_line(line, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert search(shlex.split(line)) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module", params=[CELLS, ATTENTION], ids=["att-darts", "anas"])
def found(request, tmp_path_factory):
    """A run folder of a finished search."""
    folder = tmp_path_factory.mktemp("search") / "run"
    assert search([*shlex.split(request.param), "--run-dir", str(folder)]) == 0
    return folder


def test_its_report(found, tmp_path):
    page = tmp_path / "report.html"
    assert main(["report", str(found), "--output", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    for word in ("Weights of the operations", "dil_conv_3x3", "entropy of the softmaxes", "What the search chose"):
        assert word in text


def test_what_a_search_leaves(found):
    names = {path.name for path in found.iterdir()}
    assert names == {".lock", "checkpoints", "choices.png", "config.yaml", "genotype.json", "history.png", "log.txt",
                     "metrics.jsonl"}  # fmt: skip
    records = [json.loads(line) for line in (found / "metrics.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [0, 1]
    assert all({"mixing", "entropy", "skips", "val_accuracy", "genotype"} <= set(record) for record in records)
    genotype = json.loads((found / "genotype.json").read_text())
    assert {"version", "space", "seed", "score", "epoch", "cells"} <= set(genotype)


def test_a_found_network_trains_and_is_tested(found, tmp_path, capsys):
    data = "--dataset synthetic --train-images 16 --val-images 8 --classes 3 --batch-size 8 -j 0 --num-epochs 1"
    cells = json.loads((found / "genotype.json").read_text())["space"] == "att-darts"
    net = "--init_ch 4 --layers 3 --auxiliary --drop_path_prob 0.3" if cells else "--net_type resnet20"
    run = f"{data} {net} --arch_path {found}/genotype.json"
    assert train_cifar(shlex.split(f"{run} --run-dir {tmp_path}/t")) == 0
    assert train_cifar(shlex.split(f"{run} --evaluate --model_path {tmp_path}/t/best.params")) == 0
    accuracy = json.loads((tmp_path / "t/metrics.jsonl").read_text())["val_accuracy"]
    assert f"accuracy {accuracy:.4f}" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert search(shlex.split(f"{ATTENTION} --arch-warmup 1 --dry-run")) == 0
    said = capsys.readouterr().out
    assert "2 epochs of 2 steps of 8 images" in said
    assert "s per step" in said
    assert list(tmp_path.iterdir()) == []


def test_several_seeds(tmp_path, capsys):
    line = f"{ATTENTION} --epochs 1 --seeds 1,2 --pick-by retrain --retrain-epochs 1 --run-dir {tmp_path}/s"
    assert search(shlex.split(line)) == 0
    said = capsys.readouterr().out
    assert "mean" in said
    assert "spread" in said
    best = json.loads((tmp_path / "s/seeds.json").read_text())
    scores = {row["seed"]: row["retrained"] for row in best["searches"]}
    assert scores[best["best"]] == max(scores.values())
    chosen = json.loads((tmp_path / "s/genotype.json").read_text())
    assert chosen == json.loads((tmp_path / f"s/seed-{best['best']}/genotype.json").read_text())
    assert search(shlex.split(f"{line} --resume auto")) == 0  # all are done: the same table
    assert capsys.readouterr().out == said


def test_random_search_has_the_budget_of_a_search(tmp_path, capsys):
    line = f"{CELLS} --epochs 1 --random-search --retrain-epochs 1 --run-dir {tmp_path}/r"
    assert search(shlex.split(line)) == 0
    rows = json.loads((tmp_path / "r/chance.json").read_text())
    assert main(["report", str(tmp_path / "r"), "--output", str(tmp_path / "r.html")]) == 0
    assert "<h1>r (random search)</h1>" in (tmp_path / "r.html").read_text()
    assert len(rows) >= 1
    assert f"best of {len(rows)}" in capsys.readouterr().out
    assert json.loads((tmp_path / "r/genotype.json").read_text())["origin"] == "chance"


@pytest.mark.skipif(draw.missing() is not None, reason="Graphviz is not here")
@pytest.mark.parametrize(("name", "ending", "begins"), [
    ("Att_DARTS", "png", b"\x89PNG"), ("ATTENTION", "svg", b"<?xml"), ("DARTS_V2", "pdf", b"%PDF"),
])  # fmt: skip
def test_drawings(name, ending, begins, tmp_path):
    assert main(["draw", name, "--out", str(tmp_path / f"cell.{ending}")]) == 0
    assert (tmp_path / f"cell.{ending}").read_bytes().startswith(begins)


EDGES = "[[('sep_conv_3x3', 1), ('skip_connect', 0)]]"
PRINTED = f"Genotype(normal={EDGES}, normal_concat=range(2, 3), reduce={EDGES}, reduce_concat=range(2, 3))"


def test_a_genotype_as_another_program_printed_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.txt").write_text(f"epoch 1\ngenotype = {PRINTED.replace('sep', 'dil')}\ngenotype = {PRINTED}\n")
    costs = []
    for value in (PRINTED, "log.txt"):
        options = [f"genotype={value}", "channels=4", "layers=3"]
        assert main(["cost", "darts_cifar", "--json", "--model-options", *options]) == 0
        said = capsys.readouterr()
        costs.append(json.loads(said.out)["params"])
        assert said.err == (
            "" if value == PRINTED else "genotype log.txt: took the last of 2, which begins in line 3\n"
        )
    assert costs[0] == costs[1]
    named = data_and_network(RunConfig(model=ModelConfig(arch_path=PRINTED)))
    assert "genotype" in named  # of the run folder, whose name the text is no part of
    assert not any("(" in (part or "") for part in named)
    assert main(["draw", PRINTED.replace("normal=", "normal_=")]) == 2
    assert "a cell's edges must be a list of two per node, got None" in capsys.readouterr().err


def test_an_unknown_operation_is_named_so(capsys):
    wrong = PRINTED.replace("sep_conv_3x3", "sep_conv3x3")
    assert main(["cost", "darts_cifar", "--model-options", f"genotype={wrong}"]) == 2
    said = capsys.readouterr().err
    words = (
        "error: unknown operation 'sep_conv3x3' in a genotype; did you mean sep_conv_3x3? choose from avg_pool_3x3, "
    )
    assert said.startswith(words)
    assert said.count("\n") == 1


def test_what_cannot_be_drawn(tmp_path, capsys, monkeypatch):
    assert main(["draw", "Att_DART"]) == 2
    assert "unknown genotype 'Att_DART'" in capsys.readouterr().err
    assert main(["draw", "Att_DARTS", "--out", str(tmp_path / "a.gif")]) == 2
    assert "ending in .png, .svg, .pdf" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["draw", "Att_DARTS", "--out", str(tmp_path / "a.png")]) == 2
    assert "apt-get install graphviz" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
