import numpy as np
import pytest
from networks import digits_run

from gluon_attn.deploy import check, export, predictor
from gluon_attn.utils.errors import UserError

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


def test_compare_tells_small_from_large(run, tmp_path, monkeypatch):
    (path,) = (one.path for one in export.export_run(run, output=tmp_path, check=False))
    loaded = predictor.load(path)
    images = export.random_images(loaded.card, 8)
    logits = loaded.predict(images)
    scale = abs(logits).max()
    assert check.compare(path, images, logits).difference == 0
    assert check.compare(path, images, logits + 0.5e-5 * scale).good
    assert not check.compare(path, images, logits + 2e-5 * scale).good
    swapped = logits.copy()
    swapped[0, [logits[0].argmax(), logits[0].argmin()]] = swapped[0, [logits[0].argmin(), logits[0].argmax()]]
    assert check.compare(path, images, swapped).other_class == 1
    assert not check.compare(path, images, np.full_like(logits, np.nan)).good
    with pytest.raises(UserError, match="outputs of shape"):
        check.compare(path, images, logits[:, :4])


def test_a_tie_is_no_other_class(run, tmp_path, monkeypatch):
    (path,) = (one.path for one in export.export_run(run, output=tmp_path, check=False))
    monkeypatch.setattr(
        check, "load", lambda _: type("P", (), {"kind": "x", "predict": lambda *_: np.array([[1, 1 + 1e-6, 0]])})
    )
    images = np.zeros((1, 1, 1, 3), np.uint8)
    assert check.compare(path, images, np.array([[1 + 1e-6, 1, 0]])).good
