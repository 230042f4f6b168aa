"""Command lines of train_coco.py for a tiny network on a few tiny scenes, and what their runs leave."""

import json

import mxnet as mx

from gluon_attn.checkpoint import CheckpointStore

NETWORK = "--model-options widths=[8,8,16,16] fpn_channels=8 box_width=16 mask_widths=[8] anchor_sizes=[8,16,32,64,96]"
SMALL = (
    "--train-count 6 --val-count 3 --min-size 56 --max-size 64 -b 2 -j 0 --num-epochs 2 --roi-samples 16 --rpn-samples "
    "32 --pre-nms 40 --post-nms 40 --test-pre-nms 40 --test-post-nms 20 --warmup-updates 2 --no-norm-eval -p 2"
)


def words(scenes, *more, model="mask_rcnn_fpn_resnet18_v1b --attention eca", network=NETWORK):
    """The words of a line; `more` wins."""
    line = f"--data-dir {scenes} --model {model} {network} {SMALL}"
    return [*line.split(), *map(str, more)]


def records(folder):
    """The records of a run's epochs."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def timeless(record):
    """A record without what differs from run to run."""
    return {key: value for key, value in record.items() if "second" not in key}


def params(folder):
    """Name -> array of a run's newest checkpoint."""
    found = mx.nd.load(str(CheckpointStore(folder / "checkpoints").newest()[0] / "net.params"))
    return {name: value.asnumpy() for name, value in found.items()}
