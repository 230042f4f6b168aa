"""Plain, SE, ECA and CBAM backbones of Mask R-CNN on digit-scenes, three seeds: which differences are real?

    python benchmarks/detection_comparison.py --workers 2 --out benchmarks/results/detection-comparison.md

12 runs with the recipe configs/digit_scenes.yaml, which says how long one takes, but of one epoch. What is done is not
done again: the study lies in --study.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.lib.compared import Study, run  # noqa: E402

COMMAND = (
    "--task detection --config configs/digit_scenes.yaml --num-epochs 1 --attentions identity,se,eca,cbam --seeds 3"
)
LIMITS = """
## What this can and cannot show

- One small detector, one set of small composed scenes of digits, one epoch from scratch, one learning rate for
  all: the order of the methods says nothing about COCO, pretrained backbones or the schedules of papers.
- Three seeds find large differences only: the intervals say by how much a method may be better or worse.
- The scores of masks and boxes are of the same runs and go together: four of them that point one way are not four
  findings. What is concluded rests on the mask AP alone.
- The recipe was tuned on one of the networks; one that prefers another rate is at a disadvantage.
- Latency is that of one image on one processor, all networks in turns; only the overhead is to be compared.
"""
STUDY = Study("Attentions in Mask R-CNN on digit-scenes", COMMAND, LIMITS, Path("studies/attentions-digit-scenes"))

if __name__ == "__main__":
    sys.exit(run(STUDY, __doc__.splitlines()[0]))
