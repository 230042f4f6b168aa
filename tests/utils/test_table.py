from gluon_attn.utils.table import render


def test_table_aligns_numbers_right_and_text_left():
    assert render(("name", "count"), [["a", 1234], ["long", None]]) == "name  count\na     1,234\nlong"
