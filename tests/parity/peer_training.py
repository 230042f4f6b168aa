"""A program for another Python, one with torch: it runs what timm and torch train with, for test_peer_training.py.

Each line of standard input is a JSON object that names a request, each line of standard output the answer to one:

    {"request": "optimizer", "name": "rmsproptf" or "adamw", "options": {...}, "rates": [...], "in": FILE, "out": FILE}
        Weights after each step, in float64, from the .npz's "first" weights and its "gradients".
    {"request": "average", "options": {...}, "in": FILE, "out": FILE}
        ModelEmaV3 of the .npz's "weights", after each update.
    {"request": "policy", "name": ...}
        The operations of a policy of timm.
    {"request": "operation", "name": ..., "level": ..., "sign": 1 or -1, "in": FILE, "out": FILE}
        The .npz's "image" after one of timm's operations.
    {"request": "sampler", "images": ..., "repeats": ..., "processes": ...}
        Places in the order of an epoch that each process takes.
"""

import json
import sys

import numpy as np
import torch


def optimizer(row):
    """Steps of an optimizer on given gradients."""
    if row["name"] == "adamw":
        kind = torch.optim.AdamW
    else:
        from timm.optim import RMSpropTF as kind
    with np.load(row["in"]) as given:
        weight = torch.nn.Parameter(torch.from_numpy(given["first"].astype(np.float64)))
        gradients = torch.from_numpy(given["gradients"].astype(np.float64))
    stepped, after = kind([weight], lr=row["rates"][0], **row["options"]), []
    for rate, gradient in zip(row["rates"], gradients, strict=True):
        stepped.param_groups[0]["lr"] = rate
        weight.grad = gradient.clone()
        stepped.step()
        after.append(weight.detach().clone().numpy())
    np.savez(row["out"], weights=np.stack(after))


def average(row):
    """Moving averages, as timm's train.py calls for them: updates are counted from 1."""
    from timm.utils import ModelEmaV3

    with np.load(row["in"]) as given:
        weights = torch.from_numpy(given["weights"].astype(np.float64))
    net = torch.nn.Linear(weights.shape[1], 1, bias=False).double()
    mean, after = ModelEmaV3(net, **row["options"]), []
    for number, weight in enumerate(weights, 1):
        net.weight.data[:] = weight
        mean.update(net, step=number)
        after.append(mean.module.weight.detach().clone().numpy()[0])
    np.savez(row["out"], averages=np.stack(after))


def policy(row):
    """Operations with their probabilities and magnitudes."""
    from timm.data import auto_augment as timm

    def plain(step):
        return [step.name, step.prob, step.magnitude, step.magnitude_std, step.magnitude_max]

    if row["name"].startswith("rand"):
        found = timm.rand_augment_transform(row["name"], {})
        return {"count": found.num_layers, "steps": [plain(step) for step in found.ops]}
    return {"pairs": [[plain(step) for step in pair] for pair in timm.auto_augment_policy(row["name"], {})]}


def operation(row):
    """One operation, sure to act, in a direction, with the nearest pixel and gray edges."""
    from PIL import Image
    from timm.data import auto_augment as timm

    timm.random.random = lambda: 0.9 if row["sign"] < 0 else 0.1
    settings = {"interpolation": Image.Resampling.NEAREST, "img_mean": (128, 128, 128)}
    step = timm.AugmentOp(row["name"], 1.0, row["level"], settings)
    with np.load(row["in"]) as given:
        np.savez(row["out"], image=np.asarray(step(Image.fromarray(given["image"]))))


def sampler(row):
    """What each process takes of an epoch, in an order without shuffling."""
    from timm.data.distributed_sampler import RepeatAugSampler

    count, size = row["images"], row["processes"]
    shares = [RepeatAugSampler(range(count), size, rank, False, row["repeats"]) for rank in range(size)]
    return {"shares": [[int(place) for place in share] for share in shares]}


REQUESTS = {"optimizer": optimizer, "average": average, "policy": policy, "operation": operation, "sampler": sampler}

if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in sys.stdin:
        try:
            asked = json.loads(line)
            print(json.dumps(REQUESTS[asked["request"]](asked) or {}), flush=True)
        except Exception as error:  # told to the test, which fails
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
