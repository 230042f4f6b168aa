"""JSON files of COCO results, written, and read with every entry checked."""

import json
import math
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from ..data import rle
from ..utils.checks import is_number
from ..utils.errors import UserError
from ..utils.files import read_json, write_text
from .results import Result


def write_results(path: Path | str, results: Sequence[Result]) -> None:
    """Write entries to a JSON file, one a line, whole or not at all.

    Raises:
        UserError: a score is no number (`check_scores`), or the file cannot be written.
    """
    check_scores(results, str(path))
    lines = ",\n".join(json.dumps(entry, allow_nan=False) for entry in results)
    write_text(path, f"[\n{lines}\n]\n" if lines else "[]\n")


def read_results(path: Path | str) -> list[Result]:
    """Read a file of results, of this or another program.

    Args:
        path: a JSON list. Each entry has a box or a mask, all of them the same; masks are RLE, compressed or not.

    Returns:
        The entries, with nothing but the keys of `Result`, masks compressed.

    Raises:
        UserError: it cannot be read, or an entry is wrong: file, entry (the first is 0) and reason.
    """
    found = read_json(path)
    if not isinstance(found, list):
        raise UserError(f"{path} holds no COCO results: it must be a list, one entry for each object found")
    results: list[Result] = []
    for index, entry in enumerate(found):
        try:
            result = _checked(entry)
            if results and result.keys() != results[0].keys():
                odd = min(result.keys() ^ results[0].keys())
                raise UserError(f"{odd} must be in all entries or in none")
        except UserError as error:
            raise UserError(f"{path}, entry {index} (the first is 0): {error}") from None
        results.append(result)
    return results


def check_scores(results: Sequence[Mapping[str, Any]], name: str) -> None:
    """Refuse entries whose score or box is no finite number.

    Args:
        results: the entries.
        name: what messages call the list.

    Raises:
        UserError: the first such entry.
    """
    for index, entry in enumerate(results):
        for key, values in (("score", [entry.get("score")]), ("bbox", entry.get("bbox", ()))):
            if not all(map(_is_finite, values)):
                raise UserError(f"{name}, entry {index} (the first is 0): {key} must be finite, got {entry.get(key)!r}")


def _checked(entry: Any) -> Result:
    """One entry of a file; `UserError` with the reason only."""
    if not isinstance(entry, dict):
        raise UserError(f'it must be an object such as {{"image_id": 1, "category_id": 1, ...}}, got {_brief(entry)}')
    result: Result = {}
    for key in ("image_id", "category_id"):
        if not isinstance(entry.get(key), Integral) or isinstance(entry[key], bool):
            raise UserError(f"{key} must be a whole number, got {_brief(entry.get(key))}")
        result[key] = entry[key]
    if not _is_finite(entry.get("score")):
        raise UserError(f"score must be a finite number, got {_brief(entry.get('score'))}")
    result["score"] = entry["score"]
    box, mask = entry.get("bbox"), entry.get("segmentation")
    if box is not None:
        if not isinstance(box, list) or len(box) != 4 or not all(map(_is_finite, box)) or min(box[2:]) < 0:
            raise UserError(f"bbox must be [x, y, width, height], got {_brief(box)}")
        result["bbox"] = box
    if mask is not None:
        try:
            result["segmentation"] = rle.compressed(mask)
        except UserError as error:
            raise UserError(f"segmentation must be a run-length code: {error}") from None
    if box is None and mask is None:
        raise UserError("it has neither bbox nor segmentation")
    return result


def _is_finite(value: Any) -> bool:
    return (type(value) is float or is_number(value)) and math.isfinite(value)  # nearly all are, and that is quick


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
