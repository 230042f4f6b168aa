import json

import gluon_attn
from gluon_attn.cli import main


def test_models(capsys):
    assert main(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == gluon_attn.list_models()
    assert rows["atac_cifar_resnet"]["options"]["blocks"] == 3
    assert "params" not in rows["cifar_resnet20_v1"]
    assert main(["models"]) == 0
    assert "cifar_resnet20_v1" in capsys.readouterr().out


def test_models_with_cost(capsys, monkeypatch):
    monkeypatch.setattr("gluon_attn.models.factory.list_models", lambda: ["cifar_resnet20_v1"])
    assert main(["models", "--cost"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "input", "params", "MACs", "options"]
    assert row.split()[:4] == ["cifar_resnet20_v1", "3x32x32", "272,474", "40,813,184"]
