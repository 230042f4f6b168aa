"""search.py: its subcommands are imported when they are called, so `--help` needs no MXNet."""

import importlib

from .guard import guarded
from .parser import choose

#: subcommand -> what it does. The module of that name in `searches` (- is _) holds main(argv) -> exit code
SEARCHES = {
    "att-darts": "search a cell with attention by gradients (DARTS, Att-DARTS)",
    "anas": "search an attention module by gradients (ANAS)",
    "ean-supernet": "train the network whose connections to shared attention are drawn at random (EAN, step 1)",
    "ean": "search which blocks to connect to shared attention by reinforcement learning (EAN, step 2)",
}


def search(argv=None):
    """Entry point of search.py; returns the exit code."""
    return guarded(_dispatch, argv)


def _dispatch(argv):
    name = choose(argv, SEARCHES, "search.py", "Search for cells, attention modules and connections.")
    if name is None:
        return 0
    return importlib.import_module(f"{__package__}.searches.{name.replace('-', '_')}").main(argv[1:])
