"""Whether the scheme that EAN found is the best: what is said where it is not."""

import pytest

from gluon_attn.runs.ean_standing import standing, with_differences


def rows(*rewards, names=("ean", "random", "no block connected", "all connected")):
    return [
        {"scheme": f"{number:03b}", "of": name, "accuracy": f"{reward + 54:.2f} %", "reward": f"{reward:.3f}"}
        for number, (name, reward) in enumerate(zip(names, rewards, strict=False))
    ]


@pytest.mark.parametrize(
    ("rewards", "best", "line"),
    [
        ((-40.67, -27.333), 1,
         "EAN's scheme is not the best here: random, 001, has a reward 13.337 higher, an accuracy of "
         "26.67 % against 13.33 %."),
        ((-40.67, -41, -40, -39.5), 3, "EAN's scheme is not the best here: all connected has a reward 1.170 "),
        ((-40.67, -41, -40, -40.5), 2, "here: no block connected, the network without its attention, has a reward "),
        ((-40, -41, -40.5, -42), 0, "EAN's scheme has the highest reward, 0.500 above no block connected."),
        ((-40, -40, -40.5), 0, "EAN's scheme has the highest reward, and random has the same."),
        ((-40,), 0, ""),
    ],
)  # fmt: skip
def test_the_verdict(rewards, best, line):
    found = standing(rows(*rewards))
    assert (found.best, found.better) == (best, best > 0)
    assert line in found.line


def test_the_column_of_differences():
    table = [[*row.values()] for row in rows(-40.5, -27.25, -41)]
    header, found = with_differences(("scheme", "of", "accuracy", "reward"), table)
    assert header == ["scheme", "of", "accuracy", "reward", "difference"]
    assert [row[-1] for row in found] == ["", "+13.250", "-0.500"]
