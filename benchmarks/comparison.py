"""Ten attentions in ResNet-20 on 1,000 images of MNIST, five seeds: which differences are real?

    python benchmarks/comparison.py --workers 2 --out benchmarks/results/comparison.md

50 runs; on two idle cores they take half an hour. What is done is not done again: the study lies in --study.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib.compared import Study, run  # noqa: E402

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


STUDY = Study("Ten attentions on mnist5k", COMMAND, LIMITS, Path("studies/attentions-mnist5k"))

if __name__ == "__main__":
    sys.exit(run(STUDY, __doc__.splitlines()[0]))
