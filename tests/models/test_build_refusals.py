"""What `build` refuses: options without effect, contradictions, wrong names and values."""

import pytest

from gluon_attn.config.model import ModelConfig
from gluon_attn.models.build import build
from gluon_attn.utils.errors import UserError


def failing(**options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        build(ModelConfig(**options), 10)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"use_relu": True}, "option use_relu needs an option act_type such as ChaATAC"),
        ({"use_global": True, "attention": "se"}, "option use_global needs an option act_type such as ChaATAC"),
        ({"act_layers": 0}, "option act_layers needs an option act_type such as ChaATAC"),
        ({"r": 2}, "option r needs an option attention or an option act_type such as ChaATAC"),
        ({"shared": True}, "option shared needs an option attention"),
        ({"scheme": "1"},
         "option scheme and option config_codes need an option attention, or a network such as sge_fbresnet50"),
        ({"scheme": "1", "attention": "se"}, "se: the scheme has 1 bits, the network 9 blocks"),
        ({"config_codes": [1, 2], "attention": "se"},
         "option config_codes takes numbers up to 7, 7, 7, one per stage, got 1 2"),
        ({"config_codes": [8, 2, 1], "attention": "se"},
         "option config_codes takes numbers up to 7, 7, 7, one per stage, got 8 2 1"),
        ({"config_codes": [1], "model": "mobilenet_v2", "attention": "se"},
         "option config_codes needs numbers of blocks, which mobilenet_v2 does not declare: give option scheme"),
        ({"ksize": "3557", "model": "se_resnet50"},
         "option ksize goes with a network such as eca_resnet50 or with option attention eca, and no more"),
        ({"ksize": "355", "model": "eca_resnet50"},
         "option ksize needs 4 digits, one per stage of eca_resnet50, got 355"),
    ],
)  # fmt: skip
def test_options_without_effect(options, words):
    assert failing(**options) == words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "cifar_resnet21"}, "unknown model 'cifar_resnet21'; did you mean "),
        ({"attention": "sse"}, "unknown attention 'sse'; did you mean "),
        ({"attention": "eca", "r": 4}, "attention 'eca' has no option 'reduction'; known: b, gamma, kernel_size"),
        ({"attention": "se", "attention_options": {"name": "eca"}}, "attention 'se' has no option 'name'; "),
        ({"attention": "se", "attention_options": {"reduction": "x"}}, "reduction must be a whole number above 0"),
        ({"blocks": 3}, "model 'cifar_resnet20_v1' has no option 'blocks'; "),
        ({"model": "atac", "attention": "se"}, "model 'atac' has its attention in its name; "),
        ({"model": "atac", "attention": "se", "act_type": "elu"}, "model 'atac' has its attention in its name; "),
        ({"model": "atac", "last_gamma": True}, "model 'atac' has no option 'last_gamma'; "),
        (
            {"model": "atac", "act_type": "elu", "r": 2},
            "reduction: options of ChaATAC, which activation 'elu' does not have",
        ),
        (
            {"model": "atac", "act_type": "elu", "use_relu": True},
            "relu: options of ChaATAC, which activation 'elu' does",
        ),
        (
            {"act_type": "relu", "use_global": True},
            "global_pool: options of ChaATAC, which activation 'relu' does not have",
        ),
        ({"act_type": "se", "use_relu": True}, "attention 'se' has no option 'relu'; "),
        ({"act_type": "relo"}, "unknown act_type 'relo'; choose an activation (elu, "),
        ({"act_type": "elu", "act_layers": 4}, "act_layers must be from 0 to 3 in this network, got 4"),
        ({"act_type": "ChaATAC", "attention": "cha_atac"}, "cha_atac and ChaATAC both fill the act slot of stage 1; "),
        ({"model": "cifar_resnet20_v2", "last_gamma": True}, "last_gamma is for version 1 networks"),
        ({"plan": "nowhere.json"}, "plan nowhere.json: cannot read nowhere.json: No such file"),
        ({"pretrained": "nowhere.params"}, "parameter file nowhere.params does not exist"),
    ],
)
def test_refused(options, words):
    assert failing(**options).startswith(words)
