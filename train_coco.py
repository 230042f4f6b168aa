#!/usr/bin/env python3
"""Train a detector on COCO, on digit-scenes or on images annotated in COCO's format; --help lists the options.

python train_coco.py --dataset coco --data-dir coco --pretrained eca_resnet50.params
"""

import sys

from gluon_attn.cli import train_coco

if __name__ == "__main__":
    sys.exit(train_coco())
