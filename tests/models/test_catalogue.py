"""Catalogues of parameter files: the project's, a folder of one's own, one on the web."""

import json

import pytest
from networks import network
from web import Server

from gluon_attn import get_model, save_params
from gluon_attn.models import catalogue as shelf
from gluon_attn.models.catalogue import Published, catalogue, publish, shipped
from gluon_attn.models.pretrained import find_published, pretrained_path
from gluon_attn.utils.errors import UserError

OPTIONS = {"blocks": 1, "act_type": "relu"}
MODEL = "atac_cifar_resnet"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """(folder with one small network in a catalogue, the network)."""
    net, card = network(MODEL, 7, **OPTIONS)
    save_params(net, tmp_path / "made.params")
    publish(tmp_path / "own", "mine", tmp_path / "made.params", card.replace(dataset="stars"), command="make mine")
    monkeypatch.setenv("GLUON_ATTN_HOME", str(tmp_path / "own"))
    return tmp_path / "own", net


def values(net):
    return {name: param.data().asnumpy().tolist() for name, param in net._collect_params_with_prefix().items()}


def complaint(**changed):
    with pytest.raises(UserError) as caught:
        get_model(MODEL, **{"classes": 7, "pretrained": True, **OPTIONS, **changed})
    return str(caught.value)


def test_a_folder_of_ones_own_comes_first(own):
    _, net = own
    assert next(iter(catalogue())) == "mine"
    assert set(catalogue()) > set(json.loads((shipped() / "index.json").read_text())["networks"])
    assert values(get_model(MODEL, 7, pretrained=True, **OPTIONS)) == values(net)
    assert catalogue()["mine"].purpose() == f"{MODEL}, blocks=1, act_type=relu, 7 classes of stars"


def test_what_training_alone_sees_may_differ(own):
    assert get_model(MODEL, 7, pretrained=True, drop_rate=0.5, input_size=32, **OPTIONS) is not None
    recipe = get_model(MODEL, 9, **OPTIONS).recipe
    assert find_published(recipe, any_classes=True).name == "mine"
    with pytest.raises(UserError):
        find_published(recipe)


def test_what_does_not_fit_is_told_what_there_is(own):
    assert (
        "with 8 classes; there are mine (atac_cifar_resnet, blocks=1, act_type=relu, 7 classes of stars);"
        in complaint(classes=8)
    )
    assert "there are mine (" in complaint(act_type="elu")
    with pytest.raises(
        UserError, match=r"parameters of 'resnet18_v1b' as it is asked for, with 5 classes; `gluon-attn"
    ):
        get_model("resnet18_v1b", 5, pretrained=True)


def test_files_are_checked(own):
    folder, _ = own
    (folder / "mine.params").write_bytes((folder / "mine.params").read_bytes()[:-1] + b"!")
    assert "mine.params is not the one that was published" in complaint()
    (folder / "mine.params").unlink()
    assert "mine.params of mine is missing" in complaint()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file": "../mine.params"}, "names the file '../mine.params': it must be in the folder of the index"),
        ({"sha256": "12"}, "needs the SHA-256 of its file"),
        ({"colour": 1}, "is broken: .*colour"),
        ({"card": {"model": "x", "size": 1}}, "unknown config key 'size'"),
    ],
)
def test_a_broken_entry_is_named(own, change, words):
    path = own[0] / "index.json"
    index = json.loads(path.read_text())
    index["networks"]["mine"].update(change)
    path.write_text(json.dumps(index))
    with pytest.raises(UserError, match=words):
        catalogue()


def test_a_folder_without_a_catalogue(own, tmp_path, monkeypatch):
    (own[0] / "index.json").write_text('{"version": 2, "networks": {}}')
    assert "is no catalogue of version 1" in complaint()
    monkeypatch.setenv("GLUON_ATTN_HOME", str(tmp_path / "none"))
    assert "has no index.json: GLUON_ATTN_HOME must name a folder, or the URL of one" in complaint()


def test_publishing_again_replaces(own, tmp_path):
    folder, _ = own
    net, card = network(MODEL, 3, **OPTIONS)
    save_params(net, tmp_path / "new.params")
    entry = publish(folder, "mine", tmp_path / "new.params", card)
    assert (entry.card.classes, entry.command) == (3, "")
    assert catalogue()["mine"] == entry
    assert entry.path() == folder / "mine.params"


def test_a_catalogue_on_the_web(own, tmp_path, monkeypatch, caplog):
    folder, net = own
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with Server({path.name: path.read_bytes() for path in folder.iterdir()}) as server:
        monkeypatch.setenv("GLUON_ATTN_HOME", f"{server.url}/")
        shelf._web_index.cache_clear()
        for _ in range(2):
            assert values(get_model(MODEL, 7, pretrained=True, **OPTIONS)) == values(net)
        assert len(server.requests) == 2  # the index and the file, once each
    shelf._web_index.cache_clear()  # another process, without the web
    monkeypatch.setattr("gluon_attn.utils.download._TRIES", 1)
    assert values(get_model(MODEL, 7, pretrained=True, **OPTIONS)) == values(net)
    assert "the index of an earlier download is used" in caplog.text
    shelf._web_index.cache_clear()


def test_a_path_from_the_recipe_alone(own):
    assert pretrained_path(own[1].recipe) == own[0] / "mine.params"
    assert isinstance(find_published(own[1].recipe), Published)
