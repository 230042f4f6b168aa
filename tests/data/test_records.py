"""Record files against MXNet's own writer, and every way in which they can be broken."""

import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from photographs import offsets, overwrite, write_records

from gluon_attn.data.image_notes import BadImage
from gluon_attn.data.records import RecordFile
from gluon_attn.utils.errors import UserError

MAGIC = struct.pack("<I", 0xCED7230A)
#: MXNet cuts data into parts where they hold the magic number at a multiple of 4
CONTENTS = [
    b"",
    b"a",
    b"abcd",
    b"x" * 1000,
    MAGIC,
    b"1234" + MAGIC,
    MAGIC * 3 + b"tail",
    b"12" + MAGIC + b"34",
    b"z" * 7,
]


@pytest.fixture
def records(tmp_path):
    write_records(tmp_path / "set", CONTENTS)
    return RecordFile(tmp_path / "set.rec")


def test_what_mxnet_wrote_is_read_back(records):
    assert len(records) == len(CONTENTS)
    assert [records.read(number) for number in range(len(CONTENTS))] == [(data, i) for i, data in enumerate(CONTENTS)]


def test_the_order_is_the_indexs(records):
    path = records.index_path
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    assert [records.read(number)[1] for number in range(len(records))] == list(reversed(range(len(CONTENTS))))
    assert records.name(0) == f"{records.path} record {len(CONTENTS) - 1}"


def test_an_index_with_another_name(records, tmp_path):
    other = records.index_path.rename(tmp_path / "other.index")
    assert len(RecordFile(records.path, other)) == len(CONTENTS)
    with pytest.raises(UserError, match=r"cannot read .*set.idx: No such file"):
        len(RecordFile(records.path))


def test_threads_do_not_disturb_each_other(tmp_path):
    contents = [bytes([number]) * 5000 for number in range(50)]
    write_records(tmp_path / "set", contents)
    records = RecordFile(tmp_path / "set.rec")
    with ThreadPoolExecutor(8) as pool:
        assert [data for data, _ in pool.map(records.read, [*range(50)] * 20)] == contents * 20


@pytest.mark.parametrize(
    ("change", "reason"), [(b"\0", "no record begins"), (struct.pack("<II", 0xCED7230A, 2 << 29), "order")]
)
def test_a_broken_record_is_bad_and_its_neighbours_are_not(records, tmp_path, change, reason):
    overwrite(records.path, offsets(tmp_path / "set")[3], change)
    with pytest.raises(BadImage, match=reason):
        records.read(3)
    assert records.read(2)[0] == CONTENTS[2]
    assert records.read(4)[0] == CONTENTS[4]


def test_a_record_that_claims_too_much_is_bad(records, tmp_path):
    overwrite(records.path, offsets(tmp_path / "set")[3] + 4, struct.pack("<I", (1 << 29) - 1))
    with pytest.raises(BadImage, match="ends within the record"):
        records.read(3)


def test_a_record_without_a_header_is_bad(records, tmp_path):
    overwrite(records.path, offsets(tmp_path / "set")[0] + 4, struct.pack("<I", 8))
    with pytest.raises(BadImage, match="no header"):
        records.read(0)


@pytest.mark.parametrize("label", [2.5, -1.0, float("nan"), float("inf"), [1.0, 2.0]])
def test_a_label_that_is_no_class_number_is_bad(tmp_path, label):
    write_records(tmp_path / "set", [b"a"], [np.array(label) if isinstance(label, list) else label])
    with pytest.raises(BadImage, match="not a class index"):
        RecordFile(tmp_path / "set.rec").read(0)


def test_a_label_stored_as_an_array_of_one_is_taken(tmp_path):
    write_records(tmp_path / "set", [b"a"], [np.array([3.0])])
    assert RecordFile(tmp_path / "set.rec").read(0) == (b"a", 3)


def of_another_file(index):
    write_records(index.with_name("longer"), [data + b"longer" for data in CONTENTS])
    return index.with_name("longer.idx").read_text()


def of_a_shorter_file(index):
    write_records(index.with_name("shorter"), [*CONTENTS[:4], b"y" * 5])
    return index.with_name("shorter.idx").read_text()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda index: "", "is empty"),
        (lambda index: "no index\n", "is not an index"),
        (lambda index: "1\t0\t\n2\tx\n", "is not an index"),
        (lambda index: index.read_text() + index.read_text(), "names a record twice"),
        (lambda index: index.read_text() + "77\t0\n", "names a record twice"),
        (lambda index: "".join(index.read_text().splitlines(keepends=True)[:-1]), "does not name all records"),
        (lambda index: "".join(index.read_text().splitlines(keepends=True)[1:]), "does not name all records"),
        (lambda index: index.read_text() + "77\t999999\n", "is cut off, or .*set.idx belongs to another file"),
        (of_another_file, "is cut off, or .*set.idx belongs to another file|does not fit"),
        (of_a_shorter_file, "does not name all records"),
    ],
)  # fmt: skip
def test_an_index_that_does_not_fit(records, change, reason):
    records.index_path.write_text(change(records.index_path))
    with pytest.raises(UserError, match=reason):
        len(records)


def test_a_file_that_is_cut_off(records, tmp_path):
    data = records.path.read_bytes()
    for length in (len(data) - 1, offsets(tmp_path / "set")[-1] - 3):
        records.path.write_bytes(data[:length])
        with pytest.raises(UserError, match=r"does not fit|is cut off"):
            len(RecordFile(records.path))


def test_a_missing_file_is_a_users_mistake(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*none.rec: No such file"):
        len(RecordFile(tmp_path / "none.rec"))
