"""What each attention adds to a training step of ResNet-50 on the CPU.

    OMP_NUM_THREADS=2 python benchmarks/overhead.py --out benchmarks/results/overhead.md

A step is forward, backward and an SGD update of a batch, hybridized with static_alloc and traced as `train_imagenet.py`
does: float32, compiled operators. The steps of the plain network and of the one with the attention alternate, and the
ratio is theirs. Attentions of the slot `stage` come after stages, those of `act` are in the last two stages, all others
in every block. The last column is how near the step with the attention is to the limit that the processor's
arithmetic sets: see `lib/limit.py`. CLOCK=processor counts processor time, for one thread on a busy machine.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

import gluon_attn  # noqa: E402, I001 - before MXNet: it sets threads and malloc
import mxnet as mx  # noqa: E402

from benchmarks.lib import limit  # noqa: E402
from benchmarks.lib.process import CLOCK, PROCESSOR, clock  # noqa: E402
from benchmarks.lib.report import Table, machine, take_turns  # noqa: E402
from gluon_attn.analyze.cost import cost  # noqa: E402
from gluon_attn.models.factory import attention_entry, model_info  # noqa: E402
from gluon_attn.nn.kernels import compiled_operators  # noqa: E402

BACKBONE = "resnet50_v1b"
LAST_STAGES = (3, 4)  # of "act" attentions, as in "Attention as Activation"


def plan(name: str | None) -> gluon_attn.Plan | None:
    """Return the plan with the attention in its usual slot, or None for the plain network."""
    if name is None:
        return None
    entry = attention_entry(model_info(BACKBONE), name)
    return gluon_attn.Plan([entry.replace(stages=LAST_STAGES) if entry.slot == "act" else entry])


class Network:
    """One network and its optimizer.

    Args:
        name: The attention, or None.
        batch: Images per step.
        size: Height and width of the images.
    """

    def __init__(self, name: str | None, batch: int, size: int):
        self.net = gluon_attn.get_model(BACKBONE, 1000, plan=plan(name), input_size=size)
        self.net.initialize(mx.init.MSRAPrelu())
        self.net.hybridize(static_alloc=True, static_shape=True)
        self.trainer = mx.gluon.Trainer(self.net.collect_params(), "sgd", {"learning_rate": 1e-3, "momentum": 0.9})
        self.loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()
        self.x = mx.nd.random.normal(shape=(batch, 3, size, size))
        self.y = mx.nd.arange(batch)
        for _ in range(2):  # the first compiles
            self.step()

    def step(self) -> float:
        """Run one training step and return its seconds."""
        mx.nd.waitall()
        start = clock()
        with compiled_operators(), mx.autograd.record():
            loss = self.loss(self.net(self.x), self.y)
        loss.backward()
        self.trainer.step(len(self.x))
        mx.nd.waitall()
        return clock() - start


def main() -> None:
    """Measure, print the table and, with --out, write it."""
    parser = argparse.ArgumentParser(description="training step of ResNet-50 with each attention")
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--repeat", type=int, default=5, help="steps of each network (default 5)")
    parser.add_argument("--batch-size", type=int, default=8, help="images per step (default 8)")
    parser.add_argument("--size", type=int, default=224, help="height and width of the images (default 224)")
    parser.add_argument("names", nargs="*", default=gluon_attn.list_attentions(), help="attentions (default: all)")
    arguments = parser.parse_args()
    if min(arguments.repeat, arguments.batch_size, arguments.size) < 1:
        parser.error("--repeat, --batch-size and --size must be at least 1")
    shape = (3, arguments.size, arguments.size)
    plain = Network(None, arguments.batch_size, arguments.size)
    least = cost(plain.net, shape)
    table = Table(["attention", "params", "MACs", "plain ms", "with it ms", "ratio", limit.COLUMN], numbers=6)
    limits = limit.measured()
    for name in arguments.names:
        other = Network(name, arguments.batch_size, arguments.size)
        found = take_turns({"plain": plain.step, "other": other.step}, arguments.repeat)
        more = cost(other.net, shape)
        ms = [f"{1e3 * seconds:.0f}" for seconds in found.values()]
        shares = f"{more.params / least.params:.3f}", f"{more.macs / least.macs:.3f}"
        share = limits.share(limit.training(arguments.batch_size * more.macs), found["other"])
        table.add(name, *shares, *ms, f"{found['other'] / found['plain']:.2f}", share)
        del other
    named = "" if arguments.names == gluon_attn.list_attentions() else f" {' '.join(arguments.names)}"
    head = (
        f"# What an attention adds to a training step of ResNet-50\n\n`{CLOCK}python "
        f"benchmarks/overhead.py --repeat {arguments.repeat} --batch-size {arguments.batch_size} "
        f"--size {arguments.size}{named}` on "
        f"{machine(f'MXNet {mx.__version__}', 'float32')}.\n"
        f"Medians of steps that take turns{' in processor time' * PROCESSOR}; params, MACs and ratio are shares "
        f"of the plain network's.\n{limits.line()}\n"
    )
    table.write(arguments.out, head)


if __name__ == "__main__":
    main()
