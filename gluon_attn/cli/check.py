"""`gluon-attn check`: an attention or a model of your own, checked as those of the package are."""

import argparse
import json
from typing import Any

from ..utils.table import render
from .values import pair, whole

_HEADER = ("check", "result", "largest difference", "note")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn check`."""
    parser.add_argument("name", metavar="NAME", help="attention or model; --plugin adds your own")
    parser.add_argument(
        "--channels", type=whole, nargs="+", default=None, metavar="N",
        help="numbers of channels to check an attention at (default 16 64)",
    )  # fmt: skip
    parser.add_argument(
        "--options", nargs="+", type=pair, default=[], metavar="NAME=VALUE", help="options of the attention or model"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print a row for each check; returns the exit code, 1 if one fails."""
    from ..runs.checks.run import CHANNELS, run_checks

    found = run_checks(args.name, args.channels or CHANNELS, dict(args.options))
    failed = sum(finding.result == "failed" for finding in found)
    if args.json:
        checks = [finding.to_dict() for finding in found]
        print(json.dumps({"name": args.name, "passed": not failed, "checks": checks}, indent=2))
        return int(failed > 0)
    print(render(_HEADER, [[row.check, row.result, _shown(row.difference), row.note] for row in found]))
    passed = sum(finding.result == "passed" for finding in found)
    print(f"\n{args.name}: {passed} passed, {failed} failed, {len(found) - passed - failed} not checked")
    return int(failed > 0)


def _shown(difference: float | None) -> Any:
    return None if difference is None else f"{difference:.1e}"
