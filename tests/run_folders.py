"""Run folders without networks: options and records, as far as reports read them."""

import json

import numpy as np

from gluon_attn.config.ean import EanConfig, EanSearchConfig
from gluon_attn.config.files import write_yaml
from gluon_attn.config.run_kind import header
from gluon_attn.config.search import AnasConfig, AttDartsConfig
from gluon_attn.config.train import RunConfig
from gluon_attn.runs.compare import make_plan
from gluon_attn.runs.options import Options
from gluon_attn.runs.study.folder import StudyFolder
from gluon_attn.search.darts.methods import METHODS
from gluon_attn.search.ean.policy_search import EanSearch
from gluon_attn.search.ean.search_state import save_search
from gluon_attn.utils.files import write_json, write_text


def records(accuracies, **values):
    """The records of epochs with these test accuracies; `values` are the same in each."""
    return [
        {
            "epoch": epoch, "lr": 0.1 / (epoch + 1), "train_loss": 2.0 - accuracy, "train_accuracy": accuracy,
            "val_loss": 2.5 - accuracy, "val_accuracy": accuracy, "seconds": 30.0,
            "images_per_second": 100.0 + epoch, **values,
        }
        for epoch, accuracy in enumerate(accuracies)
    ]  # fmt: skip


def run_folder(folder, accuracies, options=None, **values):
    """`folder`, made a run's: config.yaml with `options` by group, metrics.jsonl with `records`."""
    write_yaml(folder / "config.yaml", RunConfig.from_dict(options or {}))
    write_text(folder / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in records(accuracies, **values)))
    return folder


def gradient_folder(folder, kind, epochs=3, seed=0):
    """`folder`, made a search's: its architecture parameters drift away from 0, and a genotype is drawn at random."""
    config = {one.kind: one for one in (AttDartsConfig, AnasConfig)}[kind].from_dict({"train": {"seed": seed}})
    method, random = METHODS[kind](config), np.random.default_rng(seed)
    drift = {name: random.normal(size=(14, len(names))) for name, names in method.candidates().items()}
    rows = records(np.linspace(0.2, 0.6, epochs).tolist(), entropy=2.0, skips=1, genotype="a genotype")
    for row in rows:
        row["mixing"] = {name: (row["epoch"] * value).tolist() for name, value in drift.items()}
    write_yaml(folder / "config.yaml", config, header(kind))
    write_text(folder / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    write_json(folder / "genotype.json", method.document(method.sample(random), seed=seed))
    return folder


def connections_folder(folder, steps=4):
    """`folder`, made an EAN search's: its accuracies are those of no network, more for more ones."""
    model, ean = {"model": "cifar_resnet20_v1", "attention": "sge"}, {"steps": steps}
    config = EanSearchConfig.from_dict({"model": model, "ean": ean, "score": {"baselines": []}})
    search = EanSearch(9, lambda schemes: [10.0 * bits.count("1") for bits in schemes], EanConfig(steps=steps))
    for _ in range(steps):
        search.step()
    write_yaml(folder / "config.yaml", config, header(config.kind))
    write_text(folder / "samples-ean.jsonl", "".join(json.dumps(one) + "\n" for one in search.samples))
    save_search(search, folder / "state/ean")
    return folder


def comparison_folder(folder, scores):
    """`folder`, made a comparison's without its database: name of each attention -> accuracy for each seed."""
    study, seeds = StudyFolder(folder), len(next(iter(scores.values())))
    options = Options(RunConfig, recipe={"model": {"model": "cifar_resnet20_v1"}, "data": {"dataset": "digits"}})
    study.begin(make_plan(options, list(scores), seeds, {}))
    runs = []
    for seed in range(seeds):
        for name, accuracies in scores.items():
            run_folder(study.run(len(runs)).path, [accuracies[seed] / 2, accuracies[seed]])
            values = {"model.attention": None if name == "identity" else name}
            runs.append({"number": len(runs), "state": "done", "values": values, "score": accuracies[seed]})
    costs = {"params": 272474, "macs": 40813184, "latency": 2.5, "overhead": 1.0}
    methods = [{"name": "plain" if name == "identity" else name, **costs} for name in scores]
    write_json(study.results_file, {"version": 1, "methods": methods, "runs": runs})
    return folder
