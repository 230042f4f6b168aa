"""search.py ean-supernet and ean: the whole way in small, going on to the last bit, the authors' commands, mistakes."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import mxnet as mx
import pytest
import yaml

from gluon_attn import get_model
from gluon_attn.cli import main
from gluon_attn.cli.search import search, search_options
from gluon_attn.cli.train import train_cifar
from gluon_attn.config.ean import EanPipelineConfig
from gluon_attn.models.scheme import Scheme
from gluon_attn.runs import ean_context, ean_pipeline, ean_results, ean_search

ROOT = Path(__file__).resolve().parents[2]
DATA = "--dataset synthetic --train-images 64 --val-images 32 --classes 4 --input-size 16 -j 0 --hold-out 4"
NETWORK = "--model cifar_resnet20_v1 --attention sge"
SUPERNET = f"{DATA} {NETWORK} --batch-size 16 --num-epochs 1 --save-period 0 --run-dir supernet"


def run(words, *more):
    return search([*words.split(), *map(str, more)])


def samples(folder, name="ean"):
    return (Path(folder) / f"samples-{name}.jsonl").read_text()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The run folder of a small supernet."""
    folder, before = tmp_path_factory.mktemp("supernet"), Path.cwd()
    os.chdir(folder)
    try:
        assert run(f"ean-supernet {SUPERNET}") == 0
    finally:
        os.chdir(before)
    return folder / "supernet"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def without_costs(monkeypatch):
    """Results without MACs and times, which take a second or more to count and measure."""
    monkeypatch.setattr(ean_results, "_cost", lambda setting, scheme: (1, 2, 3.0))


def test_a_supernet_leaves_a_run(trained):
    card = json.loads((trained / "card.json").read_text())
    (entry,) = card["plan"]["entries"]
    assert (entry["name"], entry["shared"], entry["scheme"]) == ("sge", True, None)
    assert yaml.safe_load((trained / "config.yaml").read_text())["data"]["hold_out"] == 4
    assert {path.name for path in trained.iterdir()} >= {"best.params", "metrics.jsonl", "checkpoints", "log.txt"}


def test_what_a_search_leaves(trained, here):
    words = "ean --steps 4 --baselines random evolution --images 8 --run-dir found --supernet"
    assert run(words, trained) == 0
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


def test_a_better_scheme_than_the_searchs_is_told_and_offered(trained, here, without_costs, caplog, capsys):
    words = "ean --steps 1 --images 8 --reward-weight 1000 --run-dir found --supernet"
    assert run(words, trained) == 0
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
    assert run(words.replace("1000", "0").replace("found", "other"), trained) == 0


def test_a_search_goes_on_to_the_last_bit(trained, here, monkeypatch, without_costs):
    """Stopped in the search and in the one to compare with; what was tried before is not tried again."""
    words = f"ean --baselines random --validate-size 1 --replay-from 1 --steps 5 --supernet {trained} --run-dir"
    assert run(words, "whole") == 0
    for name, stop in (("early", ("ean", 2)), ("late", ("random", 3))):
        usual = ean_search.write_text

        def killed(path, text, usual=usual, stop=stop):
            kind, step = stop
            if path.name == f"samples-{kind}.jsonl" and text.count("\n") > 2 * step:
                raise KeyboardInterrupt
            usual(path, text)

        with monkeypatch.context() as patch:
            patch.setattr(ean_search, "write_text", killed)
            assert run(words, name) == 130
        assert not (here / name / "best.json").exists()
        assert run(words, name, "--resume", "auto") == 0
        for kind in ("ean", "random"):
            assert samples(name, kind) == samples("whole", kind)
            assert (here / name / "state" / kind / "arrays.npz").exists()
        assert (here / name / "best.json").read_text() == (here / "whole/best.json").read_text()


def test_more_steps_are_a_longer_search(trained, here, without_costs):
    words = f"ean --supernet {trained} --run-dir"
    assert run(words, "whole", "--steps", 5) == 0
    assert run(words, "part", "--steps", 2) == 0
    assert run(words, "part", "--steps", 5, "--resume", "auto") == 0
    assert samples("part") == samples("whole")


