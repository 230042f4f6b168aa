import numpy as np
import pytest
from PIL import Image

from gluon_attn.analyze.charts import draw_bars, draw_confusion, operation_weights
from gluon_attn.analyze.figures import save_png


def pixels(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("classes", [2, 20, 40])
def test_a_confusion_becomes_a_png_that_shows_every_class(tmp_path, classes):
    names, right = [f"class {number}" for number in range(classes)], np.eye(classes, dtype=int) * 5
    wrong = right.copy()
    wrong[-1, [0, -1]] = 2, 3
    draw_confusion(right, names, tmp_path / "right.png")
    draw_confusion(wrong, names, tmp_path / "wrong.png")
    assert (pixels(tmp_path / "right.png") != pixels(tmp_path / "wrong.png")).any()
    draw_confusion(right, names[::-1], tmp_path / "named.png")
    assert (pixels(tmp_path / "right.png") != pixels(tmp_path / "named.png")).any() == (classes <= 30)
    draw_confusion(right * 3, names, tmp_path / "more.png")
    assert (pixels(tmp_path / "right.png") != pixels(tmp_path / "more.png")).any() == (classes <= 12)


def test_a_class_without_images_has_no_shade(tmp_path):
    draw_confusion(np.array([[4, 0], [0, 0]]), ["a", "b"], tmp_path / "a.png")
    assert pixels(tmp_path / "a.png").shape[0] > 200


def test_bars_are_as_long_as_their_values(tmp_path):
    for name, last in (("a", 2.0), ("b", 4.0)):
        draw_bars(
            ["net", "net", "other"], ["batch 1", "batch 8", "batch 1"], [1.0, 3.0, last], "img/s", tmp_path / name
        )
    assert (pixels(tmp_path / "a") != pixels(tmp_path / "b")).any()


@pytest.mark.parametrize("parameters", [1, 3])
def test_softmax_weights_of_each_candidate_operation(tmp_path, parameters):
    names = {f"alpha_{number}": ("none", "skip") for number in range(parameters)}

    def draw(last, path):
        history = [
            {"epoch": epoch, "mixing": {name: [[0.0, value], [0.0, 0.0]] for name in names}}
            for epoch, value in enumerate([0.0, last])
        ]
        save_png(operation_weights(history, names), path)
        return pixels(path)

    even = draw(0.0, tmp_path / "even.png")
    assert (even != draw(1.0, tmp_path / "odd.png")).any()
    assert even.shape[0] > 100


def weights(alphas):
    """The picture of these architecture parameters over the epochs."""
    return operation_weights([{"epoch": i, "mixing": {"alphas": [a]}} for i, a in enumerate(alphas)], {"alphas": "abc"})


@pytest.mark.parametrize("epochs", [1, 2, 30])
def test_weights_have_integer_epochs(epochs):
    figure = weights([[0.0, 0.1, 0.2]] * epochs)
    figure.draw_without_rendering()
    low, high = figure.axes[0].get_xlim()
    places = [place for place in figure.axes[0].get_xticks() if low <= place <= high]
    assert places
    assert all(place == int(place) for place in places)


def test_the_colours_of_weights_span_the_weights():
    """A search begins with nearly equal weights: they are told apart, but not rounding errors."""
    figure = weights([[0.0, 0.1, 0.2], [0.0, 0.2, 0.4]])
    shown = figure.axes[0].images[0]
    assert shown.get_clim() == (shown.get_array().min(), shown.get_array().max())
    low, high = weights([[0.0, 1e-9, 0.0]]).axes[0].images[0].get_clim()
    assert low < 1 / 3 < high
    assert high - low > 1e-4
