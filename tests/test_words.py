"""The words of docs/vocabulary.md are used wherever a user reads: in texts, help, log lines and errors."""

import ast
import re
from pathlib import Path

import pytest
from texts import ROOT, TEXTS

import gluon_attn

#: what is said -> what is not
SAID = {
    "MACs": "multiply-add",
    "dtype, precision": "number type",
    "architecture parameters, softmax weights": "mixing weight",
    "at random": "by chance",
    "per epoch": r"(?:object|line|record|file) an epoch",
    "per step, per image": r"(?:samples?|images?|rois) an? (?:step|image)\b",
    "per second": r"images a second",
    "resume, continue": r"(?:going|goes|gone|go) on (?:with|from|to the same)",
    "do not change, work as they do without it": r"\b(?:is|are) as without\b",
    "evaluated": r"schemes? known",
}


def unsaid(text):
    """The words of a text that are not to be used, with those that are."""
    found = {said: re.findall(words, text) for said, words in SAID.items()}
    return {said: words for said, words in found.items() if words}


@pytest.mark.parametrize("name", sorted(set(TEXTS) - {"docs/attentions.md"}))  # its words are the docstrings'
def test_texts_keep_to_the_vocabulary(name):
    assert not unsaid((ROOT / name).read_text(encoding="utf-8"))


def messages(path):
    """(line, text) of the strings in a file that are no docstrings; what is put into them is left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
    docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def test_messages_keep_to_the_vocabulary():
    package = Path(gluon_attn.__file__).parent
    found = [
        (f"{path.relative_to(package)}:{line}", words)
        for path in sorted(package.rglob("*.py"))
        for line, text in messages(path)
        if (words := unsaid(text))
    ]
    assert found == []
