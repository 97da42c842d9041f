"""Trees that are hashed well and yet make no program: each is refused by what is wrong with it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from programs import small
from sylvan.model.builder import Builder
from sylvan.model.encoding import digest
from sylvan.model.errors import UserError
from sylvan.model.numbers import Format
from sylvan.model.program import Program, SymbolInput
from sylvan.model.storage import load, save

Tree = dict[str, Any]
Arrays = dict[str, np.ndarray]


def forge(
    change: Callable[[Tree, Arrays], Any], folder: Path, program: Program | None = None
) -> None:
    """What somebody would write who knows how to hash."""
    save(program or small(), folder)
    tree = json.loads((folder / "program.json").read_text())
    with np.load(folder / "weights.npz") as stored:
        arrays = dict(stored)
    change(tree, arrays)
    metadata = tree.pop("metadata")
    del tree["sha256"]
    tree |= {"sha256": digest(tree, arrays), "metadata": metadata}
    (folder / "program.json").write_text(json.dumps(tree))
    np.savez(folder / "weights.npz", **arrays)


def node(tree: Tree, name: str) -> Tree:
    bodies = [layer["body"] for layer in tree["layers"]] + [tree["readout"]["body"]]
    return next(n for body in bodies for n in body if n["result"]["name"] == name)


def state(tree: Tree) -> Tree:
    return tree["layers"][0]["states"][0]


def put(value: Any, *path: Any) -> Callable[[Tree, Arrays], None]:
    """Set a member of the tree; the first step of a path may be a node's or `state`'s name."""

    def change(tree: Tree, arrays: Arrays) -> None:
        item: Any = tree
        first, *rest = path
        if first == "state":
            item = state(tree)
        elif first in ("mixed", "half", "seen", "total", "new", "label"):
            item = node(tree, first)
        else:
            rest = [first, *rest]
        for step in rest[:-1]:
            item = item[step]
        if value is ...:
            del item[rest[-1]]
        else:
            item[rest[-1]] = value

    return change


def weights(value: Any, name: str) -> Callable[[Tree, Arrays], None]:
    def change(tree: Tree, arrays: Arrays) -> None:
        assert name in arrays
        arrays[name] = np.array(value)

    return change


def test_forging_changes_nothing_by_itself(tmp_path: Path) -> None:
    forge(lambda tree, arrays: None, tmp_path)
    assert load(tmp_path) == small()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # Shapes of the tree.
        (put(..., "layers"), "the program lacks layers"),
        (put(1, "author"), "the program has unknown members: author"),
        (put([], "layers"), "label: unknown operand 'new'; known: input"),
        (put({}, "layers"), "layers must be a list, got {}"),
        (put([3], "layers"), "layer 0 must be an object, got 3"),
        (put("x", "readout"), "readout must be an object, got 'x'"),
        (put(..., "readout", "unit"), "readout lacks unit"),
        (put(..., "layers", 0, "body"), "layer 0 lacks body"),
        (put("a" * 500, "layers", 0, "body"), "body of loop must be a list, got 'aaaaa"),
        (put(7, "layers", 0, "name"), "layer 0 must be a string, got 7"),
        (put("Loop", "layers", 0, "name"), "'Loop' is no name: use lower-case letters"),
        (put("../loop", "layers", 0, "name"), "'../loop' is no name"),
        (put("new", "layers", 0, "name"), "the name 'new' is used twice"),
        (put("nowhere", "layers", 0, "output"), "loop: unknown output 'nowhere'; known: input,"),
        (put(["new"], "layers", 0, "output"), "loop: unknown output ['new']"),
        (put("total", "readout", "output"), "readout: unknown output 'total'; known: new"),
        (put(1.0, "period"), "period must be an integer, got 1.0"),
        (put(0, "period"), "period must be at least 1, got 0"),
        (put(2, "period"), "hidden needs 2 positive units, got (0.25,)"),
        (put("never", "readout", "read"), "must read one of ('every', 'last'), or a list of"),
        (put(None, "readout", "read"), "readout must be a string, got None"),
        (put([0], "readout", "read"), "readout lacks states"),
        (put([], "readout", "states"), "readout has unknown members: states"),
        (put([], "readout", "unit"), "the readout needs 1 positive units, got ()"),
        (put([-1.0], "readout", "unit"), "the readout needs 1 positive units, got (-1.0,)"),
        (put(["1"], "readout", "unit"), "unit of the readout needs 1 finite numbers, got ('1',)"),
        (put([True], "readout", "unit"), "unit of the readout needs 1 finite numbers, got (True,)"),
        (put(10**4000, "period"), "000 positive units, got (0.25,)"),
        # The input.
        (put("words", "input", "kind"), "input: unknown kind of input 'words'; known:"),
        (put("symbol", "input", "kind"), "input lacks symbols"),
        (put(..., "input", "kind"), "input lacks kind"),
        (put({"kind": "symbol", "symbols": 0}, "input"), "input: an input needs at least 1 symbol"),
        (put(0, "input", "size"), "input: an input needs at least 1 element, got 0"),
        (put(True, "input", "size"), "input: size must be an integer, got True"),
        (put([0.5], "input", "scale"), "input: input scale needs 2 finite numbers, got (0.5,)"),
        (put([0.5, "nan"], "input", "scale"), "input scale needs 2 finite numbers, got (0.5"),
        (put([0.5, 0.0], "input", "scale"), "input scale must not be zero, got (0.5, 0.0)"),
        (put([10**400, 1], "input", "scale"), "input scale needs 2 finite numbers, got (1000"),
        (put([0, 1], "input", "format"), "input: format: a format is [lo, hi, exp], got [0, 1]"),
        (put([2, 1, 0], "input", "format"), "input: format: Format needs lo <= hi, got [2, 1]"),
        (put([0, 1, 1 << 40], "input", "format"), "Format.exp must lie within +-1024, got"),
        (put([0, 1 << 62, 0], "input", "format"), "input could exceed 62 bits"),
        (put([0, 1.5, 0], "input", "format"), "input: format must be an integer, got 1.5"),
        (put("abc", "input", "format"), "input: format must be a list, got 'abc'"),
        # Nodes.
        (put("explode", "seen", "operation"), "seen: unknown operation 'explode'; known: add, "),
        (put(None, "seen", "operation"), "seen: unknown operation None"),
        (put("neg", "seen", "operation"), "seen has unknown members: matrix"),
        (put({}, "seen", "constants"), "seen lacks matrix"),
        (put([], "seen", "constants"), "seen must be an object, got []"),
        (put(1, "seen", "constants", "color"), "seen has unknown members: color"),
        (put("magic", "seen", "constants", "matrix", "kind"),
         "seen: matrix: unknown kind of matrix 'magic'; known: hadamard, dense"),
        (put(..., "seen", "constants", "matrix", "kind"), "seen: matrix lacks kind"),
        (put(3, "seen", "constants", "matrix"), "seen: matrix must be an object, got 3"),
        (put([[1]], "seen", "constants", "matrix", "weights"),
         "seen: matrix: weights must be an object, got [[1]]"),
        (put({"array": "absent"}, "seen", "constants", "matrix", "weights"),
         "seen: matrix: weights: unknown array 'absent'; known: "),
        (put({"file": "/etc/passwd"}, "seen", "constants", "matrix", "weights"),
         "seen: matrix: weights lacks array"),
        (put(3, "mixed", "constants", "matrix", "block"),
         "mixed: matrix: block must be a power of two, got 3"),
        (put(8, "mixed", "constants", "matrix", "block"),
         "mixed: matrix: 4 signs are no multiple of the block 8"),
        (put([1 << 70], "half", "constants", "shifts"), "half: Format.exp must lie within +-1024"),
        (put([], "half", "constants", "shifts"), "half: exponent needs at least one shift"),
        (put([0.5], "half", "constants", "shifts"), "half: shifts must be an integer, got 0.5"),
        (put([0, 1], "half", "constants", "shifts"), "half has constants for 2 phases"),
        (put("up", "new", "constants", "rounding"), "new: rounding: unknown rounding 'up'; known:"),
        (put("explode", "new", "constants", "overflow"), "new: overflow: unknown overflow"),
        (put([-128, 127], "new", "constants", "target"), "new: target: a format is [lo, hi,"),
        (put(["absent"], "seen", "operands"), "seen: unknown operand 'absent'; known: input,"),
        (put(["new"], "seen", "operands"), "seen: unknown operand 'new'"),  # not defined yet
        (put([["input"]], "seen", "operands"), "seen: unknown operand ['input']"),
        (put([], "seen", "operands"), "seen: matvec takes 1 operands, got 0"),
        (put("input", "seen", "operands"), "operands of seen must be a list, got 'input'"),
        (put(["hidden"], "seen", "operands"), "seen: the matrix has 2 columns, hidden has 4"),
        (put(5, "seen", "result", "size"), "seen is 4 of Format(lo="),
        (put("4", "seen", "result", "size"), "seen must be an integer, got '4'"),
        (put([0, 1, 0], "seen", "result", "format"), "declared as 4 of Format(lo=0, hi=1, exp=0)"),
        # States.
        (put("absent", "state", "next"), "'absent' is not defined there; known: input, hidden"),
        (put("seen", "state", "next"), "state hidden is 4 of Format(lo=-128, hi=127, exp=-3)"),
        (put(3, "state", "size"), "state hidden has 3 elements, but starts with 4"),
        (put([0, 7, -3], "state", "format"), "state hidden starts with -1, outside its [0, 7]"),
        (put([1, 0, 0, -1], "state", "initial"), "hidden must be an object, got [1, 0, 0, -1]"),
        (put(0.25, "state", "unit"), "unit of hidden must be a list, got 0.25"),
        (put([0.0], "state", "unit"), "hidden needs 1 positive units, got (0.0,)"),
        # Arrays.
        (weights([1, -1, 2, 1], "mixed.matrix.signs"), "mixed: matrix: signs must be +1 or -1"),
        (weights([[1]], "mixed.matrix.signs"), "mixed: matrix: signs must be a non-empty integer"),
        (weights([[1 << 62]] * 4, "seen.matrix.weights"), "seen: matrix: weights must stay below"),
        (weights([[1 << 61] * 2] * 4, "seen.matrix.weights"), "seen: matrix: the weights of a row"),
        (weights([[1 << 59] * 2] * 4, "seen.matrix.weights"), "seen is 4 of Format(lo=-9223372"),
        (weights([[1, 2]], "seen.matrix.weights"), "seen is 1 of Format(lo="),
        (weights([0, 0, 0, 999], "hidden.initial"), "hidden starts with 999, outside its"),
        (weights([], "hidden.initial"), "64-bit integers only, but hidden.initial is float64"),
        (lambda tree, arrays: arrays.pop("hidden.initial"), "hidden: unknown array 'hidden.in"),
        # Harmless, but it would be another program's file if saved again.
        (lambda tree, arrays: arrays.update(more=np.arange(3)), "or has unused arrays"),
        (put([1], "readout", "unit"), "it is not written the way Sylvan writes it"),
    ],
)  # fmt: skip
def test_refused_trees(change: Callable[[Tree, Arrays], Any], message: str, tmp_path: Path) -> None:
    forge(change, tmp_path)
    with pytest.raises(UserError) as caught:
        load(tmp_path)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert len(str(caught.value)) < 600


def summed() -> Program:
    """The input's symbols at timesteps 1 and 3, summed."""
    b = Builder(SymbolInput(3))
    b.layer("passing", b.input)
    total = b.state("sum", 1, Format(0, 4))
    new = b.narrow(b.add(total, b.input), Format(0, 4), name="new")
    b.write(total, new)
    return b.program(new, (1, 3))


