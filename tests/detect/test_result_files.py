"""Files of COCO results, our own and those of others."""

import json

import pytest

from gluon_attn.data import rle
from gluon_attn.detect.result_files import read_results, write_results
from gluon_attn.utils.errors import UserError

ENTRY = {"image_id": 1, "category_id": 3, "score": 0.5, "bbox": [1, 2, 3, 4]}


def test_no_results_are_a_file_too(tmp_path):
    write_results(tmp_path / "results.json", [])
    assert (tmp_path / "results.json").read_text() == "[]\n"
    assert read_results(tmp_path / "results.json") == []


def test_one_entry_a_line(tmp_path):
    write_results(tmp_path / "results.json", [ENTRY, ENTRY])
    assert len((tmp_path / "results.json").read_text().splitlines()) == 4
    assert read_results(tmp_path / "results.json") == [ENTRY, ENTRY]


def test_a_file_of_another_program(tmp_path):
    """Other keys, nothing as null, masks that are not compressed."""
    mask = {"size": [4, 5], "counts": [6, 2, 12]}
    entry = {"id": 9, "image_id": 1, "category_id": 7, "score": 1, "bbox": None, "segmentation": mask}
    (tmp_path / "theirs.json").write_text(json.dumps([entry]))
    wanted = {"image_id": 1, "category_id": 7, "score": 1, "segmentation": rle.compressed(mask)}
    assert read_results(tmp_path / "theirs.json") == [wanted]


WRONG = [
    ({"results": []}, "holds no COCO results"),
    ([ENTRY, 5], "entry 1 (the first is 0): it must be an object such as"),
    ([{**ENTRY, "image_id": "a"}], "entry 0 (the first is 0): image_id must be a whole number, got 'a'"),
    ([{**ENTRY, "image_id": 1.0}], "image_id must be a whole number, got 1.0"),
    ([{**ENTRY, "category_id": True}], "category_id must be a whole number, got True"),
    ([{key: ENTRY[key] for key in ("image_id", "category_id", "bbox")}], "score must be a finite number, got None"),
    ([{**ENTRY, "score": float("nan")}], "score must be a finite number, got nan"),
    ([{**ENTRY, "score": "0.5"}], "score must be a finite number, got '0.5'"),
    ([{**ENTRY, "bbox": [1, 2, 3]}], "bbox must be [x, y, width, height], got [1, 2, 3]"),
    ([{**ENTRY, "bbox": [1, 2, 3, float("inf")]}], "bbox must be [x, y, width, height]"),
    ([{**ENTRY, "bbox": [1, 2, -3, 4]}], "bbox must be [x, y, width, height]"),
    ([{**ENTRY, "bbox": list(range(99))}], "..."),
    ([ENTRY, {**ENTRY, "segmentation": [[1, 2, 3, 4, 5, 6]]}], "entry 1 (the first is 0): segmentation must be a run"),
    ([{**ENTRY, "segmentation": {"size": [4, 4], "counts": [3]}}], "its runs have 3 pixels"),
    ([{**ENTRY, "bbox": None}], "it has neither bbox nor segmentation"),
    ([ENTRY, {**ENTRY, "segmentation": {"size": [1, 1], "counts": [1]}}], "segmentation must be in all entries or in"),
]


@pytest.mark.parametrize(("content", "words"), WRONG)
def test_a_wrong_file_is_one_line(tmp_path, content, words):
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError) as caught:
        read_results(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 200


def test_a_file_that_is_no_json(tmp_path):
    (tmp_path / "cut.json").write_text('[{"image_id": 1, "cat')
    with pytest.raises(UserError, match=r"cut.json is not valid JSON"):
        read_results(tmp_path / "cut.json")
    with pytest.raises(UserError, match="cannot read"):
        read_results(tmp_path / "missing.json")


def test_what_is_no_number_is_not_written(tmp_path):
    path = tmp_path / "results.json"
    write_results(path, [ENTRY])
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"results.json, entry 1 \(the first is 0\): score must be finite, got nan"):
        write_results(path, [ENTRY, {**ENTRY, "score": float("nan")}])
    with pytest.raises(UserError, match="bbox must be finite"):
        write_results(path, [{**ENTRY, "bbox": [1, 2, 3, float("inf")]}])
    assert path.read_bytes() == before
