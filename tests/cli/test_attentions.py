import json

import gluon_attn
from gluon_attn.cli import main


def test_attentions(capsys):
    assert main(["attentions", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == gluon_attn.list_attentions()
    assert rows["se"]["weights"] == 2 * 64 * 4 + 64 + 4
    assert rows["se"]["options"] == {"reduction": 16, "bias": True, "narrowest": 1}
    assert rows["cha_atac"]["slot"] == "act"
    assert "https://arxiv.org/abs/1910.03151" in rows["eca"]["summary"]
    assert main(["attentions"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n{name} " in text for name in rows)
