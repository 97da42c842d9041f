"""Programs as files: what is written comes back, and nothing else is taken."""

import errno
import hashlib
import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from programs import random_inputs, random_program, random_timesteps, small, trained
from sylvan.model import storage
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.interpret import run
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program
from sylvan.model.storage import load, program_hash, save

PROGRAMS: dict[str, Callable[[], Program]] = {
    "small": small,
    **{f"random-{seed}": lambda seed=seed: random_program(seed) for seed in range(12)},
    **{
        f"timesteps-{seed}": lambda seed=seed: random_program(seed, read=random_timesteps(seed))
        for seed in range(8)
    },
    "hadamrnn-16": lambda: trained(16, symbols=False),
    "hadamrnn-128": lambda: trained(128, symbols=False),
    "hadamrnn-128-symbols": lambda: trained(128, symbols=True),
}


# ---- there and back


@pytest.mark.parametrize("make", PROGRAMS.values(), ids=PROGRAMS)
def test_what_was_saved_comes_back(make: Callable[[], Program], tmp_path: Path) -> None:
    program = make()
    assert save(program, tmp_path / "a" / "new" / "folder") == tmp_path / "a" / "new" / "folder"
    again = load(tmp_path / "a" / "new" / "folder")
    assert again == program
    assert again.metadata == program.metadata
    assert program_hash(again) == program_hash(program)
    inputs = random_inputs(program, (3, 8))
    assert np.array_equal(run(again, inputs), run(program, inputs))


