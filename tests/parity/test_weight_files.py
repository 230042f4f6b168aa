"""Files of weights as the reference repositories write them, through `gluon-attn convert`'s path, to their outputs.

The weights are the cases', saved in each layout that the original has; files of PyTorch's are skipped without PyTorch,
the same tensors go through safetensors all the same.
"""

import mxnet as mx
import numpy as np
import pytest
from builds import make
from golden import OWN, folder, read_index

from gluon_attn import load_params
from gluon_attn.convert import match, read_weights, save_match

#: cases that stand for the repositories' own networks; of a folder without them, modules
WANTED = {
    "ecanet": ("net_eca_resnet18_64", "net_ecaorig_resnet50_64", "net_att_resnet18_cbam", "mod_eca_c64"),
    "att-darts": ("net_attdarts_cifar", "net_attdarts_imagenet", "mod_attdarts_se_c64"),
    "ean": ("net_ean_sge_found", "net_ean_dia_found", "mod_sge_g8_c64"),
    "anas": ("net_anas_eval_n3", "net_anas_se_resnet20", "mod_anas_cell"),
    "open-atac": ("net_atac_resnet50_al2", "net_atac_resnet20_b3_al4", "net_atac_resnet20_b1_elu"),
    "echo": ("mod_echo_se_c64",),
}
LAYOUTS = {
    "ecanet": ("checkpoint", "old checkpoint", "state", "safetensors"),
    "att-darts": ("state", "safetensors"),
    "ean": ("old checkpoint", "safetensors"),
    "anas": ("state", "safetensors"),
    "open-atac": ("structural", "prefixed"),
    "echo": ("state", "safetensors"),
}
CASES = {case.id: case for case in read_index()}
RUNS = [
    pytest.param(source, CASES[name], layout, id=f"{name}-{layout}".replace(" ", "_"))
    for source, names in WANTED.items()
    for name in names
    for layout in LAYOUTS[source]
    if name in CASES
]


def tensors(case):
    """The weights with a counter beside each norm, as PyTorch has them."""
    found = dict(case.weights())
    counters = [name.replace("running_var", "num_batches_tracked") for name in found if name.endswith("running_var")]
    return {**found, **{name: np.array(7) for name in counters}}


def write(case, layout, folder):
    """The file of a layout."""
    if layout == "safetensors":
        numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
        numpy.save_file(tensors(case), folder / "model.safetensors")
        return folder / "model.safetensors"
    if layout in ("structural", "prefixed"):
        weights = case.weights()
        if layout == "prefixed":  # of `collect_params().save()`
            names = zip(case.data["param/name"], case.data["param/gluon_name"], strict=True)
            weights = {f"resnet0_{str(gluon).removeprefix('net_')}": weights[str(name)] for name, gluon in names}
        path = folder / "0.2141-imagenet-ResNet50_v1b_ChaATAC-155-best.params"
        mx.nd.save(str(path), {name: mx.nd.array(value) for name, value in weights.items()})
        return path
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    state = {name: torch.from_numpy(np.array(value)) for name, value in tensors(case).items()}
    if layout == "state":
        torch.save(state, folder / "weights.pt")
        return folder / "weights.pt"
    checkpoint = {
        "epoch": 100,
        "arch": "resnet",
        "state_dict": {f"module.{name}": value for name, value in state.items()},
        "best_prec1": torch.tensor(77.4),
        "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(3)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
    }
    torch.save(checkpoint, folder / "best.pth.tar", _use_new_zipfile_serialization=layout == "checkpoint")
    return folder / "best.pth.tar"


@pytest.mark.parametrize(("source", "case", "layout"), RUNS)
def test_a_converted_file_gives_the_references_output(source, case, layout, tmp_path):
    path, built = write(case, layout, tmp_path), make(case)
    weights = read_weights(path)
    assert set(weights.other_keys) == (
        {"epoch", "arch", "best_prec1", "optimizer"} if "checkpoint" in layout else set()
    )
    found = match(built.block, weights.tensors, source)
    assert not any(name.startswith("module.") for name in found.names.values()) or source == "open-atac"
    save_match(found, tmp_path / "out.params")
    load_params(built.block, tmp_path / "out.params")
    inputs = [mx.nd.array(x) for x in case.inputs()]
    out = built.call(built.block, *inputs) if built.call else built.block(*inputs)
    out = (out[0] if isinstance(out, list | tuple) else out).asnumpy()
    assert case.complaint("eval/out", out) is None
    meta = case.meta["eval/out"]
    wanted = case.data["eval/out"].reshape(-1)
    assert np.abs(out.reshape(-1)[:: meta["step"]] - wanted).max() <= 1e-5 * np.abs(wanted).max()


def test_every_source_is_read_in_each_of_its_layouts():
    """Of those that the folder has cases of; our own has all."""
    for source, layouts in LAYOUTS.items():
        read = {param.values[2] for param in RUNS if param.values[0] == source}
        assert read == (set(layouts) if folder() == OWN or set(WANTED[source]) & set(CASES) else set())
