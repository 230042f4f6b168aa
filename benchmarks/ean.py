"""Evaluations of connection schemes and training steps of EAN's supernet against PyTorch on the CPU.

    OMP_NUM_THREADS=2 python benchmarks/ean.py --out benchmarks/results/ean.md

Needs PyTorch in the same environment (`pip install torch==2.13.0`), for this file only. An evaluation is one scheme of
ResNet-50 with shared attention on a fixed set of batches, accuracy and loss included. The schemes are those that
`EanSearch` tries with its defaults, 300 steps of 3 samples, on a made-up reward in which blocks help or harm, alone and
in pairs. The authors' loop evaluates every sample; ours knows those that it has seen, and begins a new one behind the
blocks in which it is as one before. "Nothing remembered" is the pass alone, of random schemes. A step is forward,
backward and an SGD update of one batch with a scheme drawn at random. The other sides are the authors' network in
PyTorch, eager, in both layouts of memory; a compiled one would be compiled anew for each of 65,536 schemes. All have
the same number of parameters, and each has a process of its own; but for the search they take turns. The ratio is to
the faster one. The second table shows what connections cost: none of them and all of them, as multiples of the network
without attention, whole passes all three.
"""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib.process import Peer  # noqa: E402
from benchmarks.lib.report import Table, machine, take_turns  # noqa: E402
from benchmarks.lib.schemes import COUNT  # noqa: E402

ATTENTIONS = ("sge", "dia", "se")
WORK = {
    "search": "sample of a search", "new": "new scheme of a search", "anew": "scheme, nothing remembered",
    "step": "training step",
}  # fmt: skip
SIDES = ("mxnet", "torch", "channels-last")
COLUMNS = ["attention", "work", "ours, 1/s", "PyTorch, 1/s", "channels-last", "ratio"]
CONNECTED = ["attention", "no attention, ms", "none connected", "all connected"]
_WARM_UP = 3


def compare(peers, order, repeat):
    """{work: {side: seconds}}; sides with other numbers of parameters are an error."""
    for peer in peers.values():
        peer.ask(order)
    weights = {side: peer.ask("weights") for side, peer in peers.items()}
    if len(set(weights.values())) > 1:
        raise RuntimeError(f"the networks differ: {weights} parameters")
    asked = {work: {side: partial(peer.ask, work) for side, peer in peers.items()} for work in WORK}
    sample = {"mxnet": asked["search"].pop("mxnet")()} | _turns(asked["search"], repeat)
    samples = [scheme for schemes in order["searched"] for scheme in schemes]
    new = {**sample, "mxnet": sample["mxnet"] * len(samples) / len(set(samples))}
    return {"search": sample, "new": new} | {work: _turns(asked[work], repeat) for work in ("anew", "step")}


def searched(steps=300, seed=1):
    """The schemes of each step of a search: lists of zeros and ones."""
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


def cells(seconds):
    """Times a second of all sides, and the ratio of ours to the faster of the others, as text."""
    ours, *theirs = (1 / seconds[side] for side in SIDES)
    return [f"{speed:.2f}" for speed in (ours, *theirs, ours / max(theirs))]


def connected(peer, repeat):
    """{"plain", "none", "whole": seconds} of our side."""
    return _turns({work: partial(peer.ask, work) for work in ("plain", "none", "whole")}, repeat)


def _turns(runs, repeat):
    for run in runs.values():
        for _ in range(_WARM_UP):
            run()
    return take_turns(runs, repeat)


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the tables to this Markdown file")
    parser.add_argument("--repeat", type=int, default=15, help="runs of each side (default 15)")
    parser.add_argument("--batch-size", type=int, default=32, help="images a batch (default 32)")
    parser.add_argument("--batches", type=int, default=4, help="batches of an evaluation (default 4)")
    parser.add_argument("--processor", action="store_true", help="the processor's time, for one thread beside others")
    parser.add_argument("--size", type=int, default=64, help="height and width of the images (default 64)")
    parser.add_argument("names", nargs="*", default=list(ATTENTIONS), help="attentions (default all)")
    arguments = parser.parse_args()
    if not set(arguments.names) <= set(ATTENTIONS):
        parser.error(f"choose from {', '.join(ATTENTIONS)}")
    if min(arguments.repeat, arguments.batch_size, arguments.batches) < 1 or arguments.size < 33:
        parser.error("--repeat, --batch-size and --batches must be at least 1, --size at least 33")
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    if arguments.processor:
        if os.environ["OMP_NUM_THREADS"] != "1":
            parser.error("--processor adds up the time of all threads: set OMP_NUM_THREADS=1")
        os.environ["CLOCK"] = "processor"
    return arguments


def main():
    """Measure, print the tables and, with --out, write them."""
    arguments = parse()
    table, costs, schemes = Table(COLUMNS, numbers=4), [], searched()
    for name in arguments.names:
        peers = {side: Peer("benchmarks.lib.schemes", side) for side in SIDES}
        order = {"attention": name, "batch": arguments.batch_size, "size": arguments.size, "searched": schemes}
        found = compare(peers, {**order, "batches": arguments.batches}, arguments.repeat)
        for work, seconds in found.items():
            table.add(name, WORK[work], *cells(seconds))
        costs.append((name, connected(peers["mxnet"], arguments.repeat)))
        for peer in peers.values():
            peer.close()
    second = Table(CONNECTED, numbers=3)
    for name, seconds in costs:
        plain, none, whole = (seconds[work] for work in ("plain", "none", "whole"))
        second.add(name, f"{1000 * plain:.1f}", f"{none / plain:.2f}", f"{whole / plain:.2f}")
    if arguments.out:
        table.lines += ["", "Time of an evaluation, as multiples of the network without attention:", "", *second.lines]
        table.write(arguments.out, head(arguments, schemes))


def head(arguments, schemes):
    """What stands above the tables."""
    import mxnet
    import torch

    samples, new = sum(map(len, schemes)), len({scheme for step in schemes for scheme in step})
    given = [word for word in sys.argv[1:] if word != "--out" and word != str(arguments.out)]
    where = machine(f"MXNet {mxnet.__version__}", f"PyTorch {torch.__version__}")
    return (
        f"# Evaluations and training steps of EAN's supernet against PyTorch\n\n"
        f"`python benchmarks/{Path(sys.argv[0]).name} {' '.join(given)}` on {where}.\n"
        f"Medians of {arguments.repeat}; {arguments.batch_size} images of {arguments.size}x{arguments.size} a batch, "
        f"{arguments.batches} batches an evaluation. Ratio = ours / PyTorch's, above 1 ours is faster.\n"
        f"Of {samples} samples of the search {new} are new.\n"
    )


if __name__ == "__main__":
    main()