@pytest.mark.parametrize("make", PROGRAMS.values(), ids=PROGRAMS)
def test_equal_programs_give_equal_bytes(make: Callable[[], Program], tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(make(), tmp_path / name)
    save(load(tmp_path / "one"), tmp_path / "three")
    for file in ("program.json", "weights.npz"):
        one, two, three = (tmp_path / n / file for n in ("one", "two", "three"))
        assert one.read_bytes() == two.read_bytes() == three.read_bytes()


def test_the_folder_holds_two_files_and_the_hash(tmp_path: Path) -> None:
    save(small(), tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["program.json", "weights.npz"]
    tree = json.loads((tmp_path / "program.json").read_text())
    assert tree["sha256"] == program_hash(small())
    assert sorted(tree) == ["input", "layers", "metadata", "period", "readout", "sha256", "version"]


def test_the_hash_covers_everything_but_metadata() -> None:
    assert program_hash(small(metadata={"score": 0.9})) == program_hash(small())
    assert small(metadata={"score": 0.9}) == small()
    assert program_hash(small(weight=4)) != program_hash(small())
    hashes = {program_hash(make()) for make in PROGRAMS.values()}
    assert len(hashes) == len(PROGRAMS)


def test_the_hash_does_not_move() -> None:
    """Programs that were saved long ago keep their names: a new hash means a new version."""
    expected = "733f3f71a1e7244dd792b00b10d68ef90c0053df29635802ba089e8db8ea9de5"
    assert program_hash(small()) == expected


def test_the_hash_is_the_one_that_the_page_describes(tmp_path: Path) -> None:
    """From model/operations/README.md alone: no code of the project but `save`."""
    save(trained(128, symbols=False), tmp_path)
    tree = json.loads((tmp_path / "program.json").read_text())
    named = tree.pop("sha256")
    del tree["metadata"]

    def plain(item: Any) -> bytes:
        return json.dumps(item, sort_keys=True, separators=(",", ":")).encode()

    content = plain(tree)
    with np.load(tmp_path / "weights.npz") as arrays:
        for name in sorted(arrays.files):
            array = np.ascontiguousarray(arrays[name], "<i8")
            content += plain([name, list(array.shape)]) + array.tobytes()
    assert hashlib.sha256(content).hexdigest() == named


def test_numbers_of_numpy_are_the_same_program(tmp_path: Path) -> None:
    def make(integer: Any, real: Any) -> Program:
        source = NumericInput(integer(2), Format(0, 7), (real(1), real(2)), (real(0), real(0)))
        b = Builder(source, integer(1))
        state = b.state("kept", integer(2), Format(0, 7), unit=[real(2)])
        b.write(state, b.input)
        b.layer("keeping", b.slice(integer(0), integer(2), b.exponent([integer(1)], state)))
        return b.program(b.scale([[1, 2]], integer(-1), b.input), "every", unit=[real(1)])

    plain, given = make(int, float), make(np.int32, np.float32)
    assert plain == given == make(int, int)
    assert program_hash(plain) == program_hash(given) == program_hash(make(int, int))
    assert load(save(given, tmp_path)) == plain


def test_metadata_is_free(tmp_path: Path) -> None:
    metadata = {"task": "digits", "scores": {"12": 0.97}, "note": "ü \u2192", "list": [1, None]}
    assert load(save(small(metadata=metadata), tmp_path)).metadata == metadata
    text = (tmp_path / "program.json").read_text()
    (tmp_path / "program.json").write_text(text.replace("digits", "other"))
    assert load(tmp_path).metadata["task"] == "other"


def test_a_save_replaces_an_older_program(tmp_path: Path) -> None:
    save(small(), tmp_path)
    (tmp_path / "notes.txt").write_text("kept")
    save(small(weight=5), tmp_path)
    assert load(tmp_path) == small(weight=5)
    assert (tmp_path / "notes.txt").read_text() == "kept"


@pytest.mark.parametrize(
    "metadata", [{"loss": float("inf")}, {"a": [float("nan")]}, {"a": {1, 2}}, {"a": object()}]
)
def test_metadata_is_json(metadata: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the metadata of .*it cannot be written as JSON: "):
        save(small(metadata=metadata), tmp_path / "it")
    assert not (tmp_path / "it").exists()


# ---- writes that fail


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("before", [True, False], ids=["replacing", "new"])
@pytest.mark.parametrize("stops", [0, 1], ids=["first-move", "second-move"])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
def test_a_failed_move_leaves_what_was_there(
    before: bool, stops: int, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before:
        save(small(), tmp_path)
    moves, replace = [], os.replace

    def failing(source: Any, target: Any) -> None:
        moves.append(target)
        if len(moves) == stops + 1:
            raise error
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing)
        expected = UserError if isinstance(error, OSError) else KeyboardInterrupt
        with pytest.raises(expected):
            save(small(weight=5), tmp_path)
    if before:
        assert load(tmp_path) == small()
    assert len(list(tmp_path.iterdir())) == (2 if before else 0)


@pytest.mark.parametrize("where", ["np.savez_compressed", "Path.write_text", "shutil.copyfile"])
def test_a_full_disk_is_said_and_leaves_what_was_there(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(small(), tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(f"sylvan.model.storage.{where}", full)
        with pytest.raises(UserError) as caught:
            save(small(weight=5), tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} cannot be written: No space left on device. What was there is unchanged"
    )
    assert load(tmp_path) == small()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_failed_write_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir()
    monkeypatch.setattr("sylvan.model.storage.np.savez_compressed", full)
    for folder in (tmp_path / "run" / "program", tmp_path / "new" / "run" / "program"):
        with pytest.raises(UserError):
            save(small(), folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["run"]


def test_a_kill_between_the_moves_is_known_by_the_hash(tmp_path: Path) -> None:
    save(small(), tmp_path / "old")
    save(small(weight=5), tmp_path / "new")
    shutil.copy(tmp_path / "new" / "weights.npz", tmp_path / "old" / "weights.npz")
    with pytest.raises(UserError, match="was changed after it was written, or only half written"):
        load(tmp_path / "old")


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file cannot be written: File exists"):
        save(small(), tmp_path / "file")
    with pytest.raises(UserError, match="below cannot be written: Not a directory"):
        save(small(), tmp_path / "file" / "below")


# ---- files that are no program


def damaged(folder: Path, damage: Callable[[Path], None]) -> str:
    save(small(), folder)
    damage(folder)
    with pytest.raises(UserError) as caught:
        load(folder)
    assert str(folder) in str(caught.value), "the message must say where"
    assert len(str(caught.value)) < 600 + len(str(folder)), "what it quotes is bounded"
    return str(caught.value)


def truncate(name: str, part: float) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * part)])

    return damage


def text(content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "program.json").write_text(content) and None


def raw(content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / "program.json").write_bytes(content) and None


def swap(old: str, new: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = (folder / "program.json").read_text()
        assert old in content
        (folder / "program.json").write_text(content.replace(old, new, 1))

    return damage


def archive(**members: Any) -> Callable[[Path], None]:
    """Another weights.npz: arrays, pickled objects where they must be, or raw bytes."""

    def damage(folder: Path) -> None:
        with zipfile.ZipFile(folder / "weights.npz", "w") as stored:
            for name, member in members.items():
                if isinstance(member, bytes):
                    stored.writestr(name, member)
                    continue
                buffer = io.BytesIO()
                np.save(buffer, member, allow_pickle=True)
                stored.writestr(name + ".npy", buffer.getvalue())

    return damage


class Bomb:
    def __reduce__(self) -> Any:
        return os.abort, ()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "program.json").unlink(), "is no program: program.json is missing there"),
        (lambda f: (f / "weights.npz").unlink(), "is no program: weights.npz is missing there"),
        (lambda f: shutil.rmtree(f), "is no program: program.json is missing there"),
        (truncate("program.json", 0.7), "program.json is no readable program: "),
        (truncate("program.json", 0), "is no readable program: Expecting value: line 1"),
        (truncate("weights.npz", 0.9), "weights.npz cannot be read: it is no npz archive, or only"),
        (truncate("weights.npz", 0), "weights.npz cannot be read: it is no npz archive, or only"),
        (text("[]"), "is no readable program: it must hold an object, got a list"),
        (text("3"), "is no readable program: it must hold an object, got a int"),
        (text("{}"), "is no readable program: it states no version"),
        (text("[" * 100_000), "is no readable program: it is nested too deeply"),
        (text('{"a":' * 100_000), "is no readable program: it is nested too deeply"),
        (text("\N{SNOWMAN}"), "is no readable program: Expecting value"),
        (raw(b"\xff\xfe"), "is no readable program: 'utf-8' codec can't decode byte 0xff"),
        (swap('"version": 1', '"version": 2'), "has version 2, this Sylvan reads version 1"),
        (swap('"version": 1', '"version": "1"'), "has version '1', this Sylvan reads version 1"),
        (swap('"version": 1', '"version": 1.0'), "has version 1.0, this Sylvan reads version 1"),
        (swap('"version": 1', '"version": true'), "has version True, this Sylvan reads version 1"),
        (swap("0.25", "NaN"), "is no readable program: NaN is no finite number"),
        (swap("0.25", "-Infinity"), "is no readable program: -Infinity is no finite number"),
        (swap("0.25", "1e999"), "is no readable program: 1e999 is no finite number"),
        (swap('"metadata": {}', '"metadata": {"a": [1e999]}'), "1e999 is no finite number"),
        (swap('"metadata": {}', '"metadata": {"a": -1e999}'), "-1e999 is no finite number"),
        (swap("0.25", "1" * 5000), "is no readable program: Exceeds the limit"),
        (swap("0.25", "0.5"), "was changed after it was written, or only half written"),
        (swap('"sha256": "', '"sha256": "0'), "its content hashes to "),
        (swap('"sha256"', '"sha"'), "does not make a program: it lacks sha256"),
        (swap('"metadata": {},', ""), "does not make a program: it lacks metadata"),
        (swap('"version": 1', f'"version": "{"x" * 100_000}"'), "xx', this Sylvan reads"),
        (swap("0.25", f"0.{'1' * 100_000}e999"), "1e999 is no finite number"),
        (swap('"metadata": {}', '"metadata": []'), "metadata must be an object, got list"),
        (archive(**{"a": np.array([Bomb()])}), "weights.npz cannot be read: Object arrays cannot"),
        (archive(**{"a.npy": pickle.dumps(Bomb())}), "weights.npz must hold 64-bit integers only"),
        (archive(**{"a": np.zeros(2)}), "64-bit integers only, but a is float64"),
        (archive(**{"a": np.zeros(2, np.int32)}), "64-bit integers only, but a is int32"),
        (archive(**{"a": np.zeros(2, ">i8")}), "64-bit integers only, but a is >i8"),
        (archive(readme=b"hello"), "64-bit integers only, but readme is bytes"),
        (archive(), "was changed after it was written, or only half written"),
    ],
)  # fmt: skip
def test_refused_files(damage: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    assert message in damaged(tmp_path / "it", damage)


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    def damage(folder: Path) -> None:
        (folder / "weights.npz").write_bytes(pickle.dumps(Bomb()))

    assert "it is no npz archive" in damaged(tmp_path, damage)


def test_a_single_array_is_no_archive(tmp_path: Path) -> None:
    def damage(folder: Path) -> None:
        np.save(folder / "weights.npy", np.arange(3))
        os.replace(folder / "weights.npy", folder / "weights.npz")

    assert "it is no npz archive" in damaged(tmp_path, damage)


def test_enormous_files_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "MAX_ARRAY_BYTES", 100)
    assert "more than 100" in damaged(tmp_path, lambda folder: None)
    monkeypatch.setattr(storage, "MAX_JSON_BYTES", 10)
    assert "more than 10" in damaged(tmp_path, lambda folder: None)


def test_a_header_that_promises_too_much(tmp_path: Path) -> None:
    """An array header may ask for more memory than there is."""
    buffer = io.BytesIO()
    header = {"descr": "<i8", "fortran_order": False, "shape": (1 << 55,)}
    np.lib.format.write_array_header_1_0(buffer, header)
    damage = archive(**{"a.npy": buffer.getvalue()})
    assert "weights.npz cannot be read: " in damaged(tmp_path, damage)


@pytest.mark.parametrize("seed", range(4))
def test_any_flipped_byte_is_refused(seed: int, tmp_path: Path) -> None:
    """Or harmless: a few bytes of an archive mean nothing."""
    rng = np.random.default_rng(seed)
    save(small(), tmp_path)
    for name in ("program.json", "weights.npz"):
        good = (tmp_path / name).read_bytes()
        for position in rng.integers(0, len(good), 60):
            bad = bytearray(good)
            bad[position] ^= 1 << rng.integers(0, 8)
            (tmp_path / name).write_bytes(bad)
            try:
                assert load(tmp_path) == small()
            except UserError:
                continue
        (tmp_path / name).write_bytes(good)
