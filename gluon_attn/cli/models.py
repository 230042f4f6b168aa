"""`gluon-attn models`: the networks."""

import argparse
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..utils.errors import UserError
from ..utils.progress import each
from ..utils.table import render
from .parser import suggestion

#: most networks that get a row each without being asked for
_ROWS = 40
_NUMBER = re.compile(r"(\d+)")
#: what `--long` says of options that it shows by their name alone
OPEN_OPTIONS = "an option without a value here follows from the others"
_DETECTORS = "detectors: mask_rcnn_fpn_NAME and faster_rcnn_fpn_NAME, with NAME a ResNet for images of 224x224"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `gluon-attn models`."""
    add_pattern(parser, "eca*")
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
    from ..models.factory import list_models, model_info
    from ..runs.describe import describe_model

    if args.pretrained:
        return _published(args)
    names = list_models(as_pattern(args.pattern), attention=args.attention)
    if not names and args.attention and not args.pattern:
        raise UserError(f"no model has {args.attention} in its name: give any model option attention {args.attention}")
    check_found(names, args.pattern, list_models())
    if args.json:
        print(json.dumps([describe_model(name, args.cost) for name in names], indent=2))
        return 0
    if args.long or args.cost:
        rows = [describe_model(name, args.cost) for name in each(names, "describing", len(names), "model")]
        print(_table(rows, args.long))
        return 0
    models = {name: model_info(name) for name in names}
    sections: dict[tuple[int, bool], list[str]] = {}
    for name, model in models.items():
        sections.setdefault((model.input_size, model.own_plan), []).append(name)
    for (size, own), members in sorted(sections.items()):
        kind = "with an attention or cells of their own" if own else "which take any --attention"
        print(f"images of {size}x{size}, {kind}:")
        attentions = {name: ", ".join(models[name].attentions) for name in members}
        print("\n".join(_rows(members, attentions) if len(names) <= _ROWS else _families(members, attentions)) + "\n")
    print(f"{_DETECTORS}\n" * (len(names) > _ROWS) + "--long shows the options, --cost parameters and MACs")
    return 0


def as_pattern(word: str | None) -> str | None:
    """The pattern for names that have the word in them, or match it where it is a pattern."""
    return word if word is None or re.search(r"[*?[]", word) else f"*{word}*"


def check_found(names: Sequence[str], pattern: str | None, known: Iterable[str]) -> None:
    """Raise a `UserError` that names the nearest known name where a pattern matches none."""
    if not names:
        raise UserError(f"no name matches {pattern!r}{suggestion(str(pattern).strip('*?'), known)}")


def options_text(options: Mapping[str, Any]) -> str:
    """Options with their defaults; those whose default is decided elsewhere by their name alone."""
    return ", ".join(key if value is None else f"{key}={value}" for key, value in options.items())


def _rows(names: Sequence[str], attentions: Mapping[str, str]) -> list[str]:
    by_depth = sorted(names, key=lambda name: [int(part) if part.isdigit() else part for part in _NUMBER.split(name)])
    width = max(map(len, names))
    return [f"  {name:<{width}}  {attentions[name]}".rstrip() for name in by_depth]


def _families(names: Sequence[str], attentions: Mapping[str, str]) -> list[str]:
    """A row for networks that differ in their depth alone: eca_resnetN with N = 18, 34, 50."""
    depths: dict[str, list[int]] = {}
    for name in names:
        depths.setdefault(re.sub(r"(?<=resnet)\d+", "N", name), []).extend(map(int, re.findall(r"resnet(\d+)", name)))
    rows = []
    for family, found in depths.items():
        name = family if len(found) > 1 else family.replace("resnetN", f"resnet{found[0]}") if found else family
        member = name.replace("resnetN", f"resnet{found[0]}") if found else name
        depth = f"N = {', '.join(map(str, sorted(found)))}" if len(found) > 1 else ""
        rows.append((f"  {name}", attentions[member], depth))
    return render(("", "", ""), rows).split("\n")[1:]


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
    from ..registry import matching

    entries = catalogue()
    names = matching(entries, as_pattern(args.pattern))
    check_found(names, args.pattern, entries)
    known = [entries[name] for name in names]
    if args.json:
        print(json.dumps([entry.to_dict() for entry in known], indent=2))
        return 0
    cells = [
        (entry.name, entry.purpose(), "x".join(map(str, entry.card.input_shape)), entry.score_text(), entry.home)
        for entry in known
    ]
    print(render(("name", "network", "input", "score", "in"), cells))
    return 0
