"""Converting takes less than three times the file's size in memory."""

import mxnet as mx
import numpy as np
import pytest

PROGRAM = """
import pathlib, re, sys
import gluon_attn, mxnet as mx
from gluon_attn import get_model
from gluon_attn.convert import match, read_weights, save_match
if sys.argv[1].endswith(".pth"):
    import torch
elif sys.argv[1].endswith(".safetensors"):
    import safetensors
net = get_model("resnet50_v1b", 1000)
mx.nd.zeros(1).wait_to_read()
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
pathlib.Path("/proc/self/clear_refs").write_text("5")  # from here on
before = peak()
save_match(match(net, read_weights(sys.argv[1]).tensors, sys.argv[2]), "out.params")
print(1024 * (peak() - before))
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["params", "safetensors", "pth"])
def test_peak(form, tmp_path, run_command):
    from gluon_attn import get_model
    from gluon_attn.convert import reference_names

    net = get_model("resnet50_v1b", 1000)
    own = net._collect_params_with_prefix()
    source = "gluoncv" if form == "params" else "torchvision"
    names = reference_names(net, source)
    state = {name: np.random.standard_normal(own[path].shape).astype("float32") for path, name in names.items()}
    path = tmp_path / f"in.{form}"
    if form == "params":
        mx.nd.save(str(path), {name: mx.nd.array(value) for name, value in state.items()})
    elif form == "pth":
        torch = pytest.importorskip("torch", reason="PyTorch is not installed")
        torch.save({name: torch.from_numpy(value) for name, value in state.items()}, path)
    else:
        pytest.importorskip("safetensors.numpy", reason="safetensors is not installed").save_file(state, path)
    size = path.stat().st_size
    assert size > 100e6
    done = run_command("-c", PROGRAM, path, source)
    assert done.returncode == 0, done.stderr
    print(f"{form}: {int(done.stdout) / size:.2f} times the file's size")
    assert 0.5 * size < int(done.stdout) < 3 * size
