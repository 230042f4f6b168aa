import json
import shutil

import numpy as np
import pytest
from networks import network, write_run

from gluon_attn.deploy import export, load_run, onnx, predictor, symbol
from gluon_attn.utils.errors import UserError

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A folder with a run, and its network exported in both formats as `net`."""
    folder = tmp_path_factory.mktemp("original")
    net, card = network("atac_cifar_resnet", blocks=1)
    write_run(folder / "run", net, card)
    export.export_symbol(net, card, folder / "net")
    export.export_onnx(net, card, folder / "net.onnx")
    return folder


@pytest.fixture
def files(original, tmp_path):
    """A copy to damage."""
    return shutil.copytree(original, tmp_path / "copy")


def test_three_kinds_one_answer(original):
    targets = {"run": "run", "symbol": "net-symbol.json", "onnx": "net.onnx"}
    loaded = {kind: predictor.load(original / name) for kind, name in targets.items()}
    images = export.random_images(loaded["run"].card, 7)
    results = {kind: one.predict(images, batch_size=4) for kind, one in loaded.items()}
    for kind, one in loaded.items():
        assert one.kind == kind
        assert one.card == loaded["run"].card
        assert results[kind].shape == (7, 10)
        assert results[kind].dtype == np.float32
        assert np.allclose(results[kind], results["run"], atol=1e-5 * abs(results["run"]).max())
        assert one.predict(images[:0]).shape == (0, 10)


def test_images_of_another_kind_are_refused(original):
    loaded = predictor.load(original / "run")
    for images in (np.zeros((2, 32, 32, 3), np.float32), np.zeros((2, 28, 28, 3), np.uint8)):
        with pytest.raises(UserError, match="takes images of 32x32x3 uint8"):
            loaded.predict(images)


def cut(path, size=1000):
    path.write_bytes(path.read_bytes()[:size])


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


DAMAGE = {
    "no target": ("nothing", None, "does not exist; name a run folder"),
    "a folder that is no run": (".", None, "is not a run folder: it has no card.json"),
    "another kind of file": ("run/best.params", None, "is not a run folder, a NAME-symbol.json or a NAME.onnx"),
    "run without weights": ("run", lambda d: (d / "run/best.params").unlink(), "has not finished an epoch"),
    "run with cut weights": ("run", lambda d: cut(d / "run/best.params"), "best.params is damaged"),
    "run with a cut card": ("run", lambda d: cut(d / "run/card.json", 50), "card.json is not valid JSON"),
    "run of an unknown model": ("run", lambda d: edit(d / "run/card.json", model="resnet"), "unknown model 'resnet'"),
    "run with an odd plan": ("run", lambda d: edit(d / "run/card.json", options={"x": 1}), "has no option 'x'"),
    "run of another model": (
        "run",
        lambda d: edit(d / "run/card.json", model="cifar_resnet20_v1", options={}),
        "is of another network: it lacks",
    ),
    "symbol cut": ("net-symbol.json", lambda d: cut(d / "net-symbol.json"), "damaged or not a symbol file"),
    "symbol is other JSON": (
        "net-symbol.json", lambda d: (d / "net-symbol.json").write_text("{}"), "damaged or not a symbol file",
    ),
    "symbol is no text": (
        "net-symbol.json", lambda d: (d / "net-symbol.json").write_bytes(b"\xff\x00" * 99), "damaged or not a symbol",
    ),
    "symbol without params": (
        "net-symbol.json", lambda d: (d / "net-0000.params").unlink(), "comes with net-0000.params, which is missing",
    ),
    "symbol without card": (
        "net-symbol.json", lambda d: (d / "net-card.json").unlink(), "comes with net-card.json, which is missing",
    ),
    "params cut": ("net-symbol.json", lambda d: cut(d / "net-0000.params"), "net-0000.params is damaged"),
    "params of another model": (
        "net-symbol.json", lambda d: other(d, "cifar_resnet20_v1"), "is of another network: it",
    ),
    "params of another size": (
        "net-symbol.json", lambda d: other(d, "atac_cifar_resnet", blocks=1, reduction=4), "has shape",
    ),
    "card of another model": (
        "net-symbol.json", lambda d: edit(d / "net-card.json", classes=7), r"not go with its card: \(10,\) outputs",
    ),
    "card with an unknown key": (
        "net-symbol.json", lambda d: edit(d / "net-card.json", clases=7), "net-card.json: unknown config key",
    ),
    "onnx cut": ("net.onnx", lambda d: cut(d / "net.onnx"), "damaged or not an ONNX file"),
    "onnx empty": ("net.onnx", lambda d: cut(d / "net.onnx", 0), "damaged or not an ONNX file"),
    "onnx without card": ("net.onnx", lambda d: onnx_card(d, None), "holds no card"),
    "onnx with a broken card": ("net.onnx", lambda d: onnx_card(d, "{"), "its card cannot be read"),
    "onnx with an odd card": ("net.onnx", lambda d: onnx_card(d, '{"clases": 1}'), "its card cannot be read"),
}  # fmt: skip


def other(folder, name, **options):
    net, card = network(name, **options)
    export.export_symbol(net, card, folder / "other")
    shutil.move(folder / "other-0000.params", folder / "net-0000.params")


def onnx_card(folder, text):
    from onnx import load, save

    model = load(str(folder / "net.onnx"))
    del model.metadata_props[:]
    if text:
        model.metadata_props.add(key=onnx.CARD_KEY, value=text)
    save(model, str(folder / "net.onnx"))


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_one_line_that_names_it(files, case):
    target, harm, message = DAMAGE[case]
    if harm:
        harm(files)
    with pytest.raises(UserError, match=message) as error:
        predictor.load(files / target)
    assert "\n" not in str(error.value)


def test_missing_onnxruntime_names_the_extra(original, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"gluon-attn\[onnx\]"):
        predictor.load(original / "net.onnx")


def test_sessions_keep_to_their_threads(original, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    session, _ = onnx.open_session(original / "net.onnx")
    assert session.get_session_options().intra_op_num_threads == 3
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_load_run_gives_the_network_and_card(original):
    net, card = load_run.load_run(original / "run")
    assert card == load_run.load_card(original / "run") == symbol.read_symbol(original / "net-symbol.json").card
    assert net.recipe["model"] == card.model


def test_a_run_at_another_size(original):
    usual, sized = predictor.load(original / "run"), predictor.load(original / "run", 40)
    assert (usual.card.input_shape, sized.card.input_shape) == ((3, 32, 32), (3, 40, 40))
    assert sized.card.options["input_size"] == 40
    assert sized.predict(export.random_images(sized.card, 3)).shape == (3, 10)
    assert predictor.load(original / "net.onnx", 32).card.input_shape == (3, 32, 32)


@pytest.mark.parametrize("name", ["net-symbol.json", "net.onnx"])
def test_an_exported_file_has_one_size(original, name):
    with pytest.raises(UserError, match=f"{name} takes 32x32 images only: leave option input_size out"):
        predictor.load(original / name, 40)


def test_a_size_that_the_network_does_not_take(tmp_path):
    net, card = network(attention="bot", input_size=32)
    write_run(tmp_path / "run", net, card)
    with pytest.raises(UserError, match=r"takes no 64x64 images \(.+\): leave option input_size out"):
        predictor.load(tmp_path / "run", 64)


def test_a_folder_of_exported_files_is_told_to_name_one(tmp_path):
    (tmp_path / "net.onnx").touch()
    with pytest.raises(UserError, match=r"is not a run folder: it has no card.json; name the file in it, .*net\.onnx"):
        load_run.load_card(tmp_path)