def test_other_weights_are_not_gone_on_with(trained, here, capfd, without_costs):
    shutil.copytree(trained, "supernet")
    words = "ean --steps 2 --run-dir found --supernet supernet"
    assert run(words) == 0
    (weights,) = Path("supernet/checkpoints").iterdir()
    other = get_model("cifar_resnet20_v1", 4, plan=json.loads(Path("supernet/card.json").read_text())["plan"])
    other.initialize(mx.init.Xavier())
    other(mx.nd.zeros((1, 3, 16, 16)))
    other.save_parameters(str(weights / "net.params"))
    assert run("ean --steps 4 --run-dir found --resume auto --supernet", weights / "net.params") == 2
    assert "was started with other weights" in capfd.readouterr().err
    for content in ("[]", "{}", '{"sha256": "a", "times": [null]}'):
        Path("found/supernet.json").write_text(content)
        assert run("ean --steps 4 --run-dir found --resume auto --supernet", weights / "net.params") == 2
        assert "supernet.json is damaged: start a new search" in capfd.readouterr().err


def test_a_reward_for_time(trained, here, monkeypatch):
    monkeypatch.setattr(ean_context.SearchContext, "stage_latencies", lambda self: [4.0, 0.0, 1.0])
    words = f"ean --steps 3 --reward-for latency --reward-weight 10 --reward-base 0 --supernet {trained} --run-dir time"
    assert run(words) == 0
    assert json.loads(Path("time/supernet.json").read_text())["times"] == [4.0, 0.0, 1.0]
    for line in samples("time").splitlines():
        record = json.loads(line)
        saved = (4 * record["scheme"][:3].count("0") + record["scheme"][6:].count("0")) / 15
        assert record["reward"] == pytest.approx(record["accuracy"] + 10 * saved)
    monkeypatch.setattr(ean_context.SearchContext, "stage_latencies", None)  # not measured again
    assert run(words, "--resume", "auto", "--steps", 5) == 0


def test_times_are_measured(trained, here, without_costs):
    assert run(f"ean --steps 1 --reward-for latency --supernet {trained} --run-dir time") == 0
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


def test_the_commands_of_the_guide_parse():
    text = (ROOT / "docs/search-connections.md").read_text(encoding="utf-8")
    lines = [line.split()[2:] for line in text.splitlines() if line.startswith("python search.py ")]
    assert len(lines) >= 5
    for name, *words in lines:
        search_options(name, words)


SUPERNETS = (
    "-a forward_config_share_sge_resnet50 -data DIR --checkpoint NAS_ckpts/ensemble_sge_train_on_subset",
    "-a forward_dia_fbresnet50 -data DIR --checkpoint NAS_ckpts/ensemble_dia_train_on_subset",
)
SEARCH = (
    "--batch-size 1000 -a forward_dia_fbresnet50 --manualSeed 666 -data DIR --checkpoint ckpts/ean_search "
    "--validate_size 2 --resume NAS_ckpts/checkpoint39.params"
)


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


def test_a_folder_without_checkpoints(trained, here, capfd):
    shutil.copytree(trained, "bare")
    shutil.rmtree("bare/checkpoints")
    assert run("ean --supernet bare") == 2
    assert "bare holds no whole checkpoint of a supernet" in capfd.readouterr().err


RUNNER = Path(sys.executable).with_name("horovodrun")


@pytest.mark.skipif(
    importlib.util.find_spec("horovod") is None or not RUNNER.exists(), reason="Horovod is not built: make horovod"
)
def test_two_processes_search_as_one(trained, here, without_costs):
    """Each evaluates its share; the controller of both and of one process is the same, to the last bit."""
    words = f"ean --steps 6 --baselines evolution --supernet {trained} --run-dir"
    assert run(words, "alone") == 0
    command = [RUNNER, "-np", "2", "--gloo", "--network-interface", "lo", sys.executable, ROOT / "search.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [*map(str, command), *words.split(), "together"],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for kind in ("ean", "evolution"):
        assert samples("together", kind) == samples("alone", kind)
    assert (done.stdout + done.stderr).count("best scheme") == 1


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
