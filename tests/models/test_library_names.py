"""timm's names of networks that have another one here: what is said of them is the network with its tensors."""

import pytest

from gluon_attn import get_model
from gluon_attn.cli import main
from gluon_attn.convert.counterpart import counterpart
from gluon_attn.convert.library_weights import NETWORKS
from gluon_attn.models.library_names import meant, timm_network
from gluon_attn.utils.errors import UserError

KNOWN = [name for name in NETWORKS["timm"] if timm_network(name)]
#: timm's networks that are another one of it with an attention
SE_AND_ECA = {
    **{f"seresnet{depth}": (f"resnet{depth}", "se") for depth in ("18", "34", "152d", "50t")},
    **{f"ecaresnet{depth}": (f"resnet{depth}", "eca") for depth in ("50d", "101d", "50t")},
}
SAID = {
    "resnet50": "resnet50_v1b",
    "resnet50d": "resnet50_v1d",
    "resnet26d": "resnet50_v1d with option model_options blocks=[2,2,2,2]",
    "ecaresnet50d": "resnet50_v1d with option attention eca",
    "ecaresnet50t": "resnet50_v1d with option model_options stem=tiered and option attention eca",
    "seresnet18": "resnet18_v1b with option attention se and option attention_options narrowest=8",
    "skresnet50": "resnet50_v1b with option attention sk and option attention_options groups=1 narrowest=8 split=true",
    "mobilenetv3_large_100": "mobilenet_v3_large with option model_options epsilon=1.0e-05",
    "regnety_004": "regnety_400mf",
}


@pytest.mark.parametrize("name", KNOWN)
def test_it_has_the_tensors_of_timms(name):
    model, options, entry = timm_network(name)
    attention = {"name": entry["name"], **entry.get("options", {})} if entry else None
    base, layer = SE_AND_ECA.get(name, (name, None))
    there = counterpart(get_model(model, 5, attention, **options), "timm")
    assert (there.name, there.options) == (
        base, {"num_classes": 5, **({"block_args": {"attn_layer": layer}} if layer else {})}
    )  # fmt: skip


def test_every_name_is_tried():
    assert {*SE_AND_ECA, *SAID, "skresnet50d", "resnet101s", "resnet152c"} <= set(KNOWN)


@pytest.mark.parametrize("name", SAID)
def test_an_unknown_name_that_is_timms(name):
    said = f"timm's {name} is {SAID[name]} here"
    assert meant(name) == said
    with pytest.raises(UserError) as caught:
        get_model(name)
    assert str(caught.value) == f"unknown model {name!r}; {said}"


def test_the_list_and_detectors_say_it_too(capsys):
    assert main(["models", "mobilenetv3_large_100"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        "error: no name matches 'mobilenetv3_large_100': timm's mobilenetv3_large_100 is mobilenet_v3_large with "
        "--model-options epsilon=1.0e-05 here; gluon-attn convert NAME brings the weights of timm:mobilenetv3_large_100"
    )
    with pytest.raises(UserError, match=r"unknown model 'resnet50'; timm's resnet50 is resnet50_v1b here$"):
        get_model("mask_rcnn_fpn_resnet50", 3)


def test_other_names_have_the_nearest():
    assert meant("resnet51") == meant("vgg16") == ""
    with pytest.raises(UserError, match="did you mean"):
        get_model("resnet51_v1b")
