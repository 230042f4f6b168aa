"""Scheme files as option `scheme` of a network: what they build, and that each door refuses those of other networks."""

import pytest
from conftest import ROOT

from gluon_attn import Plan, get_model
from gluon_attn.config.model import ModelConfig
from gluon_attn.models.build import build
from gluon_attn.models.scheme import Scheme, by_stage
from gluon_attn.utils.errors import UserError

DIA = "1100011110010011"
OF_SGE = ROOT / "params" / "schemes" / "ean_sge_fbresnet50.json"


@pytest.fixture
def path(tmp_path):
    """The file of a scheme for cifar_resnet20_v1 with SE."""
    Scheme("010000100", "cifar_resnet20_v1", "se", {"reduction": 4}).save(tmp_path / "best.json")
    return tmp_path / "best.json"


def failing(make, *arguments, **options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        make(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_network_of_a_file(path):
    net = get_model("cifar_resnet20_v1", 10, scheme=path)
    (entry,) = net.recipe["plan"]["entries"]
    assert (entry["scheme"], entry["shared"], entry["options"]) == ("010000100", True, {"reduction": 4})
    built = build(ModelConfig(**Scheme.load(path).model_options()), 10)
    assert built.recipe["plan"] == net.recipe["plan"]


@pytest.mark.parametrize(
    "scheme",
    [
        Scheme("010000100", "cifar_resnet20_v1", "se", network={"norm": "group", "drop_rate": 0.5}),
        Scheme(DIA, "dia_fbresnet50", None, {"norm": "group", "reduction": 40, "last_gamma": True}),
    ],
)
def test_options_of_the_network(scheme, tmp_path):
    scheme.save(tmp_path / "s.json")
    size = 32 if scheme.attention else 224
    net = get_model(scheme.model, 10, scheme=tmp_path / "s.json", input_size=size)
    assert net.recipe["options"]["norm"] == "group"
    built = build(ModelConfig(**scheme.model_options()), 10, size)
    assert built.recipe == net.recipe
    assert get_model(scheme.model, 10, scheme=tmp_path / "s.json", norm="batch").recipe["options"]["norm"] == "group"


def test_a_network_that_names_its_attention(tmp_path):
    path = tmp_path / "best.json"
    found = Scheme(DIA, "dia_fbresnet50", None, {"reduction": 40})
    found.save(path)
    net = get_model("forward_dia_fbresnet50", 10, scheme=str(path))
    assert net.recipe["options"] == {"reduction": 40, "scheme": DIA}
    assert build(ModelConfig(**found.model_options()), 10).recipe["options"]["scheme"] == DIA
    with pytest.raises(UserError, match="dia_fbresnet50 has its attention in its name"):
        found.plan()


def test_a_config_with_a_file_is_completed_by_it(path):
    wanted = get_model("cifar_resnet20_v1", 10, scheme=path).recipe
    for options in ({}, {"attention": "se"}, {"attention": "se", "attention_options": {"reduction": 4}}):
        config = ModelConfig(model="cifar_resnet20_v1", scheme=str(path), **options)
        assert build(config, 10).recipe == wanted
    config = ModelConfig(model="cifar_resnet20_v1", attention="SE", attention_options={"bias": False}, scheme=str(path))
    (entry,) = build(config.replace(shared=False, last_gamma=True), 10).recipe["plan"]["entries"]
    assert (entry["name"], entry["options"], entry["shared"]) == ("SE", {"bias": False}, False)
    with pytest.raises(UserError, match=r"or a \.json file"):
        ModelConfig(attention="eca", scheme="s.yaml")


def test_get_model_refuses_a_file_of_another_network(path):
    other = f"scheme {path} is for cifar_resnet20_v1 with se: drop option "
    assert failing(get_model, "cifar_resnet32_v1", 10, scheme=path).startswith(f"{other}model cifar_resnet32_v1, or ")
    for attention in ("eca", {"name": "eca"}):
        words = failing(get_model, "cifar_resnet20_v1", 10, attention=attention, scheme=path)
        assert words == f"{other}attention eca, or give option scheme as zeros and ones"
    for given in ({"attention": "se"}, {"plan": Plan([{"name": "se"}])}):
        words = failing(get_model, "cifar_resnet20_v1", 10, scheme=path, **given)
        assert words.endswith("best.json says which attention it connects: give neither attention nor plan")
    words = failing(get_model, "dia_fbresnet50", 10, scheme=OF_SGE)
    assert "is for fbresnet50 with sge: drop option model dia_fbresnet50" in words


def test_build_refuses_a_file_of_another_network(path, tmp_path):
    def words(**options):
        return failing(build, ModelConfig(**options), 10)

    own = {"model": "cifar_resnet20_v1", "scheme": str(path)}
    other = f"scheme {path} is for cifar_resnet20_v1 with se: drop option "
    assert words(**{**own, "model": "cifar_resnet32_v1"}).startswith(f"{other}model cifar_resnet32_v1")
    assert words(**own, attention="eca").startswith(f"{other}attention eca, or give option scheme as zeros and ones")
    for model in ("dia_fbresnet50", "forward_dia_fbresnet50", "sge_fbresnet50"):
        assert f"is for fbresnet50 with sge: drop option model {model}" in words(model=model, scheme=str(OF_SGE))
    (tmp_path / "plan.json").write_text(Plan([{"name": "se"}]).to_json())
    assert words(**own, plan=str(tmp_path / "plan.json")).endswith("drop option plan")


def test_a_file_without_an_attention_refuses_every_attention(tmp_path):
    Scheme(DIA, "dia_fbresnet50", None).save(tmp_path / "s.json")
    words = f"scheme {tmp_path / 's.json'} is for dia_fbresnet50 with its own attention: drop option attention dia"
    assert failing(get_model, "dia_fbresnet50", 10, attention="dia", scheme=tmp_path / "s.json").startswith(words)
    config = ModelConfig(model="dia_fbresnet50", attention="dia", scheme=str(tmp_path / "s.json"))
    assert failing(build, config, 10).startswith(words)


def test_a_plan_takes_bits_only(path):
    words = f"option scheme must be zeros and ones, one per block, got '{path}'"
    assert failing(Plan, [{"name": "se", "scheme": str(path)}]) == words


@pytest.mark.parametrize("bits", ["", "012", "ab"])
def test_bits_are_refused_alike_at_every_door(bits):
    for make in (
        lambda: Plan([{"name": "se", "scheme": bits}]),
        lambda: Scheme(bits),
        lambda: ModelConfig(attention="se", scheme=bits),
        lambda: get_model("dia_fbresnet50", 10, scheme=bits),
        lambda: by_stage(bits, [3]),
    ):
        assert "scheme must be zeros and ones, one per block" in failing(make)
