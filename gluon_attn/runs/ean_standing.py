"""How the scheme that EAN found stands against the baselines of its search: the others may be better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: rows of a table of schemes that no search found
NONE, ALL = "no block connected", "all connected"
DIFFERENCES = "Rewards mean something in their differences only."
_COLUMN = "difference"


@dataclass(frozen=True)
class Standing:
    """What a table of schemes says.

    Attributes:
        best: index of the row with the highest reward; EAN's own among equals.
        better: whether that is another one than EAN's.
        line: it in words.
    """

    best: int
    better: bool
    line: str


def standing(rows: Sequence[Mapping[str, Any]]) -> Standing:
    """Compare EAN's best scheme with the best ones of the baselines, and with no and all blocks connected.

    Args:
        rows: of the table, with "of", "scheme", "accuracy" and "reward", EAN's first.
    """
    rewards = [float(row["reward"]) for row in rows]
    best = max(range(len(rows)), key=rewards.__getitem__)
    own, other = rows[0], rows[best]
    if rewards[best] > rewards[0]:
        what = {NONE: ", the network without its attention,", ALL: ""}.get(other["of"], f", {other['scheme']},")
        higher = rewards[best] - rewards[0]
        accuracy, before = other["accuracy"], own["accuracy"]
        how = (
            f"at the same accuracy of {before}" if accuracy == before else f"an accuracy of {accuracy} against {before}"
        )
        line = f"EAN's scheme is not the best here: {other['of']}{what} has a reward {higher:.3f} higher, {how}."
        return Standing(best, True, line)
    if len(rows) == 1:
        return Standing(0, False, "")
    second = max(range(1, len(rows)), key=rewards.__getitem__)
    lead, name = rewards[0] - rewards[second], rows[second]["of"]
    above = f"the highest reward, {lead:.3f} above {name}" if lead else f"the highest reward, and {name} has the same"
    return Standing(0, False, f"EAN's scheme has {above}.")


def with_differences(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[list[str], list[list[Any]]]:
    """A table with one more column: how far each reward is from that of EAN's scheme, the first row."""
    place = list(header).index("reward")
    own = float(rows[0][place])
    columns = [*header[: place + 1], _COLUMN, *header[place + 1 :]]
    return columns, [
        [*row[: place + 1], f"{float(row[place]) - own:+.3f}" if number else "", *row[place + 1 :]]
        for number, row in enumerate(rows)
    ]
