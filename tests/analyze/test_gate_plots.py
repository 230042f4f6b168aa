import dataclasses
import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from gluon_attn.analyze.class_plots import draw_class_gates, draw_class_maps, draw_class_share, spread
from gluon_attn.analyze.figures import raster_text, save_png
from gluon_attn.analyze.gate_plots import Look, draw_predictions, draw_sheet
from gluon_attn.analyze.gate_statistics import Site, SiteStatistics

SHAPES = {"channel": (6, 1, 1), "spatial": (2, 4, 4), "element": (6, 4, 4)}


def pixels(figure):
    file = io.BytesIO()
    FigureCanvasAgg(figure).print_png(file)
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def differ(first, other):
    """Whether pixels, or a figure, differ from another figure; a second rendering of a figure is laid out anew."""
    first, second = first if isinstance(first, np.ndarray) else pixels(first), pixels(other)
    return first.shape != second.shape or (first != second).any()


def site(kind, number=0):
    return Site(f"layer{number}", 0, kind, f"stage {number // 2 + 1}", f"block {number % 2 + 1}")


@pytest.fixture
def look():
    random = np.random.default_rng(0)
    gates = [(site(kind, number), random.uniform(size=shape).astype(np.float32))
             for number, (kind, shape) in enumerate(SHAPES.items())]  # fmt: skip
    image = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    return Look(image, [("cat", 0.8), ("dog", 0.2)], random.uniform(size=(4, 4)), "cat", gates)


def test_a_sheet_shows_every_part(look):
    whole = pixels(draw_sheet(look, "image"))
    changes = {
        "image": 255 - look.image,
        "classes": [("cat", 0.5), ("dog", 0.5)],
        "cam": 1 - look.cam,
        "cam_class": "dog",
        "gates": [(place, values**2) for place, values in look.gates],
    }
    for name, value in changes.items():
        assert differ(whole, draw_sheet(dataclasses.replace(look, **{name: value}), "image")), name
    for number in range(3):  # each gate for itself
        gates = [(place, values**2 if index == number else values) for index, (place, values) in enumerate(look.gates)]
        assert differ(whole, draw_sheet(dataclasses.replace(look, gates=gates), "image")), number
    assert differ(whole, draw_sheet(look, "other"))
    assert not differ(whole, draw_sheet(look, "image"))


@pytest.mark.parametrize("kinds", [(), ("channel",), ("spatial",), ("element",) * 14])
def test_a_sheet_of_any_gates(look, kinds):
    gates = [(site(kind, number), np.full(SHAPES[kind], 0.5, np.float32)) for number, kind in enumerate(kinds)]
    found = pixels(draw_sheet(dataclasses.replace(look, gates=gates, cam=None), "image"))
    assert found.shape[1] == 1100
    assert found.std() > 10


def statistics(count=3, classes=3, shift=0.0):
    random, found = np.random.default_rng(1), []
    for number in range(count):
        kind = list(SHAPES)[number % 3]
        one = SiteStatistics(site(kind, number), (4, 4))
        labels = np.arange(30) % classes
        values = random.uniform(size=(30, *SHAPES[kind])) + shift * labels[:, None, None, None]
        one.add(values.astype(np.float32), labels)
        found.append(one)
    return found


@pytest.mark.parametrize("draw", [draw_class_gates, draw_class_maps])
def test_pictures_show_the_classes(draw):
    names = ["cat", "dog", "cow"]
    picture = pixels(draw(statistics(), names, [0, 1]))
    assert differ(picture, draw(statistics(shift=0.5), names, [0, 1]))
    assert differ(picture, draw(statistics(), names, [0, 2]))
    assert differ(picture, draw(statistics(), names[::-1], [0, 1]))


def test_the_share_of_the_class_is_drawn():
    assert differ(draw_class_share(statistics()), draw_class_share(statistics(shift=0.5)))
    assert pixels(draw_class_share(statistics(classes=1))).std() > 1  # nothing can be said, nothing breaks


def test_of_many_gates_the_ends_of_the_stages_are_drawn():
    many = statistics(60)
    few = spread(many)
    assert spread(many[:18]) == many[:18]
    assert 0 < len(few) <= 60
    assert few[0] is many[0]
    assert [one for one in many if one in few] == few
    one_stage = [SiteStatistics(Site(f"{n}", 0, "channel", "stage 1", f"block {n}"), (4, 4)) for n in range(40)]
    assert spread(one_stage) == [one_stage[0], one_stage[-1]]


def test_predictions_show_images_and_bars():
    images = np.zeros((2, 8, 8, 3), np.uint8)
    best = [[("a", 0.9), ("b", 0.1)], [("b", 0.6), ("a", 0.4)]]
    picture = pixels(draw_predictions(images, ["one.png", "two.png"], best))
    assert differ(picture, draw_predictions(images + 200, ["one.png", "two.png"], best))
    assert differ(picture, draw_predictions(images, ["one.png", "two.png"], best[::-1]))
    assert differ(picture, draw_predictions(images, ["one.png", "three.png"], best))


def test_a_png_stands_in_a_page_in_its_size(tmp_path):
    save_png(draw_class_share(statistics()), tmp_path / "share.png")
    with Image.open(tmp_path / "share.png") as image:
        size = image.size
    text = raster_text((tmp_path / "share.png").read_bytes())
    assert f'viewBox="0 0 {size[0]} {size[1]}"' in text
    assert 'href="data:image/png;base64,iVBOR' in text
