"""Ten attentions in ResNet-20 on 1,000 images of MNIST, five seeds: which differences are real?

    python benchmarks/comparison.py --workers 2 --out benchmarks/results/comparison.md

50 runs; on two idle cores they take half an hour. What is done is not done again: the study lies in --study.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib.report import Table, machine  # noqa: E402
from gluon_attn.cli.compare import compare_parser, factor  # noqa: E402
from gluon_attn.cli.flags import parse  # noqa: E402
from gluon_attn.config.train import RunConfig  # noqa: E402
from gluon_attn.runs.compare import compare_study, make_plan  # noqa: E402
from gluon_attn.runs.pages.comparison import comparison_part  # noqa: E402
from gluon_attn.utils.files import write_text  # noqa: E402

COMMAND = (
    "--model cifar_resnet20_v1 --attentions identity,se,eca,cbam,triplet,simam,coord,gct,srm,cha_atac "
    "--dataset mnist5k --seeds 5 --num-epochs 6 --batch-size 32 --lr 0.1 --lr-mode cosine --warmup-epochs 1"
)
LIMITS = """
## What this can and cannot show

- One small network, one small data set of gray digits, a short schedule, one learning rate for all: the order of the
  methods says nothing about photographs, deeper networks or longer training, where their papers report their gains.
- A method that cannot be told apart from plain may still be better: the intervals say by how much at most.
- The learning rate was not tuned for any method; one that prefers another rate is at a disadvantage.
- Latency is that of one image on one busy processor, all networks in turns; only the overhead is to be compared.
"""


def main() -> int:
    """Run what is left of the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--study", type=Path, default=Path("studies/attentions-mnist5k"), help="folder of the study")
    parser.add_argument("--workers", type=int, default=1, help="runs at the same time (default 1)")
    arguments = parser.parse_args()
    own: dict = {}
    options = parse(compare_parser(), COMMAND.split(), RunConfig, own=own)
    plan = make_plan(options, own["attentions"].split(","), own["seeds"], dict(map(factor, own["vary"])))
    part = comparison_part(compare_study(plan, arguments.study, arguments.workers))
    table = Table(part.header, numbers=len(part.header) - 1)
    for row in part.rows:
        table.add(*(f"{cell:,}" if isinstance(cell, int) else cell for cell in row))
    if arguments.out:
        head = f"# Ten attentions on mnist5k\n\n`gluon-attn compare {COMMAND}` on {machine(f'{os.cpu_count()} cores')}."
        said = [f"- {line}" for line in part.lines]
        write_text(arguments.out, "\n".join([head, part.summary, "", *table.lines, "", *said, LIMITS.rstrip(), ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
