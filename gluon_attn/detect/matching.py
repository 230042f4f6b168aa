"""Which results find which objects of an image, as `COCOeval.evaluateImg` of pycocotools decides it, in less time.

pycocotools asks every object for every result at every overlap that counts. Here a result is compared once with the
few objects that it overlaps enough.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np

_WHOLE = 1 - 1e-10  # an overlap of 1 must reach the threshold 1, whatever its rounding


def match_image(run: Any, image_id: int, category_id: int, area: Sequence[float], limit: int) -> dict[str, Any] | None:
    """What `COCOeval.accumulate` reads of an image; None where it has neither objects nor results.

    Objects outside of an area and crowds are ignored: a result that finds one counts neither as right nor as wrong,
    and takes one that counts where it can. A crowd may be found by any number of results.

    Args:
        run: a `COCOeval` that has computed its overlaps.
        image_id, category_id: of the objects and results.
        area: smallest and largest area of the objects that count.
        limit: results that count, the best ones.
    """
    objects, results = run._gts[image_id, category_id], run._dts[image_id, category_id]
    if not objects and not results:
        return None
    smallest, largest = area
    ignored = [bool(one["ignore"]) or one["area"] < smallest or one["area"] > largest for one in objects]
    order = sorted(range(len(objects)), key=ignored.__getitem__)  # those that count come first
    results = sorted(results, key=itemgetter("score"), reverse=True)[:limit]
    shape = len(run.params.iouThrs), len(results)
    found, passed_over = np.zeros(shape), np.zeros(shape, bool)
    if objects and results:
        crowds = [bool(one["iscrowd"]) for one in objects]
        pairs = _pairs(run.ious[image_id, category_id], run.params.iouThrs, order, ignored, crowds)
        for level, result, place in pairs:
            found[level, result], passed_over[level, result] = objects[place]["id"], ignored[place]
    outside = np.array([one["area"] < smallest or one["area"] > largest for one in results], bool)
    return {
        "dtScores": [one["score"] for one in results], "dtMatches": found,
        "dtIgnore": passed_over | ((found == 0) & outside), "gtIgnore": np.array([ignored[i] for i in order], int),
    }  # fmt: skip


def _pairs(
    overlaps: np.ndarray, levels: Sequence[float], order: Sequence[int], ignored: Sequence[bool], crowds: Sequence[bool]
) -> list[tuple[int, int, int]]:
    """(number of the level, result, object) of each result that finds an object; results come best first."""
    least = [min(level, _WHOLE) for level in levels]
    taken: list[set[int]] = [set() for _ in least]
    pairs: list[tuple[int, int, int]] = []
    lowest, found = min(least), np.asarray(overlaps)
    if found.max() < lowest:
        return pairs
    for result, row in enumerate(found.tolist()):
        near = [(place, row[place]) for place in order if row[place] >= lowest]
        if not near:
            continue
        for level, best in enumerate(least):
            chosen = None
            for place, overlap in near:
                if place in taken[level] and not crowds[place]:
                    continue
                if chosen is not None and ignored[place] and not ignored[chosen]:
                    break
                if overlap >= best:  # of equal ones the last
                    best, chosen = overlap, place
            if chosen is not None:
                taken[level].add(chosen)
                pairs.append((level, result, chosen))
    return pairs
