"""--scheme FILE stands for the options of a network; what contradicts it is refused."""

import pytest

from gluon_attn.config.train import RunConfig
from gluon_attn.models.scheme import Scheme
from gluon_attn.runs.implied_options import with_implied, with_scheme_file
from gluon_attn.runs.options import Options
from gluon_attn.utils.errors import UserError


@pytest.fixture
def path(tmp_path):
    Scheme("010000100", "cifar_resnet20_v1", "se", {"reduction": 4}).save(tmp_path / "s.json")
    return str(tmp_path / "s.json")


def expanded(given, recipe=None):
    options = Options(RunConfig, {"model": {"model": "atac_resnet50_v1b"}}, recipe or {}, given)
    return with_scheme_file(options).config()


@pytest.mark.parametrize("where", ["given", "recipe"])
def test_the_file_says_all(path, where):
    layer = {"model": {"scheme": path}, "train": {"num_epochs": 3}}
    config = expanded(layer) if where == "given" else expanded({}, layer)
    assert (config.model.model, config.model.attention, config.model.shared) == ("cifar_resnet20_v1", "se", True)
    assert (config.model.scheme, config.model.attention_options) == ("010000100", {"reduction": 4})
    assert config.train.num_epochs == 3


def test_flags_beside_it(path):
    model = {"scheme": path, "model": "cifar_resnet20_v1", "attention": "SE", "norm": "group"}
    config = expanded({"model": model})
    assert (config.model.norm, config.model.scheme) == ("group", "010000100")


def test_options_of_the_network(tmp_path):
    found = Scheme("010000100", "cifar_resnet20_v1", "se", network={"norm": "group", "blocks": [3, 3, 3]})
    found.save(tmp_path / "s.json")
    layer = {"model": {"scheme": str(tmp_path / "s.json"), "model_options": {"widths": [8, 16, 32]}}}
    for config in (expanded(layer), expanded({}, layer)):
        assert config.model.norm == "group"
        assert config.model.model_options == {"blocks": [3, 3, 3], "widths": [8, 16, 32]}


def test_zeros_and_ones_are_left_as_they_are():
    options = Options(RunConfig, given={"model": {"scheme": "0101"}})
    assert with_scheme_file(options) is options


@pytest.mark.parametrize("option", [{"model": "cifar_resnet32_v1"}, {"attention": "eca"}])
def test_what_contradicts_it(path, option):
    ((key, value),) = option.items()
    with pytest.raises(UserError, match=f"is for cifar_resnet20_v1 with se: drop option {key} {value}"):
        expanded({"model": {"scheme": path, **option}})


def test_no_file():
    with pytest.raises(UserError, match="cannot read nothing"):
        expanded({"model": {"scheme": "nothing.json"}})


@pytest.mark.parametrize(
    ("model", "photographs", "wanted"),
    [
        ({"model": "Att_DARTS"}, False, (96, 0.025, 600, "att-darts")),
        ({"model": "Att_DARTS"}, True, (128, 0.1, 250, "att-darts")),
        ({"net_type": "resnet20"}, False, (128, 0.1, 180, "att-darts")),
        ({"model": "cifar_resnet20_v1"}, False, (128, 0.1, 200, "open-atac")),
    ],
)
def test_reference_defaults(model, photographs, wanted):
    config = with_implied(Options(RunConfig, given={"model": model}), photographs).config()
    found = config.data.batch_size, config.optim.lr, config.train.num_epochs, config.data.normalization
    assert found == wanted


def test_what_is_given_wins_over_reference_defaults_and_the_data_set_tells_photographs():
    given = {"model": {"model": "Att_DARTS"}, "data": {"dataset": "imagenet_folder"}, "optim": {"lr": 7.0}}
    config = with_implied(Options(RunConfig, given=given)).config()
    assert (config.optim.lr, config.train.num_epochs, config.data.label_smoothing) == (7.0, 250, True)
    with pytest.raises(UserError, match="option net_type is a ResNet for small images"):
        with_implied(Options(RunConfig, given={"model": {"net_type": "resnet20"}}), photographs=True)
