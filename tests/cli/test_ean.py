"""search.py ean-supernet and ean: the whole way in small, and what it leaves."""

import json
import re
from pathlib import Path

import pytest
import yaml
from small_ean import DATA, NETWORK, run, samples

from gluon_attn import get_model
from gluon_attn.cli import main
from gluon_attn.cli.train import train_cifar
from gluon_attn.config.ean import EanPipelineConfig
from gluon_attn.models.scheme import Scheme
from gluon_attn.runs import ean_context, ean_pipeline, ean_search

ROOT = Path(__file__).resolve().parents[2]


def test_a_supernet_leaves_a_run(supernet_run):
    card = json.loads((supernet_run / "card.json").read_text())
    (entry,) = card["plan"]["entries"]
    assert (entry["name"], entry["shared"], entry["scheme"]) == ("sge", True, None)
    assert yaml.safe_load((supernet_run / "config.yaml").read_text())["data"]["hold_out"] == 4
    assert {path.name for path in supernet_run.iterdir()} >= {"best.params", "metrics.jsonl", "checkpoints", "log.txt"}


def test_what_a_search_leaves(supernet_run, here):
    words = "ean --steps 4 --baselines random evolution --images 8 --run-dir found --supernet"
    assert run(words, supernet_run) == 0
    names = {path.name for path in (here / "found").iterdir()}
    assert names - {"better.json"} == {
        ".lock", "config.yaml", "log.txt", "supernet.json", "state", "best.json", "results.json", "report.html",
        "curves.png", "rewards.png", "chances.png", "network.png", "samples-ean.jsonl", "samples-random.jsonl",
        "samples-evolution.jsonl",
    }  # fmt: skip
    for name in ("ean", "random", "evolution"):
        records = [json.loads(line) for line in samples("found", name).splitlines()]
        assert len(records) == 12
        assert {"step", "scheme", "reward", "accuracy", "loss", "unconnected"} <= set(records[0])
        assert ("bonus" in records[0]) == (name == "ean")
        assert {record["accuracy"] % 12.5 for record in records} == {0}  # of 8 images
    best = Scheme.load(here / "found/best.json")
    assert (best.model, best.attention, len(best.scheme)) == ("cifar_resnet20_v1", "sge", 9)
    rows = json.loads((here / "found/results.json").read_text())
    assert [row["of"] for row in rows] == ["ean", "random", "evolution", "no block connected", "all connected"]
    assert rows[3]["params"] < rows[4]["params"]
    assert rows[3]["MACs"] < rows[4]["MACs"]
    assert rows[0]["scheme"] == best.scheme
    page = (here / "found/report.html").read_text()
    assert page.count("<svg") == 4
    assert best.scheme in page
    assert main(["report", "found", "--output", "again.html"]) == 0
    assert re.sub("<svg.*?</svg>", "", (here / "again.html").read_text(), flags=re.S) == re.sub(
        "<svg.*?</svg>", "", page, flags=re.S
    )


def test_a_better_scheme_than_the_searchs_is_told_and_offered(supernet_run, here, without_costs, caplog, capsys):
    words = "ean --steps 1 --images 8 --reward-weight 1000 --run-dir found --supernet"
    assert run(words, supernet_run) == 0
    told = "EAN's scheme is not the best here: no block connected, the network without its attention, has a reward"
    assert told in caplog.text
    assert "It is in found/better.json: give that as option scheme to train it" in capsys.readouterr().err
    assert "Rewards mean something in their differences only." in (here / "found/log.txt").read_text()
    better = Scheme.load(here / "found/better.json")
    assert (better.scheme, better.model, better.attention) == ("0" * 9, "cifar_resnet20_v1", "sge")
    page = (here / "found/report.html").read_text()
    assert told.replace("'", "&#39;") in page
    assert re.search(r'<tr class="marked"><th scope="row">0{9}</th><td>no block connected</td>', page)
    assert page.index("--scheme found/best.json   EAN") < page.index("--scheme found/better.json   the best, no block")
    result = ean_search.EanSearchResult(Path("found"), Path("best.json"), [], Path("better.json"))
    for chosen, file in (("ean", "best.json"), ("best", "better.json")):
        config = EanPipelineConfig.from_dict({"chain": {"train_scheme": chosen}})
        assert ean_pipeline._chosen_scheme(config, result) == Path(file)
    assert "EAN's scheme is trained, though better.json has a higher reward: option train_scheme best" in caplog.text
    assert run(words.replace("1000", "0").replace("found", "other"), supernet_run) == 0


