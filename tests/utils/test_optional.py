"""Libraries of the extras, and PyTorch where GluonCV would stumble over it."""

import sys

import pytest

from gluon_attn.utils.errors import UserError
from gluon_attn.utils.optional import require, without_torch


def test_a_missing_library_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match=r"optuna is needed for this: pip install 'gluon-attn\[sweep\]'"):
        require("optuna")


def test_torch_is_hidden_and_comes_back(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", sys)
    with without_torch(), pytest.raises(ImportError):
        import torch
    import torch

    assert torch is sys
    monkeypatch.delitem(sys.modules, "torch")
    with without_torch():
        pass
    assert "torch" not in sys.modules


def test_training_works_beside_a_new_torch(run_command, tmp_path):
    (tmp_path / "torch.py").write_text("__version__ = '2.13.0'\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import gluon_attn.engine.trainer; import torch"
    done = run_command("-c", code)
    assert done.returncode == 0, done.stderr
