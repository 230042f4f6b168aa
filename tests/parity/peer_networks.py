"""A program for another Python, one with torch and torchvision, timm or pytorchcv, for test_peers.py.

Each line of standard input is a JSON object, each line of standard output the answer to one:

    {"library": "timm", "name": ..., "options": {...}, "size": 64, "seed": 1, "out": FILE}
        Makes the network with random weights and running statistics and writes an .npz: each tensor of the state dict
        under its name behind "state/", "images" and "logits".
    {..., "state": FILE}
        Fills it, strictly, with the tensors of that .npz instead, and takes the images in it.
"""

import importlib
import json
import sys

import numpy as np
import torch


def make(library, name, options):
    """A network of a library."""
    if library == "timm":
        return importlib.import_module("timm").create_model(name, **options).eval()
    if library == "pytorchcv":
        net = importlib.import_module("pytorchcv.model_provider").get_model(name, **options).eval()
        for path, module in net.named_modules():
            if path.endswith(".body.conv3.bn"):  # timm starts the last norm of a branch so, see `randomize`
                module.weight.zero_()
        return net
    return importlib.import_module("torchvision.models").get_model(name, **options).eval()


def randomize(net):
    """Random norms and statistics, and what starts at zero, so that nothing is without effect; maps keep their size."""
    for module in net.modules():
        for name, value in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            if not value.is_floating_point():
                continue
            if name == "running_mean" or name == "bias":
                value.normal_(0, 0.1)
            elif name == "running_var":
                value.uniform_(0.5, 1.5)
            elif name == "weight" and value.ndim == 1:
                value.uniform_(*((0.1, 0.3) if (value == 0).all() else (0.5, 1.5)))  # 0: the last norm of a branch
            elif isinstance(value, torch.nn.Parameter) and value.numel() and (value == value.flatten()[0]).all():
                value.normal_(0, 0.1)


def answer(row):
    """Run one network and write what it gave."""
    torch.manual_seed(row["seed"])
    net = make(row["library"], row["name"], row["options"])
    if "state" in row:
        with np.load(row["state"]) as given:
            state = {key[6:]: torch.from_numpy(given[key]) for key in given.files if key.startswith("state/")}
            images = torch.from_numpy(given["images"])
        counters = {key: value for key, value in net.state_dict().items() if key.endswith("num_batches_tracked")}
        net.load_state_dict({**counters, **state})
    else:
        randomize(net)
        images = torch.randn(2, 3, row["size"], row["size"])
    tensors = {f"state/{key}": value.numpy() for key, value in net.state_dict().items()}
    np.savez(row["out"], images=images.numpy(), logits=net(images).numpy(), **tensors)


if __name__ == "__main__":
    torch.set_num_threads(1)
    with torch.no_grad():
        for line in sys.stdin:
            try:
                answer(json.loads(line))
                print("{}", flush=True)
            except Exception as error:  # told to the test, which fails
                print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
