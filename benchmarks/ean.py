"""Evaluations of connection schemes and training steps of EAN's supernet against PyTorch on the CPU.

    OMP_NUM_THREADS=2 python benchmarks/ean.py --out benchmarks/results/ean.md

Needs PyTorch in the same environment (`pip install torch==2.13.0`), for this file only. An evaluation is one scheme of
ResNet-50 with shared attention on a fixed set of batches, accuracy and loss included. The schemes are those that
`EanSearch` samples with its defaults, 300 steps of 3 samples, with an artificial reward in which blocks change the
accuracy alone and in pairs. The authors' loop evaluates every sample; ours evaluates each scheme once, from the first
block in which it differs from earlier ones. "No cache" is the forward pass only, of random schemes. A training step is
forward, backward and an SGD update of one batch with a random scheme. The peers are the authors' network in eager
PyTorch, in both memory layouts; compiled, it would be compiled for each of 65,536 schemes. All sides have the same
number of parameters and a process of their own; they take turns, except in the search. Ratios are to the faster peer.
"Of the limit" is how near a whole pass of ours is to the limit that the processor's arithmetic sets (`lib/limit.py`);
with the cache a sample has no work of known size, so its cell is empty.
The second table has the time of a forward pass with no and with all blocks connected, as multiples of the network
without attention.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # works in a clone that is not installed, too

from benchmarks.lib import limit  # noqa: E402
from benchmarks.lib.process import PROCESSOR, Peer  # noqa: E402
from benchmarks.lib.report import Table, command, machine, take_turns  # noqa: E402
from benchmarks.lib.schemes import COUNT  # noqa: E402

ATTENTIONS = ("sge", "dia", "se")
WORK = {
    "search": "sample of a search", "new": "new scheme of a search", "uncached": "scheme, no cache",
    "step": "training step",
}  # fmt: skip
SIDES = ("mxnet", "torch", "channels-last")
COLUMNS = ["attention", "work", "ours, 1/s", "PyTorch, 1/s", "channels-last", "ratio", limit.COLUMN]
CONNECTED = ["attention", "no attention, ms", "none connected", "all connected"]
_WARM_UP = 3


def compare(peers: dict[str, Peer], order: dict[str, Any], repeat: int) -> dict[str, dict[str, float]]:
    """{work: {side: seconds}}; a different number of parameters is an error."""
    for peer in peers.values():
        peer.ask(order)
    weights = {side: peer.ask("weights") for side, peer in peers.items()}
    if len(set(weights.values())) > 1:
        raise RuntimeError(f"the networks differ: {weights} parameters")
    asked = {work: {side: partial(peer.ask, work) for side, peer in peers.items()} for work in WORK}
    sample = {"mxnet": asked["search"].pop("mxnet")()} | _turns(asked["search"], repeat)
    samples = [scheme for schemes in order["schemes"] for scheme in schemes]
    new = {**sample, "mxnet": sample["mxnet"] * len(samples) / len(set(samples))}
    return {"search": sample, "new": new} | {work: _turns(asked[work], repeat) for work in ("uncached", "step")}


def sampled_schemes(steps: int = 300, seed: int = 1) -> list[list[str]]:
    """The schemes that a search samples in each step."""
    import numpy as np

    from gluon_attn.search.ean.policy_search import EanSearch

    random = np.random.default_rng(seed)
    alone, pairs = random.normal(0, 0.6, COUNT), np.triu(random.normal(0, 0.25, (COUNT, COUNT)), 1)

    def accuracies(schemes):
        bits = np.array([list(map(int, scheme)) for scheme in schemes])
        return 54 + bits @ alone + ((bits @ pairs) * bits).sum(1)

    search = EanSearch(COUNT, accuracies, seed=seed)
    search.run(steps)
    samples = [record["scheme"] for record in search.samples]
    return [samples[i : i + search.samples_per_step] for i in range(0, len(samples), search.samples_per_step)]


def cells(seconds: dict[str, float]) -> list[str]:
    """Rates of all sides per second, and the ratio of ours to the faster peer, as text."""
    ours, *theirs = (1 / seconds[side] for side in SIDES)
    return [f"{speed:.2f}" for speed in (ours, *theirs, ours / max(theirs))]


def whole_passes(attention: str, batch: int, size: int, batches: int) -> dict[str, limit.Work]:
    """Work without a cache; a random scheme has on average half of the MACs of all blocks' attention."""
    from gluon_attn import get_model
    from gluon_attn.analyze.cost import cost

    nets = [get_model(f"{attention}_fbresnet50", 1000, input_size=size, scheme=bit * COUNT) for bit in "01"]
    macs = batch * sum(cost(net, (3, size, size)).macs for net in nets) / len(nets)
    return {"uncached": limit.forward(batches * macs), "step": limit.training(macs)}


