"""Names that are not text."""

import os

import pytest

from gluon_attn.utils.printable import is_utf8, printable


@pytest.mark.parametrize("name", ["cat", "größe", "猫", "a b", "x\\y", ""])
def test_text_stays(name):
    assert printable(name) == name


def test_bytes_that_are_no_text_and_control_characters_are_escaped():
    assert printable(os.fsdecode(b"c\xe4t")) == r"c\xe4t"
    assert printable(os.fsdecode("größe".encode("latin-1"))) == r"gr\xf6\xdfe"
    assert printable("a\tb\nc\x1b[31m\x85") == r"a\x09b\x0ac\x1b[31m\x85"
    printable(os.fsdecode(bytes(range(1, 256)))).encode("utf-8")


def test_bytes_that_are_not_utf8():
    assert is_utf8("cäsar/日本")
    assert not is_utf8("c\udce4sar")