def test_a_reward_for_time(supernet_run, here, monkeypatch):
    monkeypatch.setattr(ean_context.SearchContext, "stage_latencies", lambda self: [4.0, 0.0, 1.0])
    words = "ean --steps 3 --reward-for latency --reward-weight 10 --reward-base 0 --run-dir time --supernet"
    assert run(words, supernet_run) == 0
    assert json.loads(Path("time/supernet.json").read_text())["times"] == [4.0, 0.0, 1.0]
    for line in samples("time").splitlines():
        record = json.loads(line)
        saved = (4 * record["scheme"][:3].count("0") + record["scheme"][6:].count("0")) / 15
        assert record["reward"] == pytest.approx(record["accuracy"] + 10 * saved)
    monkeypatch.setattr(ean_context.SearchContext, "stage_latencies", None)  # not measured again
    assert run(words, supernet_run, "--resume", "auto", "--steps", 5) == 0


def test_times_are_measured(supernet_run, here, without_costs):
    assert run(f"ean --steps 1 --reward-for latency --supernet {supernet_run} --run-dir time") == 0
    times = json.loads(Path("time/supernet.json").read_text())["times"]
    assert len(times) == 3
    assert min(times) >= 0


def test_the_whole_way(here, without_costs):
    words = f"ean --all {DATA} {NETWORK} --norm group --batch-size 16 --num-epochs 2 --supernet-epochs 1 --steps 2"
    words += " --run-dir all"
    assert run(words) == 0
    config = yaml.safe_load(Path("all/train/config.yaml").read_text())
    best = Scheme.load("all/search/best.json")
    assert (config["model"]["scheme"], config["model"]["shared"]) == (best.scheme, True)
    assert config["model"]["norm"] == best.network["norm"] == "group"
    assert config["data"]["hold_out"] == 0
    lengths = [len(Path(f"all/{part}/metrics.jsonl").read_text().splitlines()) for part in ("supernet", "train")]
    assert lengths == [1, 2]
    before = Path("all/search/best.json").stat().st_mtime_ns
    assert run(words, "--resume", "auto", "--num-epochs", 3) == 0
    assert len(Path("all/train/metrics.jsonl").read_text().splitlines()) == 3
    assert Path("all/search/best.json").stat().st_mtime_ns >= before


def test_a_network_with_its_attention_in_its_name(here, without_costs):
    options = "--dataset synthetic --train-images 12 --val-images 4 --classes 4 --input-size 33 -j 0 --hold-out 1 "
    options += "--batch-size 8 --model-options reduction=40 --save-period 0"
    assert run(f"ean-supernet {options} -a forward_dia_fbresnet50 --num-epochs 1 --run-dir supernet") == 0
    assert run("ean --supernet supernet --steps 1 --validate-size 0 --images 4 --run-dir found") == 0
    best = Scheme.load("found/best.json")
    assert (best.model, best.attention, best.options) == ("dia_fbresnet50", None, {"reduction": 40})
    net = get_model("dia_fbresnet50", 4, scheme="found/best.json", input_size=33)
    assert net.recipe["options"] == {"reduction": 40, "scheme": best.scheme, "input_size": 33}


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["sge", "dia"])
def test_the_whole_way_on_digits(attention, here):
    """The command of docs/search-connections.md."""
    words = (
        f"ean --all --dataset digits --hold-out 20 --batch-size 32 --model cifar_resnet20_v1 --attention {attention} "
        "--lr-mode cosine --warmup-epochs 1 --num-epochs 6 --images 100 --run-dir all"
    )
    assert run(words) == 0
    history = [json.loads(line) for line in Path("all/train/metrics.jsonl").read_text().splitlines()]
    assert max(record["val_accuracy"] for record in history) >= 0.97


def test_the_found_scheme_is_trained(here):
    Scheme("010000100", "cifar_resnet20_v1", "se", {"reduction": 4}).save("best.json")
    words = f"{DATA} --scheme best.json --batch-size 16 --num-epochs 1 --save-period 0 --run-dir run"
    assert train_cifar(words.split()) == 0
    card = json.loads(Path("run/card.json").read_text())
    assert card["plan"]["entries"][0]["scheme"] == "010000100"
    assert card["plan"]["entries"][0]["shared"] is True
