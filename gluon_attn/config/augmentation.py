"""Names of augmentation policies, as timm spells them."""

import math
import re
from dataclasses import dataclass

#: AutoAugment's policy for ImageNet
ORIGINAL = "original"
_PART = re.compile(r"(mstd|mmax|inc|m|n|p)(\d+(?:\.\d+)?)")
_UNIFORM = 100  # a larger deviation stands for a uniform level


@dataclass(frozen=True)
class RandPolicy:
    """A RandAugment.

    Attributes:
        magnitude: level of its operations, of 10.
        count: operations per image.
        probability: with which each acts.
        deviation: standard deviation of the level; math.inf: uniform from 0 to `magnitude`.
        largest: bound of the level.
        increasing: every operation is stronger at a higher level.
    """

    magnitude: float = 10.0
    count: int = 2
    probability: float = 0.5
    deviation: float = 0.0
    largest: float = 10.0
    increasing: bool = False


def rand_policy(name: str) -> RandPolicy | None:
    """The policy that a name such as rand-m9-n2-mstd0.5-inc1 stands for; None for "original".

    Args:
        name: of a policy for which `policy_error` is None.
    """
    if name == ORIGINAL:
        return None
    given = {found[1]: float(found[2]) for found in map(_PART.fullmatch, name.split("-")[1:]) if found}
    deviation = given.get("mstd", 0.0)
    return RandPolicy(
        magnitude=given.get("m", 10.0), count=int(given.get("n", 2)), probability=given.get("p", 0.5),
        deviation=math.inf if deviation > _UNIFORM else deviation, largest=given.get("mmax", 10.0),
        increasing=bool(given.get("inc", 0)),
    )  # fmt: skip


def policy_error(name: str) -> str | None:
    """What is wrong with the name of a policy, or None."""
    if name == ORIGINAL:
        return None
    head, *parts = name.split("-")
    found = [_PART.fullmatch(part) for part in parts]
    if head != "rand" or not all(found):
        return "must be original, or rand with parts such as m9, n2, p0.5, mstd0.5, mmax10 and inc1: rand-m9-mstd0.5"
    given = {match[1]: float(match[2]) for match in found if match}
    if len(given) < len(parts):
        return "has one of its parts twice"
    if not given.get("n", 1.0).is_integer() or given.get("n", 1) < 1:
        return "needs a whole number of operations: n1, n2 ..."
    if given.get("p", 0) > 1:
        return "needs a probability from 0 to 1: p0.5"
    if given.get("inc", 0) not in (0, 1):
        return "takes inc0 or inc1"
    if not 0 < given.get("mmax", 10) <= 10:
        return "takes levels up to 10: mmax10 or less"
    return (
        None if given.get("m", 10) <= given.get("mmax", 10) else "has a magnitude m above its bound (mmax, default 10)"
    )
