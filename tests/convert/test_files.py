"""What is read as a file of weights, and what is not."""

import re

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.convert import read_weights
from gluon_attn.utils.errors import UserError

STATE = {"fc.weight": np.arange(6, dtype="float32").reshape(2, 3), "fc.bias": np.ones(2, "float32")}


def failing(path):
    with pytest.raises(UserError) as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same(found):
    assert sorted(found.tensors) == sorted(STATE)
    for name, value in STATE.items():
        np.testing.assert_array_equal(found.tensors[name], value)


def test_mxnets_own(tmp_path):
    mx.nd.save(str(tmp_path / "a.params"), {f"arg:{name}": mx.nd.array(value) for name, value in STATE.items()})
    found = read_weights(tmp_path / "a.params")
    assert (found.kind, found.other_keys) == ("MXNet parameters", ())
    same(found)
    (tmp_path / "half.params").write_bytes((tmp_path / "a.params").read_bytes()[:-5])
    assert "half.params is damaged or not a parameter file" in failing(tmp_path / "half.params")


def test_safetensors(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    numpy.save_file(STATE, tmp_path / "a.bin")  # the ending does not count
    found = read_weights(tmp_path / "a.bin")
    assert found.kind == "safetensors"
    same(found)
    whole = (tmp_path / "a.bin").read_bytes()
    (tmp_path / "half.safetensors").write_bytes(whole[:-5])
    assert "half.safetensors is damaged or no safetensors file" in failing(tmp_path / "half.safetensors")


def test_bfloat16_in_safetensors(tmp_path):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    header = b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    (tmp_path / "a").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    assert failing(tmp_path / "a").endswith("has a in BF16, which NumPy lacks: save it in float32")


def test_what_is_no_file_of_weights(tmp_path):
    assert failing(tmp_path / "none.pth") == f"file {tmp_path / 'none.pth'} does not exist"
    for name, content in (("empty", b""), ("text", b"hello, this is text"), ("page", b"<html>not found</html>")):
        (tmp_path / name).write_bytes(content)
        assert failing(tmp_path / name).endswith(
            "is no file of weights: expected PyTorch's, safetensors or MXNet's .params"
        )


class TestPyTorch:
    """With PyTorch alone."""

    torch = property(lambda self: pytest.importorskip("torch", reason="PyTorch is not installed"))

    def state(self):
        return {name: self.torch.from_numpy(value) for name, value in STATE.items()}

    @pytest.mark.parametrize("zipped", [True, False])
    def test_a_state(self, tmp_path, zipped):
        self.torch.save(self.state(), tmp_path / "a", _use_new_zipfile_serialization=zipped)
        found = read_weights(tmp_path / "a")
        assert (found.kind, found.other_keys) == ("PyTorch tensors", ())
        same(found)

    @pytest.mark.parametrize("place", ["state_dict", "model", "net"])
    def test_a_checkpoint(self, tmp_path, place):
        state = {"fc.weight": self.state()["fc.weight"].bfloat16(), "fc.bias": self.state()["fc.bias"].half()}
        self.torch.save({"epoch": 3, place: state, "optimizer": {"state": {}}}, tmp_path / "a")
        found = read_weights(tmp_path / "a")
        assert (found.kind, found.other_keys) == ("PyTorch checkpoint", ("epoch", "optimizer"))
        same(found)

    def test_files_with_code_are_not_opened(self, tmp_path):
        ran = tmp_path / "ran"

        class Code:
            def __reduce__(self):
                return open, (str(ran), "w")

        for zipped in (True, False):
            self.torch.save({"a": self.state(), "b": Code()}, tmp_path / "a", _use_new_zipfile_serialization=zipped)
            assert "holds more than weights" in failing(tmp_path / "a")
            assert not ran.exists()
        self.torch.save(self.torch.nn.Linear(2, 2), tmp_path / "a")  # a whole network
        assert "holds more than weights" in failing(tmp_path / "a")

    def test_damaged_ones(self, tmp_path):
        for zipped in (True, False):
            self.torch.save(self.state(), tmp_path / "a", _use_new_zipfile_serialization=zipped)
            (tmp_path / "half").write_bytes((tmp_path / "a").read_bytes()[:-200])
            assert re.search("half is damaged or no PyTorch file|or is damaged", failing(tmp_path / "half"))

    @pytest.mark.parametrize("found", [3, {}, {"epoch": 1}, [1, 2]])
    def test_without_tensors(self, tmp_path, found):
        self.torch.save(found, tmp_path / "a")
        assert "a holds no tensors by name; expected a state_dict" in failing(tmp_path / "a")
