import os
from collections import Counter
from pathlib import Path

import pytest
from networks import network

from gluon_attn import Plan
from gluon_attn.deploy import graph_edit, predictor, targets, write
from gluon_attn.deploy.graph import trace
from gluon_attn.deploy.openvino import write_openvino
from gluon_attn.deploy.predictor import random_images
from gluon_attn.utils.errors import UserError

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
pytest.importorskip("nncf")
#: opens files, lets go of them in order, and counts how many signals it handles
_SIGNALS = """
import gc, signal, sys
from gluon_attn.deploy.openvino import open_request
opened, handled = [open_request(path) for path in sys.argv[1:]], []
signal.signal(signal.SIGTERM, lambda *_: handled.append(1))
while opened:
    del opened[0]
    gc.collect()
    signal.raise_signal(signal.SIGTERM)
print(len(handled))
"""


def test_hard_activations_are_openvinos_own(tmp_path):
    import openvino

    net, card = network("mobilenet_v3_small", multiplier=0.25, input_size=32)
    images = random_images(card, 4)
    path = write.write_optimized(targets.ExportTarget("openvino", "float32"), net, card, tmp_path / "net", None)
    model = openvino.Core().read_model(path)
    counts = Counter(op.get_type_name() for op in model.get_ops())
    assert (counts["HSwish"], counts["HSigmoid"], counts["HardSigmoid"]) == (19, 9, 0)
    expected = predictor.of_network(net, card).predict(images)
    assert abs(predictor.load(path).predict(images) - expected).max() <= 1e-4 * abs(expected).max()


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["fa", "bot", "coord"])
def test_int8_with_lengths_that_are_computed(tmp_path, attention):
    plan = Plan([{"name": attention, "slot": "post" if attention == "coord" else "conv", "scheme": "100000000"}])
    net, card = network(plan=plan, input_size=32)
    images = random_images(card, 8)
    expected = predictor.of_network(net, card).predict(images)
    path = write.write_optimized(
        targets.ExportTarget("openvino", "int8"), net, card, tmp_path / "net", predictor.graph_inputs(card, images)
    )
    found = predictor.load(path).predict(images)
    assert found.shape == expected.shape
    assert abs(found - expected).max() <= 0.3 * abs(expected).max()


def test_damaged_openvino_files_are_one_line(bundles, tmp_path):
    import shutil

    folder = shutil.copytree(bundles["openvino-float32"].path, tmp_path / "bundle")
    xml = folder / "net.xml"
    text = xml.read_text()
    xml.write_text(text + "\n")
    for target in (folder, xml):
        with pytest.raises(UserError, match=r"net.xml is not what was exported \(SHA-256 in .*card.json\)"):
            predictor.load(target)
    (folder / "card.json").unlink()  # its hashes notice all damage first
    for harm, message in (
        (lambda: xml.write_text(text[:500]), "damaged or not an OpenVINO file"),
        (lambda: xml.write_text(text.replace("gluon_attn", "other")), "holds no card"),
        (lambda: (folder / "net.bin").unlink(), "comes with net.bin, which is missing"),
    ):
        harm()
        with pytest.raises(UserError, match=message) as error:
            predictor.load(xml)
        assert "\n" not in str(error.value)


def test_signals_are_handled_while_models_come_and_go(bundles, run_command):
    """OpenVINO changes the stack that they are handled on."""
    done = run_command("-c", _SIGNALS, *[bundles["openvino-float32"].path / "net.xml"] * 3)
    assert (done.returncode, done.stdout) == (0, "3\n")


@pytest.mark.parametrize("ending", [".bin", ".xml"])
def test_a_file_that_openvino_left_incomplete_is_not_kept(tmp_path, monkeypatch, ending):
    """As earlier releases do where the disk is full."""
    import openvino

    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    graph = graph_edit.fold_norms(trace(net, card, plain=True))
    save = openvino.save_model

    def lose_the_end(model, path, **options):
        save(model, path, **options)
        file = Path(path).with_suffix(ending)
        os.truncate(file, file.stat().st_size - 20)

    monkeypatch.setattr(openvino, "save_model", lose_the_end)
    with pytest.raises(UserError, match=r"cannot write .*net\.xml: OpenVINO wrote a part of it"):
        write_openvino(graph, tmp_path / "net.xml")
    assert list(tmp_path.iterdir()) == []


def test_what_openvino_cannot_write_for_another_reason_is_said(tmp_path, monkeypatch):
    import openvino

    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")

    def refuse(*_, **__):
        raise RuntimeError("Check failed\nno such operator")

    monkeypatch.setattr(openvino, "save_model", refuse)
    with pytest.raises(UserError, match=r"^OpenVINO cannot write this network: no such operator$"):
        write_openvino(graph_edit.fold_norms(trace(net, card, plain=True)), tmp_path / "net.xml")
    assert list(tmp_path.iterdir()) == []
