"""Plans: plain data, and which slots they fill."""

import json

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import Plan, get_model
from gluon_attn.models.plan import Entry
from gluon_attn.utils.errors import UserError

BLOCKS = [3, 3, 3]


def failing(maker, *arguments, **options):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        maker(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def taken(plan, slot, blocks=BLOCKS):
    """(stage, block) of the places that a plan fills, block None after a stage and in the head."""
    bound = plan.bind(blocks)
    places = [(stage, block) for stage, count in enumerate(blocks, 1) for block in (*range(count), None)]
    places.append((len(blocks) + 1, None))
    return [place for place in places if bound.make(slot, *place, 16)]


def kind(module):
    return type(module).__name__


WHOLE = Plan(
    [
        Entry(slot="post", name="se", options={"reduction": 4, "bias": False}, stages=(1, 3), scheme="101010101"),
        Entry(slot="act", name="ChaATAC", options={"relu": False}, stages=(3, 4)),
        Entry(slot="stage", name="cbam", shared=True),
    ]
)


def test_json_round_trip(tmp_path):
    assert Plan.from_dict(json.loads(WHOLE.to_json())) == WHOLE
    (tmp_path / "plan.json").write_text(WHOLE.to_json())
    assert Plan.load(tmp_path / "plan.json") == WHOLE
    assert Plan.from_dict(Plan().to_dict()) == Plan()
    assert Plan() != WHOLE
    assert Plan([{"name": "se"}]) == Plan([Entry(slot="post", name="se")])
    assert json.loads(WHOLE.to_json())["entries"][1] == {
        "slot": "act", "name": "ChaATAC", "options": {"relu": False}, "stages": [3, 4], "shared": False, "scheme": None,
    }  # fmt: skip
    assert repr(Plan([{"name": "eca"}])).startswith("Plan([{'slot': 'post', 'name': 'eca'")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "a plan is a mapping with the keys 'version' and 'entries'"),
        ({"entries": []}, "a plan is a mapping with the keys 'version' and 'entries'"),
        ({"version": 1, "entries": [], "note": ""}, "a plan is a mapping with the keys 'version' and 'entries'"),
        ({"version": 1, "entries": {}}, "a plan is a mapping with the keys 'version' and 'entries'"),
        ({"version": 2, "entries": []}, "plan version 2 is not supported; this release reads version 1"),
        ({"version": 1, "entries": [3]}, "plan entry must be a mapping of options, got 3"),
        (
            {"version": 1, "entries": [{"stage": 1}]},
            "unknown config key 'plan entry.stage'; did you mean stages or shared?",
        ),
        (
            {"version": 1, "entries": [{"slot": "end"}]},
            "option slot must be one of post, inner, act, conv, conv1, stage, got 'end'",
        ),
        (
            {"version": 1, "entries": [{"scheme": "012"}]},
            "option scheme must be zeros and ones, one per block, got '012'",
        ),
        ({"version": 1, "entries": [{"scheme": ""}]}, "option scheme must be zeros and ones, one per block, got ''"),
        ({"version": 1, "entries": [{"stages": ["a"]}]}, "option stages takes a whole number, got 'a'"),
        ({"version": 1, "entries": [{"options": [1]}]}, "option options takes a mapping, got [1]"),
        ({"version": 1, "entries": [{"shared": "maybe"}]}, "option shared takes true or false, got 'maybe'"),
    ],
)
def test_wrong_data(data, words):
    assert failing(Plan.from_dict, data) == words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read {path}: No such file or directory"),
        ("{", "{path} is not valid JSON (Expecting"),
        ("[]", "a plan is a mapping"),
        ('{"version": 1, "entries": [{"nam": "se"}]}', "unknown config key 'plan entry.nam'; did you mean name"),
    ],
)
def test_wrong_files_are_named(tmp_path, content, words):
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_text(content)
    assert failing(Plan.load, path).startswith(f"plan {path}: {words.format(path=path)}")


def test_the_head_is_a_place_only_where_there_is_one():
    plan = Plan([{"slot": "act", "name": "elu", "stages": [4]}])
    assert taken(plan, "act") == [(4, None)]
    assert failing(plan.bind, BLOCKS, head=False) == "elu: stages [4] are not all within 1 to 3"
    assert failing(get_model, "cifar_resnet20_v1", plan=plan) == "elu: stages [4] are not all within 1 to 3"


