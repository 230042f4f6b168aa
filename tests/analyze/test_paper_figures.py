"""Every published figure stands beside ours: whole numbers equal, printed ones as near as they are printed."""

import pytest

from gluon_attn import get_model, list_models
from gluon_attn.analyze.cost import cost
from gluon_attn.analyze.paper_figures import FREE, PUBLISHED, STRIDE, compare, published
from gluon_attn.models.factory import model_info


def counted(name):
    info = model_info(name)
    return cost(get_model(name, info.classes), (3, info.input_size, info.input_size))


@pytest.mark.parametrize("name", PUBLISHED)
def test_ours_is_what_was_published(name):
    figures = PUBLISHED[name]
    params, *work = compare(figures, counted(name))
    if figures.exact:
        assert params["ours"] == params["published"] == figures.exact
    # papers cut as often as they round
    digits = len(figures.params.partition(".")[2])
    assert abs(params["ours"] / figures.unit - float(figures.params)) < 10.0**-digits
    assert len(work) == (figures.macs is not None)
    for row in work:
        assert (abs(row["difference"]) < 0.01) == (figures.note == ""), row


def test_counts_with_the_stride_in_the_first_convolution(monkeypatch):
    """What was counted there: the same networks, each bottleneck shrinking its map one convolution earlier."""

    def early(kind, channels, stride, stride_first=False):
        return [(channels // 4, 1, stride), (channels // 4, 3, 1), (channels, 1, 1)]

    for blocks in ("gluon_blocks", "torch_blocks"):
        monkeypatch.setattr(f"gluon_attn.models.resnet.{blocks}.conv_shapes", early)
    names = [name for name, figures in PUBLISHED.items() if figures.note == STRIDE]
    assert len(names) == 3
    for name in names:
        _, work = compare(PUBLISHED[name], counted(name))
        assert abs(work["difference"]) < 0.005, name


def test_augmented_attention_without_products_of_pixels():
    figures, found = PUBLISHED["aa_resnet50"], counted("aa_resnet50")
    pixels = sum(row.macs for row in found.layers if row.op in ("batch_dot", "dot"))
    assert pixels == pytest.approx(0.5e9, rel=0.1)
    assert found.macs - pixels == pytest.approx(figures.work(), rel=0.02)


@pytest.mark.parametrize(
    ("name", "classes", "options"),
    [
        ("cifar_resnet20_v1", 100, {}),
        ("cifar_resnet20_v1", 10, {"attention": "se"}),
        ("cifar_resnet20_v2", 10, {}),
        ("eca_resnet18_official", 10, {}),
        ("resnet50_v1b", 1000, {"input_size": 256}),
        ("atac_resnet50_v1b", 1000, {"act_layers": 3}),
        ("efficientnet_b0", 1000, {"attention": "eca"}),
    ],
)
def test_figures_are_for_exactly_that_network(name, classes, options):
    assert published(get_model(name, classes, **options).recipe) is None


def test_options_that_cost_nothing():
    net = get_model("se_resnet18", last_gamma=True, drop_rate=0.1, input_size=224)
    assert published(net.recipe) is PUBLISHED["se_resnet18"]
    assert {"last_gamma", "drop_rate", "drop_path", "dropblock_prob"} == FREE


def test_a_comparison_by_hand():
    figures = PUBLISHED["eca_mobilenet_v2"]
    found = counted("eca_mobilenet_v2")
    assert (figures.printed, figures.printed_macs) == ("3.34 Mi", "319.9 M")
    assert compare(figures, found) == [
        {"what": "parameters", "ours": 3504903, "printed": "3.34 Mi", "published": 3504903, "difference": 0.0},
        {
            "what": "MACs and other operations", "ours": found.macs + found.other_ops, "printed": "319.9 M",
            "published": 319900000, "difference": (found.macs + found.other_ops) / 319900000 - 1,
        },
    ]  # fmt: skip


def test_every_figure_has_its_model():
    assert set(PUBLISHED) <= set(list_models())
