"""Lets the tests of this folder import their helpers in any of pytest's import modes."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