def put_sum(value: Any, name: str) -> Callable[[Tree, Arrays], None]:
    return put(value, "readout", "states", 0, name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put(..., "readout", "states"), "readout lacks states"),
        (put("last", "readout", "read"), "readout has unknown members: states"),
        (put(None, "readout", "read"), "readout has unknown members: states"),
        (put({"at": 1}, "readout", "read"), "readout has unknown members: states"),
        (put([], "readout", "read"), "timesteps of the readout must be at least one"),
        (put([3, 1], "readout", "read"), "must increase from 0 or more, 1 does not"),
        (put([1, 1], "readout", "read"), "must increase from 0 or more, 1 does not"),
        (put([-1, 1], "readout", "read"), "must increase from 0 or more, -1 does not"),
        (put([1.0, 3], "readout", "read"), "timesteps of the readout must be an integer, got 1.0"),
        (put([True, 3], "readout", "read"), "timesteps of the readout must be an integer, got Tru"),
        (put(["1", 3], "readout", "read"), "timesteps of the readout must be an integer, got '1'"),
        (put([1], "readout", "read"), "sum needs 1 positive units, got (1.0, 1.0)"),
        (put([1.0], "readout", "unit"), "the readout needs 2 positive units, got (1.0,)"),
        (put({}, "readout", "states"), "states of the readout must be a list, got {}"),
        (put([], "readout", "states"), "add0: unknown operand 'sum'; known: input"),
        (put_sum([1.0], "unit"), "sum needs 2 positive units, got (1.0,)"),
        (put_sum("absent", "next"), "'absent' is not defined there; known: input, sum, add0, new"),
        (put_sum("add0", "next"), "state sum is 1 of Format(lo=0, hi=4, exp=0) but add0 is 1 of"),
        (put_sum("input", "name"), "add0: unknown operand 'sum'"),
        (put([1, 2, 0], "readout", "read"), "must increase from 0 or more, 0 does not"),
    ],
)  # fmt: skip
def test_refused_readouts_at_timesteps(
    change: Callable[[Tree, Arrays], Any], message: str, tmp_path: Path
) -> None:
    forge(lambda tree, arrays: None, tmp_path, summed())
    assert load(tmp_path) == summed()
    forge(change, tmp_path, summed())
    with pytest.raises(UserError) as caught:
        load(tmp_path)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 600
