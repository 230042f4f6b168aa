"""The page of a search for a connection scheme: the same best scheme as the search's, blocks as the options say."""

import json

import numpy as np
import pytest

from gluon_attn.config.ean import EanSearchConfig
from gluon_attn.config.model import ModelConfig
from gluon_attn.runs.folder import RunFolder
from gluon_attn.runs.pages import connections


@pytest.mark.parametrize(
    ("options", "bits", "blocks"),
    [({}, "11" + 14 * "0", [3, 4, 6, 3]), ({"blocks": [1, 2, 1, 1]}, "11000", [1, 2, 1, 1])],
)
def test_the_best_scheme_is_drawn_with_the_blocks_of_the_options(tmp_path, monkeypatch, options, bits, blocks):
    lucky = bits[::-1]
    rewards = [(bits, 1.0)] * 9 + [(lucky, 1.1), (lucky, 0.1)]  # the highest reward is that of a lucky sample
    lines = [
        json.dumps({"step": step, "scheme": scheme, "accuracy": 50.0, "reward": reward})
        for step, (scheme, reward) in enumerate(rewards)
    ]
    (tmp_path / "samples-ean.jsonl").write_text("\n".join(lines))
    model = ModelConfig(model="fbresnet50", attention="sge", model_options=options)
    config = EanSearchConfig(model=model)
    monkeypatch.setattr(RunFolder, "read_config", lambda self, kind: config)
    monkeypatch.setattr(connections, "saved_probabilities", lambda path: np.full((11, len(bits)), 0.5))
    drawn = []
    network = connections.scheme_plots.network
    monkeypatch.setattr(connections.scheme_plots, "network", lambda *args: drawn.append(args[:2]) or network(*args))
    part = connections.connections_part(RunFolder(tmp_path))
    assert [(scheme, list(stages)) for scheme, stages in drawn] == [(bits, blocks)]
    assert part.rows[0][0] == bits
    assert part.rows[0][4] == "1.000"
