"""A resumed search equals an uninterrupted one."""

import json

import numpy as np
import pytest

from gluon_attn.config.ean import EanConfig
from gluon_attn.search.ean.baselines import Evolution, RandomSearch
from gluon_attn.search.ean.policy_search import EanSearch
from gluon_attn.search.ean.search_state import load_search, save_search
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.files import sealed, write_json


def score(schemes):
    """Accuracies that depend on the schemes only."""
    return [50 + int(scheme, 2) % 97 / 9 for scheme in schemes]


MAKERS = {
    "ean": lambda: EanSearch(10, score, EanConfig(buffer=6), seed=3),
    "reference": lambda: EanSearch(10, score, EanConfig(variant="reference"), seed=3),
    "random": lambda: RandomSearch(10, score, samples_per_step=2, seed=3),
    "evolution": lambda: Evolution(10, score, population=8, seed=3),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("stop", [0, 1, 14])
def test_resumed_search_is_exact(name, stop, tmp_path):
    whole, first, second = (MAKERS[name]() for _ in range(3))
    whole.run(30)
    if stop:
        first.run(stop)
    save_search(first, tmp_path / "state")
    load_search(second, tmp_path / "state")
    second.run(30)
    assert json.dumps(second.samples) == json.dumps(whole.samples)
    (arrays, plain), (wanted, wanted_plain) = second.state(), whole.state()
    assert json.dumps(plain) == json.dumps(wanted_plain)
    assert set(arrays) == set(wanted)
    assert all(arrays[key].tobytes() == wanted[key].tobytes() for key in wanted)


def test_seeds_differ():
    a, b = (EanSearch(10, score, seed=seed) for seed in (1, 2))
    a.run(2)
    b.run(2)
    assert a.samples != b.samples


def test_state_is_replaced_as_a_whole(tmp_path):
    search = MAKERS["ean"]()
    for _ in range(2):
        search.step()
        save_search(search, tmp_path / "state")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    with np.load(tmp_path / "state" / "arrays.npz", allow_pickle=False) as arrays:
        assert arrays["replay/step"].tolist() == [0, 1]


def test_state_of_another_search_is_an_error(tmp_path):
    save_search(MAKERS["ean"](), tmp_path / "state")
    for other, words in (
        (EanSearch(9, score, EanConfig(buffer=6)), "has blocks 10, this one 9"),
        (EanSearch(10, score, EanConfig(buffer=6, controller_lr=0.1)), "begun with another controller_lr"),
        (RandomSearch(10, score), "has search 'ean', this one 'random'"),
    ):
        with pytest.raises(UserError, match=words):
            load_search(other, tmp_path / "state")
    load_search(EanSearch(10, score, EanConfig(buffer=6, steps=500)), tmp_path / "state")


@pytest.mark.parametrize("damage", ["no folder", "no arrays", "other arrays", "no json", "other format", "changed"])
def test_damage_is_an_error(damage, tmp_path):
    search, folder = MAKERS["random"](), tmp_path / "state"
    if damage != "no folder":
        save_search(search, folder)
    if damage == "no arrays":
        (folder / "arrays.npz").unlink()
    elif damage == "other arrays":
        np.savez(folder / "arrays.npz", x=np.zeros(3))
    elif damage == "no json":
        (folder / "state.json").write_text("{")
    elif damage == "other format":
        state = json.loads((folder / "state.json").read_text())
        write_json(folder / "state.json", sealed({**state, "format": 9}))
    elif damage == "changed":
        text = (folder / "state.json").read_text()
        (folder / "state.json").write_text(text.replace('"steps": 0', '"steps": 1'))
    with pytest.raises(UserError, match="has format 9" if damage == "other format" else "no whole saved search"):
        load_search(search, folder)


@pytest.mark.parametrize("key", ["steps", "samples", "random"])
def test_a_state_of_an_earlier_version_without_a_seal(key, tmp_path):
    search = MAKERS["random"]()
    save_search(search, tmp_path)
    state = json.loads((tmp_path / "state.json").read_text())
    del state["seal"]
    write_json(tmp_path / "state.json", state)
    load_search(search, tmp_path)
    del state["state"][key]
    write_json(tmp_path / "state.json", state)
    with pytest.raises(UserError, match=r"state.json is damaged \(KeyError\): start anew"):
        load_search(search, tmp_path)
