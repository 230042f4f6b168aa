#!/usr/bin/env python3
"""Search for a cell, an attention module or its connections; --help lists the searches.

python search.py att-darts --dataset digits --epochs 10
"""

import sys

from gluon_attn.cli import search

if __name__ == "__main__":
    sys.exit(search())
