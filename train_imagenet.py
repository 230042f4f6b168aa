#!/usr/bin/env python3
"""Train a network on ImageNet, or on any photographs in class folders or record files; --help lists the options.

python train_imagenet.py DATA_DIR --model eca_resnet50 --num-epochs 100 --lr-mode cosine
"""

import sys

from gluon_attn.cli import train_imagenet

if __name__ == "__main__":
    sys.exit(train_imagenet())
