"""Tables in plain text."""

from gluon_attn.utils.table import render


def test_numbers_are_aligned_right_and_text_left():
    rows = [("se", 1234567, 0.5), ("triplet", None, None), ("a", 3, True)]
    assert render(("name", "parameters", "x"), iter(rows)).splitlines() == [
        "name     parameters     x",
        "se        1,234,567   0.5",
        "triplet",
        "a                 3  True",
    ]


def test_no_rows():
    assert render(("a", "bc"), []) == "a  bc"


def test_a_cell_without_a_value_is_empty():
    assert render(("name", "count"), [["a", 1234], ["long", None]]) == "name  count\na     1,234\nlong"
