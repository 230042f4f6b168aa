#!/usr/bin/env python3
"""Train a network on CIFAR-10, CIFAR-100, the digits or synthetic images; --help lists the options.

python train_cifar.py --dataset digits --model cifar_resnet20_v1 --attention se --num-epochs 10
"""

import sys

from gluon_attn.cli import train_cifar

if __name__ == "__main__":
    sys.exit(train_cifar())
