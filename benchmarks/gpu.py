"""The training steps of `train_step.py` on an NVIDIA GPU, float16 and float32, against PyTorch.

    make venv MXNET=cu112 && .venv/bin/pip install torch==2.13.0
    .venv/bin/python benchmarks/gpu.py --out benchmarks/results/gpu.md

Needs a card of compute capability 5.x to 8.x (T4, V100, A100, RTX 30 and 40) and PyTorch with CUDA in the same
environment. The first card is measured; CUDA_VISIBLE_DEVICES makes another one the first. If MXNet cannot use it, one
line says why, and nothing is measured.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone that is not installed works, too

from benchmarks.train_step import head, measure, parse  # noqa: E402
from gluon_attn import runtime  # noqa: E402

DTYPES = ("float16", "float32")


def missing() -> str | None:
    """Return the reason why nothing can be measured here, as one line, or None if a GPU is usable."""
    if 0 in runtime.usable_gpus():
        return None
    cards, complaint = runtime.gpus()
    reasons = [f"{card['name']}: {card['why']}" for card in cards if card["why"]] or [complaint or "none was found"]
    return f"no usable GPU here ({'; '.join(reasons)}): nothing was measured"


def main() -> None:
    """Measure, print the table and, with --out, write it, or print why that is not possible."""
    arguments = parse(__doc__.splitlines()[0], DTYPES, "the table")
    reason = missing()
    if reason:
        print(reason)
        return
    table = measure(arguments, "gpu")
    import mxnet
    import torch

    cards, _ = runtime.gpus()
    versions = cards[0]["name"], f"MXNet {mxnet.__version__}", f"PyTorch {torch.__version__} in channels-last"
    said = head("Training steps on a GPU against PyTorch", arguments, *versions, on_cpu=False)
    table.write(arguments.out, said)


if __name__ == "__main__":
    main()
