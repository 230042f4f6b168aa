"""Which weights of a checkpoint are taken: raw or EMA. No PyTorch: arrays stand for its tensors."""

import numpy as np
import pytest

from gluon_attn.convert.checkpoint_keys import Choice, find_state
from gluon_attn.utils.errors import UserError

RAW, EMA = ({"w": np.full(2, value, "float32")} for value in (1.0, 2.0))


def find(found, *wish):
    return find_state(found, lambda value: isinstance(value, np.ndarray), "a.pth", *wish)


def refused(found, *wish):
    with pytest.raises(UserError) as caught:
        find(found, *wish)
    return str(caught.value)


@pytest.mark.parametrize("key", ["state_dict_ema", "model_ema", "ema_state_dict", "model_state_ema", "ema"])
@pytest.mark.parametrize("raw", ["state_dict", "model", "model_state_dict"])
def test_both_are_there(raw, key):
    both = {"epoch": 3, raw: RAW, key: EMA}
    assert (find(both).state, find(both).choice) == (RAW, Choice("raw", raw, key))
    assert find(both, None, True).state is not RAW
    assert (find(both, None, True).state["w"] == 2).all()
    assert find(both, "ema").choice == find(both, None, True).choice == Choice("ema", key, raw)
    assert (find(both, "raw", True).state["w"] == 1).all()
    assert find(both).other_keys == ("epoch", key)


def test_one_is_there():
    assert find({"state_dict": RAW, "epoch": 1}, None, True).choice is None
    assert find({"state_dict": RAW, "state_dict_ema": None}, None, True).choice is None  # as timm
    assert find({"state_dict_ema": EMA, "epoch": 1}).choice == Choice("ema", "state_dict_ema", "")
    no_ema = "a.pth has no EMA of the weights: leave out option weights"
    assert refused({"state_dict": RAW, "epoch": 1}, "ema") == no_ema
    assert refused(RAW, "ema") == refused({**RAW, "b": RAW["w"], "epoch": 1}, "ema") == no_ema
    alone = "a.pth has the EMA of the weights alone (state_dict_ema): leave out option weights"
    assert refused({"state_dict_ema": EMA}, "raw") == alone
    assert find(RAW, "raw").state == RAW


def test_checkpoints_in_checkpoints():
    inner = {"model": RAW, "model_ema": EMA, "step": 5}
    assert (find({"state_dict": inner, "epoch": 1}, "ema").state["w"] == 2).all()
    assert find({"state_dict": inner, "epoch": 1}).choice == Choice("raw", "model", "model_ema")
    assert (find({"model": RAW, "ema": {"module": EMA, "updates": 7}}, "ema").state["w"] == 2).all()


def test_mmengine_saves_the_ema_as_state_dict():
    saved = {"meta": {"mmengine_version": "0.10"}, "state_dict": EMA, "ema_state_dict": RAW}
    for prefer_ema in (True, False):
        assert find(saved, None, prefer_ema).choice == Choice("ema", "state_dict", "ema_state_dict")
    assert find(saved, "raw").choice == Choice("raw", "ema_state_dict", "state_dict")
    assert (find(saved, "raw").state["w"] == 1).all()
