"""Data folders: what is found, what is refused by its text, and that files are data only."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sylvan.model import data as module
from sylvan.model.data import (
    DataSet,
    check_array,
    read_arrays,
    read_bytes,
    read_table,
    shuffled,
)
from sylvan.model.errors import UserError

PAIR = DataSet("pair", "Some Archive (https://example.org)", (("a.txt", "b.txt"),))
FORMS = DataSet(
    "forms", "Some Archive", (("all.npz",), ("train/x", "train/y", "test/x", "test/y", "z")), "Pack"
)


def put(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refusal(call: Any, *arguments: Any) -> str:
    with pytest.raises(UserError) as refused:
        call(*arguments)
    return str(refused.value)


def test_files_are_found_plain_or_packed_and_inside_the_archives_folder(tmp_path: Path) -> None:
    plain = put(tmp_path / "pair/a.txt", b"plain")
    packed = put(tmp_path / "pair/b.txt.gz", gzip.compress(b"packed"))
    assert PAIR.locate(tmp_path) == [plain, packed]
    assert [read_bytes(path) for path in (plain, packed)] == [b"plain", b"packed"]
    inside = [put(tmp_path / "forms/Pack" / name) for name in FORMS.forms[1]]
    assert FORMS.locate(tmp_path) == inside
    # The first form that is whole is taken.
    compact = put(tmp_path / "forms/all.npz")
    assert FORMS.locate(tmp_path) == [compact]


def test_what_is_missing_is_said_with_its_source(tmp_path: Path) -> None:
    assert refusal(PAIR.locate, None) == (
        "this needs the data set pair: name the folder that holds it with --data FOLDER. In its "
        "subfolder pair should be a.txt, b.txt, from Some Archive (https://example.org)"
    )
    assert refusal(FORMS.locate, tmp_path) == (
        f"{tmp_path}/forms should hold all.npz or train/x, train/y, ... z (5 files), "
        "from Some Archive"
    )
    put(tmp_path / "pair/a.txt")
    assert refusal(PAIR.locate, tmp_path) == (
        f"{tmp_path}/pair lacks b.txt (from Some Archive (https://example.org))"
    )
    put(tmp_path / "forms/train/x")
    assert refusal(FORMS.locate, tmp_path) == (
        f"{tmp_path}/forms lacks train/y, test/x, test/y, z (from Some Archive)"
    )


def test_unreadable_and_endless_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be read: Not a gzipped file" in refusal(
        read_bytes, put(tmp_path / "x.gz", b"no gzip")
    )
    cut = put(tmp_path / "cut.gz", gzip.compress(b"abc" * 100)[:-9])
    assert refusal(read_bytes, cut).startswith(f"{cut} cannot be read: ")
    assert "cannot be read" in refusal(read_bytes, tmp_path)
    monkeypatch.setattr(module, "MOST_BYTES", 1 << 20)
    bomb = put(tmp_path / "bomb.gz", gzip.compress(bytes(2 << 20)))
    assert refusal(read_bytes, bomb) == f"{bomb} holds more than 1 MiB: it is no published file"


def test_tables(tmp_path: Path) -> None:
    # U+0085 and CR end no line.
    path = put(tmp_path / "t.tsv", b"a\tb\n1\tx\xc2\x85y\n2\tz\rz\n")
    assert read_table(path, 2, "a\tb") == [[b"1", b"x\xc2\x85y"], [b"2", b"z\rz"]]
    assert len(read_table(path, 2)) == 3
    assert refusal(read_table, path, 2, "a\tc") == (
        f"{path} should begin with the line 'a\\tc', got b'a\\tb'"
    )
    uneven = put(tmp_path / "u.tsv", b"a\tb\n1\n")
    assert refusal(read_table, uneven, 2) == f"{uneven}:2 should have 2 columns, got 1"
    for content, header in ((b"", ""), (b"a\tb\n", "a\tb")):
        empty = put(tmp_path / "e.tsv", content)
        assert refusal(read_table, empty, 2, header) == f"{empty} has no rows"
    assert "should begin with the line" in refusal(read_table, put(tmp_path / "f.tsv"), 2, "a")


def test_arrays_come_back(tmp_path: Path) -> None:
    given = {
        "x": np.arange(6, dtype=np.int16).reshape(2, 3),
        "y": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "z": np.float32(2),
        "none": np.zeros((0, 3)),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **given)
        for name, array in read_arrays(tmp_path / "a.npz", *given).items():
            assert array.dtype == given[name].dtype and np.array_equal(array, given[name])


def npy(header: str) -> bytes:
    content = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(content).to_bytes(2, "little") + content


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def test_arrays_are_data_only_and_no_larger_than_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.npz"
    begin = f"{path} is not the published file: "
    np.savez(path, x=np.array([{}], object))
    assert refusal(read_arrays, path, "x") == begin + "an array of object with the shape (1,)"
    assert refusal(read_arrays, path, "y").startswith(
        begin + "There is no item named 'y.npy' in the archive"
    )
    claim = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s,)}"
    for size in ("1000000000000", "2", "-1"):
        archive(path, x=npy(claim % size) + bytes(8))
        assert refusal(read_arrays, path, "x").startswith(begin + "an array of float64 with")
    archive(path, x=npy("{'descr': __import__('os'), 'shape': ()}"))
    assert refusal(read_arrays, path, "x").startswith(begin)
    for content in (b"", b"PK\x03\x04 cut"):
        assert refusal(read_arrays, put(path, content), "x").startswith(begin)
    whole = io.BytesIO()
    np.savez_compressed(whole, x=np.arange(1000))
    spoilt = bytearray(whole.getvalue())
    spoilt[100:200] = bytes(100)
    assert refusal(read_arrays, put(path, bytes(spoilt)), "x").startswith(begin)
    monkeypatch.setattr(module, "MOST_BYTES", 1 << 20)
    archive(path, x=bytes(2 << 20))
    assert refusal(read_arrays, path, "x") == begin + "unpacked it would hold 2 MiB"


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 2)), "f: x should be nx2 real numbers, got 0x2 of float64"),
        (np.zeros((3, 1)), "f: x should be nx2 real numbers, got 3x1 of float64"),
        (np.zeros(2), "f: x should be nx2 real numbers, got 2 of float64"),
        (np.zeros((3, 2), int), "f: x should be nx2 real numbers, got 3x2 of int64"),
        (np.array([[0, np.nan]]), "f: x should lie in 0..1, got nan"),
        (np.array([[0, np.inf]]), "f: x should lie in 0..1, got inf"),
        (np.array([[0.5, -0.5]]), "f: x should lie in 0..1, got -0.5"),
        (np.array([[0.5, 1.0]]), None),
    ],
)
def test_arrays_are_checked(array: Any, message: str | None) -> None:
    if message is None:
        assert check_array("f: x", array, "f", (-1, 2), 0, 1) is array
    else:
        assert refusal(check_array, "f: x", array, "f", (-1, 2), 0, 1) == message


def test_a_fixed_order_stays() -> None:
    """Published splits hang on it, and the permutation of permuted MNIST."""
    assert shuffled(10, 0).tolist() == [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]
    assert shuffled(784, 92916)[:5].tolist() == [319, 576, 323, 107, 355]
    assert np.array_equal(np.sort(shuffled(1000, 3)), np.arange(1000))