def test_all_places():
    inside = [(stage, block) for stage in (1, 2, 3) for block in (0, 1, 2)]
    after = [(1, None), (2, None), (3, None)]
    assert [place for place in taken(Plan([{"name": "se"}]), "post") if place[1] is not None] == inside
    assert [place for place in taken(Plan([{"slot": "stage"}]), "stage") if place in after] == after
    assert taken(Plan([{"name": "se"}]), "act") == taken(Plan(), "post") == []


def test_stages_and_schemes_narrow_each_other():
    assert taken(Plan([{"scheme": "100010001"}]), "post") == [(1, 0), (2, 1), (3, 2)]
    assert taken(Plan([{"scheme": "100010001", "stages": [2, 3]}]), "post") == [(2, 1), (3, 2)]
    assert taken(Plan([{"scheme": "110001"}]), "post", [1, 2, 3]) == [(1, 0), (2, 0), (3, 2)]
    assert taken(Plan([{"stages": []}]), "post") == []


def test_several_entries_share_a_slot_when_their_places_differ():
    plan = Plan([{"name": "se", "stages": [1]}, {"name": "eca", "stages": [2, 3]}]).bind(BLOCKS)
    assert [kind(plan.make("post", stage, 0, 16)) for stage in (1, 2, 3)] == ["SE", "ECA", "ECA"]


def test_two_entries_for_one_place():
    plan = Plan([{"name": "se"}, {"name": "eca", "scheme": "000100000"}]).bind(BLOCKS)
    assert kind(plan.make("post", 1, 0, 16)) == "SE"
    assert failing(plan.make, "post", 2, 0, 16) == (
        "se and eca both fill the post slot of stage 2; a slot holds one module"
    )
    assert "both fill" in failing(get_model, "cifar_resnet20_v1", plan=Plan([{"name": "se"}, {"name": "se"}]))


def test_each_place_has_its_own_module_unless_shared():
    own, shared = (Plan([{"name": "se", "shared": share}]).bind(BLOCKS) for share in (False, True))
    assert own.make("post", 1, 0, 16) is not own.make("post", 1, 1, 16)
    assert shared.make("post", 1, 0, 16) is shared.make("post", 1, 2, 16)
    assert shared.make("post", 1, 0, 16) is not shared.make("post", 2, 0, 16)
    assert shared.make("post", 1, 0, 16) is not shared.make("post", 1, 0, 32)


def test_shared_modules_are_one_for_a_stage_and_count_once(tmp_path):
    plan = Plan([{"name": "se", "options": {"reduction": 4}, "shared": True}])
    net = get_model("cifar_resnet20_v1", 10, plan=plan)
    for i in (2, 3, 4):
        assert len({id(block.post) for block in net.features[i]}) == 1
    sizes = {name: int(np.prod(p.shape)) for name, p in net.collect_params().items() if p.grad_req != "null"}
    assert sum(sizes.values()) == 272474 + sum(2 * c * (c // 4) + c // 4 + c for c in (16, 32, 64))
    net.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(2, 3, 8, 8))
    wanted = net(x).asnumpy()
    net.save_parameters(str(tmp_path / "net.params"))
    again = get_model("cifar_resnet20_v1", 10, plan=plan, pretrained=tmp_path / "net.params")
    again.hybridize()
    np.testing.assert_allclose(again(x).asnumpy(), wanted, rtol=1e-5, atol=1e-6)
    weight = again.features[2][0].post.mlp[0].weight
    weight.set_data(weight.data() * 0)
    assert (again.features[2][1].post.mlp[0].weight.data().asnumpy() == 0).all()


def test_two_networks_of_one_plan_share_nothing():
    plan = Plan([{"name": "se", "shared": True}])
    one, other = (get_model("cifar_resnet20_v1", 10, plan=plan) for _ in range(2))
    assert one.features[2][0].post is not other.features[2][0].post
    assert not set(one.collect_params()) & set(other.collect_params())
    assert plan == Plan([{"name": "se", "shared": True}])


def test_a_plan_needs_no_mxnet(run_command):
    done = run_command(
        "-c",
        "import sys, gluon_attn.models.plan as p\n"
        "p.Plan.from_dict(p.Plan([{'name': 'se', 'scheme': '101'}]).to_dict()).bind([1, 2])\n"
        "print('mxnet' in sys.modules)",
    )
    assert done.stdout == "False\n", done.stderr
