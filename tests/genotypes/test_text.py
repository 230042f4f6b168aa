"""Genotypes as DARTS, pt.darts, Att-DARTS and ANAS print them: on the command line, in logs and in source files."""

import logging

import pytest

from gluon_attn.genotypes import attention_genotype, cell_genotype
from gluon_attn.genotypes.files import _say
from gluon_attn.genotypes.text import last_in, parse
from gluon_attn.utils.errors import UserError

NORMAL = "[('sep_conv_3x3', 1), ('skip_connect', 0), ('dil_conv_3x3', 2), ('sep_conv_5x5', 0)]"
NESTED = "[[('sep_conv_3x3', 1), ('skip_connect', 0)], [('dil_conv_3x3', 2), ('sep_conv_5x5', 0)]]"
DARTS = f"Genotype(normal={NORMAL}, normal_concat=range(2, 4), reduce={NORMAL}, reduce_concat=[2, 3])"
PT_DARTS = f"Genotype(normal={NESTED}, normal_concat=range(2, 4),\n   reduce={NESTED}, reduce_concat=range(2, 4))\n"
ATT = "[('sep_conv_3x3', 0, 'CBAM'), ('skip_connect', 1, 'Identity')]"
ATT_DARTS = (
    f"Genotype(normal={ATT}, normal_concat=range(2, 3), reduce={ATT}, reduce_concat=range(2, 3), "
    "normal_bottleneck='SE', reduce_bottleneck='')"
)
ANAS = "AttGenotype(att=[('dil_conv_3x3', 1), ('channel_score', 0)])"


@pytest.fixture(autouse=True)
def anew():
    """What was said is forgotten."""
    _say.cache_clear()


def edges(text):
    return cell_genotype(text).normal


def test_the_forms_that_programs_print():
    plain = edges(DARTS)
    assert plain.edges[2] == ("dil_conv_3x3", 2, "")
    assert plain.concat == (2, 3)
    assert cell_genotype(PT_DARTS) == cell_genotype(DARTS) == cell_genotype(f"genotypes.{DARTS}")
    attentions = cell_genotype(ATT_DARTS)
    assert attentions.normal.edges[0] == ("sep_conv_3x3", 0, "CBAM")
    assert (attentions.normal.bottleneck, attentions.reduce.bottleneck) == ("SE", "")
    assert attention_genotype(ANAS).att == (("dil_conv_3x3", 1), ("channel_score", 0))


@pytest.mark.parametrize("name", ["log.txt", "log", "genotypes.py", "found.json", "genotype(1).txt"])
def test_a_file_of_any_ending(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(
        f"Genotype = namedtuple('Genotype', 'normal reduce')\n07/25 12:00 genotype = {PT_DARTS}"
    )
    assert cell_genotype(name) == cell_genotype(tmp_path / name) == cell_genotype(DARTS)


def test_of_a_log_the_last_one_is_taken(tmp_path, caplog):
    log = tmp_path / "log.txt"
    first = DARTS.replace("sep_conv_3x3", "max_pool_3x3")
    log.write_bytes(f"epoch 0\ngenotype = {first}\nepoch 1 \xff\ngenotype = {DARTS}\nvalid_acc 97\n".encode("latin-1"))
    with caplog.at_level(logging.WARNING, "gluon_attn"):
        for _ in range(2):
            assert cell_genotype(log) == cell_genotype(DARTS)
    assert [record.getMessage() for record in caplog.records] == [
        f"genotype {log}: took the last of 2, which begins in line 4"
    ]
    log.write_text(f"genotype = {DARTS}\n")
    cell_genotype(log)
    assert len(caplog.records) == 1
    assert last_in("no genotype here") is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"a\nb = {DARTS[:70]}", r"genotype .*log: line 2: no genotype can be read from .*: it is cut off"),
        (f"{DARTS}\ng = Genotype(normal=cells, reduce=cells)", "log: line 2: a genotype has names, whole numbers"),
        ("hello", r"genotype .*log: it is not valid JSON \(.*\) and has no Genotype\(...\)"),
        ("", r"has no Genotype\(...\)"),
        ("[1]", r"log: the file must hold a mapping with 'normal' and 'reduce'"),
        (ANAS, "genotype .*log: the normal cell of a genotype is a mapping"),
        (f"Genotype(normal={NORMAL}, reduce={NORMAL})", "a cell's concat must be a list of nodes"),
    ],
)
def test_files_that_are_refused(content, words, tmp_path):
    (tmp_path / "log").write_text(content)
    with pytest.raises(UserError, match=words) as caught:
        cell_genotype(tmp_path / "log")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "__import__('os').system('true')", "(lambda: 1)()", "[i for i in (1,)]", "open('a')", "range(0, 10**9)",
        "range(0, 1, 1)", "range(*[1])", "range(2, 101)", "1.5", "b'a'", "None", "{'a': 1}", "x", "f'{1}'", "2 ** 9",
    ],
)  # fmt: skip
def test_nothing_is_called_or_looked_up(value):
    with pytest.raises(UserError, match="a genotype has names, whole numbers, lists and range") as caught:
        parse(f"Genotype(normal={value})")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["Genotype()", "Genotype([1])", "Genotype(**a)", "a(1)(b=2, c)", "Genotype(a=", "f" * 9 + "(" * 9999 + ")"]
)
def test_no_genotype(text):
    with pytest.raises(UserError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
