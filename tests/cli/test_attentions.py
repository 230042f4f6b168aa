import json

import gluon_attn
from gluon_attn.cli import main


def printed(capsys, *words):
    assert main(["attentions", *words]) == 0
    return capsys.readouterr().out


def test_attentions(capsys):
    rows = {row["name"]: row for row in json.loads(printed(capsys, "--json"))}
    assert list(rows) == gluon_attn.list_attentions()
    assert rows["se"]["weights"] == 2 * 64 * 4 + 64 + 4
    assert rows["se"]["options"].items() >= {"reduction": 16, "bias": True, "narrowest": 1, "gate": "sigmoid"}.items()
    assert rows["cha_atac"]["slot"] == "act"
    assert "https://arxiv.org/abs/1910.03151" in rows["eca"]["summary"]


def test_the_list_is_short_and_by_slot(capsys):
    text = printed(capsys)
    assert text.count("\n") < 60
    assert max(map(len, text.splitlines())) <= 110
    slot = None
    for line in text.splitlines()[1:-2]:
        if line.startswith("  "):
            name = line.split()[0]
            assert gluon_attn.attention.base.ATTENTIONS.get(name).slot == slot
        else:
            slot = line.partition(":")[0]
    assert all(f"\n  {name} " in text for name in gluon_attn.list_attentions())
    assert "Efficient Channel Attention, Wang et al. 2020\n" in text


def test_some_attentions_with_their_options(capsys, refused):
    text = printed(capsys, "*CBAM", "--long")
    assert [line.split()[0] for line in text.splitlines() if line.startswith("  ")] == ["name", "cbam", "light_cbam"]
    assert "reduction=16, kernel_size=7, bias=False   " in text
    assert "https://arxiv.org/abs/1807.06521" in text
    assert "None" not in printed(capsys, "--long")
    refused(["attentions", "cbamm"], "no name matches 'cbamm', did you mean cbam?")
    assert gluon_attn.list_attentions("ge_*") == ["ge_theta", "ge_theta_minus", "ge_theta_plus"]
