"""`gluon-attn models`: the networks."""

import argparse
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..registry import matching
from ..utils.errors import UserError
from ..utils.progress import each
from ..utils.table import render
from .model_rows import Listed, listed
from .parser import suggestion

#: most networks that get a row each without being asked for
_ROWS = 40
#: largest height of an image that is no photograph
_THUMBNAIL = 64
#: what `--long` says of options that it shows by their name alone
OPEN_OPTIONS = "an option without a value here follows from the others"
_DETECTORS = "detectors: mask_rcnn_fpn_NAME and faster_rcnn_fpn_NAME, with NAME a ResNet for\nimages of 224x224"

_LEGEND = "weights of: whose files `gluon-attn convert` reads; files: see --pretrained"
_SHORTER = "--filter '*resnext*' shortens the list, "
_MORE = "--long and --cost tell more of a network"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn models`."""
    add_pattern(parser, "eca*")
    parser.add_argument(
        "--filter", nargs="+", action="extend", metavar="PATTERN", default=[],
        help="list those that match one of these, such as '*resnext*' 'mobilenet*'; each must match one",
    )  # fmt: skip
    parser.add_argument("--attention", metavar="NAME", help="those with this attention in their name")
    parser.add_argument("--long", action="store_true", help="a row for each network, with its options")
    parser.add_argument("--cost", action="store_true", help="a row for each network, with its parameters and MACs")
    parser.add_argument(
        "--pretrained", action="store_true", help="list the published parameter files instead, with what they are for"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, with the options")


def add_pattern(parser: argparse.ArgumentParser, example: str) -> None:
    """Add the argument by which a list is filtered."""
    parser.add_argument(
        "pattern",
        nargs="?",
        metavar="PATTERN",
        help=f"names to list, such as '{example}'; a word is looked for in them",
    )


def run(args: argparse.Namespace) -> int:
    """Print the networks, by image size and attention, a row for those that differ in their depth alone."""
    from ..convert.weight_sources import weight_sources
    from ..models.factory import list_models, model_info
    from ..runs.describe import describe_model, published_files

    if args.pretrained:
        return _published(args)
    known = list_models(attention=args.attention)
    if not known:
        raise UserError(f"no model has {args.attention} in its name: give any model option attention {args.attention}")
    names = _chosen(known, args)
    if args.json:
        files = published_files()
        rows = [{**describe_model(name, args.cost), "published": files.get(name, [])} for name in names]
        print(json.dumps(rows, indent=2))
        return 0
    if args.long or args.cost:
        rows = [describe_model(name, args.cost) for name in each(names, "describing", len(names), "model")]
        print(_table(rows, args.long))
        return 0
    sections: dict[tuple[bool, bool], dict[Listed, int]] = {}
    files = published_files()
    for name in names:
        model = model_info(name)
        row = Listed(name, tuple(model.attentions), tuple(weight_sources(name)), len(files.get(name, ())))
        sections.setdefault((model.input_size > _THUMBNAIL, model.own_plan), {})[row] = model.input_size
    for (_, own), members in sorted(sections.items()):
        kind = "with an attention or cells of their own" if own else "which take any --attention"
        sizes = " to ".join(f"{size}x{size}" for size in sorted({min(members.values()), max(members.values())}))
        print(f"images of {sizes}, {kind}:\n{listed(list(members), len(names) > _ROWS)}\n")
    whole = len(names) > _ROWS
    print(f"{_DETECTORS}\n" * whole + f"{_LEGEND}\n{_SHORTER * whole}{_MORE}")
    return 0


def _chosen(names: Sequence[str], args: argparse.Namespace) -> list[str]:
    """Those of `names` that match one of the patterns, sorted; all without one."""
    from ..models.library_names import meant

    patterns = [pattern for pattern in (args.pattern, *args.filter) if pattern is not None]
    found: set[str] = set()
    for pattern in patterns:
        matched = matching(names, as_pattern(pattern))
        check_found(matched, pattern, names, _of_library(pattern), meant(pattern))
        found.update(matched)
    return sorted(found if patterns else names)


def _of_library(pattern: str) -> str:
    """Which networks of other libraries have such a name, and how their weights come; "" if none has."""
    from ..convert.library_weights import NETWORKS
    from ..nn.params import few

    found = [
        f"{library}:{name}" for library, names in NETWORKS.items() for name in matching(names, as_pattern(pattern))
    ]
    return f"gluon-attn convert NAME brings the weights of {few(found)}" if found else ""


def as_pattern(word: str | None) -> str | None:
    """The pattern for names that have the word in them, or match it where it is a pattern."""
    return word if word is None or re.search(r"[*?[]", word) else f"*{word}*"


def check_found(
    names: Sequence[str], pattern: str | None, known: Iterable[str], hint: str = "", named: str = ""
) -> None:
    """Raise a `UserError` that says `named` or names the nearest known name, and says `hint`, where none matches."""
    if names:
        return
    near = f": {named}" if named else suggestion(str(pattern).strip("*?"), known)
    if hint:
        near += f"{' ' if near.endswith('?') else '; '}{hint}"
    near = near or "; without a pattern all are listed"
    raise UserError(f"no name matches {pattern!r}{near}")


def options_text(options: Mapping[str, Any]) -> str:
    """Options with their defaults; those whose default is decided elsewhere by their name alone."""
    return ", ".join(key if value is None else f"{key}={value}" for key, value in options.items())


def _table(rows: Sequence[Mapping[str, Any]], long: bool) -> str:
    counted = "params" in rows[0]
    header = ["name", "input", *(["params", "MACs"] if counted else []), *(["options"] if long else [])]
    cells = [
        [row["name"], "x".join(map(str, row["input_shape"]))]
        + ([row["params"], row["macs"]] if counted else [])
        + ([options_text(row["options"])] if long else [])
        for row in rows
    ]
    return render(header, cells) + f"\n\n{OPEN_OPTIONS}" * long


def _published(args: argparse.Namespace) -> int:
    """Print a row for each published network."""
    from ..models.catalogue import catalogue

    entries = catalogue()
    known = [entries[name] for name in _chosen(list(entries), args)]
    if args.json:
        print(json.dumps([entry.to_dict() for entry in known], indent=2))
        return 0
    cells = [
        (entry.name, entry.purpose(), "x".join(map(str, entry.card.input_shape)), entry.score_text(), entry.home)
        for entry in known
    ]
    print(render(("name", "network", "input", "score", "in"), cells))
    return 0
