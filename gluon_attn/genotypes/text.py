"""Genotypes as Python prints them: `Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=range(2, 6), ...)`.

So they stand in the logs and the source files of DARTS, Att-DARTS, ANAS and others. They are read as literals: no name
is looked up and nothing is called.
"""

import ast
import re
from typing import Any, NamedTuple

from ..utils.errors import UserError

_CALL = re.compile(r"\s*[A-Za-z_][\w.]*\s*\(")
#: the start of one in a longer text; a `namedtuple('Genotype', ...)` or a class is none
_START = re.compile(r"\b\w*Genotype\w*\s*\(\s*\w+\s*=")
_MOST_NODES = 100


class Last(NamedTuple):
    """The last genotype in a text.

    Attributes:
        data: plain data.
        line: number of its first line, from 1.
        number: how many genotypes the text has.
    """

    data: dict[str, Any]
    line: int
    number: int


def is_call(text: str) -> bool:
    """Whether a text is `Name(...)`."""
    return bool(_CALL.match(text)) and text.rstrip().endswith(")")


def parse(text: str) -> dict[str, Any]:
    """The keyword arguments of a text `Name(key=value, ...)`.

    Args:
        text: the values are texts, whole numbers, lists and tuples of them, and `range(first, end)`.

    Raises:
        UserError: it is anything else.
    """
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserError(f"no genotype can be read from {_short(text)}: it is cut off or mistyped") from None
    if not isinstance(call, ast.Call) or call.args or not call.keywords:
        raise UserError(f"a genotype is Genotype(normal=[...], ...) with values by name, got {_short(text)}")
    return {str(keyword.arg): _value(keyword.value) for keyword in call.keywords}


def last_in(text: str) -> Last | None:
    """The last genotype in a text, such as a search's log, where it is the one that the search ended with.

    Args:
        text: the whole text.

    Returns:
        None if there is none.

    Raises:
        UserError: the last one cannot be read, such as one that is cut off.
    """
    starts = [found.start() for found in _START.finditer(text)]
    if not starts:
        return None
    line = text.count("\n", 0, starts[-1]) + 1
    try:
        return Last(parse(_balanced(text[starts[-1] :])), line, len(starts))
    except UserError as error:
        raise UserError(f"line {line}: {error}") from None


def _balanced(text: str) -> str:
    """The text up to the end of its first pair of parentheses; all of it if there is none."""
    depth = 0
    for found in re.finditer(r"""[()]|'[^'\n]*'|"[^"\n]*\"""", text):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0 and found[0] == ")":
            return text[: found.end()]
    return text


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range" and not node.keywords:
        ends = [_value(item) for item in node.args]
        if 1 <= len(ends) <= 2 and all(type(end) is int and 0 <= end <= _MOST_NODES for end in ends):
            return list(range(*ends))
    raise UserError(f"a genotype has names, whole numbers, lists and range(first, end), not {ast.unparse(node)[:40]!r}")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
