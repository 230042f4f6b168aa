"""`python -m gluon_attn` is the `gluon-attn` command."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