def connected(peer: Peer, repeat: int) -> dict[str, float]:
    """{"plain", "none_connected", "all_connected": seconds} of our side."""
    return _turns({work: partial(peer.ask, work) for work in ("plain", "none_connected", "all_connected")}, repeat)


def _turns(runs: Mapping[str, Callable[[], float]], repeat: int) -> dict[str, float]:
    for run in runs.values():
        for _ in range(_WARM_UP):
            run()
    return take_turns(runs, repeat)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the tables to this Markdown file")
    parser.add_argument("--repeat", type=int, default=15, help="runs of each side (default 15)")
    parser.add_argument("--batch-size", type=int, default=32, help="images per batch (default 32)")
    parser.add_argument("--batches", type=int, default=4, help="batches per evaluation (default 4)")
    parser.add_argument("--size", type=int, default=64, help="height and width of the images (default 64)")
    parser.add_argument("names", nargs="*", default=list(ATTENTIONS), help="attentions (default all)")
    arguments = parser.parse_args()
    if not set(arguments.names) <= set(ATTENTIONS):
        parser.error(f"choose from {', '.join(ATTENTIONS)}")
    if min(arguments.repeat, arguments.batch_size, arguments.batches) < 1 or arguments.size < 33:
        parser.error("--repeat, --batch-size and --batches must be at least 1, --size at least 33")
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    if PROCESSOR and os.environ["OMP_NUM_THREADS"] != "1":
        parser.error("CLOCK=processor sums the time of all threads: set OMP_NUM_THREADS=1")
    return arguments


def main() -> None:
    """Measure, print the tables and, with --out, write them."""
    arguments = parse()
    table, costs, schemes, limits = Table(COLUMNS, numbers=5), [], sampled_schemes(), limit.measured()
    for name in arguments.names:
        peers = {side: Peer("benchmarks.lib.schemes", side) for side in SIDES}
        order = {"attention": name, "batch": arguments.batch_size, "size": arguments.size, "schemes": schemes}
        found = compare(peers, {**order, "batches": arguments.batches}, arguments.repeat)
        known = whole_passes(name, arguments.batch_size, arguments.size, arguments.batches)
        for work, seconds in found.items():
            share = limits.share(known[work], seconds["mxnet"]) if work in known else ""
            table.add(name, WORK[work], *cells(seconds), share)
        costs.append((name, connected(peers["mxnet"], arguments.repeat)))
        for peer in peers.values():
            peer.close()
    second = Table(CONNECTED, numbers=3)
    for name, seconds in costs:
        plain, none_connected, all_connected = (seconds[work] for work in ("plain", "none_connected", "all_connected"))
        second.add(name, f"{1000 * plain:.1f}", f"{none_connected / plain:.2f}", f"{all_connected / plain:.2f}")
    if arguments.out:
        table.lines += ["", "Time of an evaluation, as multiples of the network without attention:", "", *second.lines]
        table.write(arguments.out, head(arguments, schemes))


def head(arguments: argparse.Namespace, schemes: list[list[str]]) -> str:
    """The text above the tables."""
    import mxnet
    import torch

    samples, new = sum(map(len, schemes)), len({scheme for step in schemes for scheme in step})
    where = machine(f"MXNet {mxnet.__version__}", f"PyTorch {torch.__version__}")
    return (
        f"# Evaluations and training steps of EAN's supernet against PyTorch\n\n"
        f"`{command(arguments.out)}` on {where}.\n"
        f"Medians of {arguments.repeat}; {arguments.batch_size} images of {arguments.size}x{arguments.size} a batch, "
        f"{arguments.batches} batches an evaluation. Ratio = ours / PyTorch's, above 1 ours is faster.\n"
        f"Of {samples} samples of the search {new} are new.\n{limit.measured().line()}\n"
    )


if __name__ == "__main__":
    main()
