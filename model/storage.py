"""Programs as files: a folder with `program.json` (canonical JSON) and `weights.npz`.

Data only: arrays are read without pickles and every field is checked against the operation it
belongs to. `sha256` covers the JSON without `metadata` and the arrays as little-endian bytes.
"""

import dataclasses
import hashlib
import json
import os
import tempfile
import typing
import zipfile
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import Array
from .errors import UserError
from .matrices import Matrix
from .numbers import Format
from .operations import Operation, Value
from .program import Layer, Node, NumericInput, Program, Readout, State, SymbolInput

VERSION = 1
JSON_FILE = "program.json"
ARRAY_FILE = "weights.npz"
MAX_JSON_BYTES = 64 << 20


def encode(program: Program) -> tuple[dict[str, Any], dict[str, Array]]:
    """The program as a JSON tree (without its hash) and the arrays that the tree names."""
    arrays: dict[str, Array] = {}

    def plain(item: Any, path: str) -> Any:
        match item:
            case np.ndarray():
                arrays[path] = item.astype("<i8")
                return {"array": path}
            case Enum():
                return item.value
            case Format():
                return [item.lo, item.hi, item.exp]
            case tuple():
                return [plain(entry, f"{path}.{k}") for k, entry in enumerate(item)]
            case Matrix():
                return {"kind": item.kind} | constants(item, path)
            case _:
                return item

    def constants(item: Any, path: str) -> dict[str, Any]:
        return {
            f.name: plain(getattr(item, f.name), f"{path}.{f.name}")
            for f in dataclasses.fields(item)
        }

    def value(v: Value) -> dict[str, Any]:
        return {"name": v.name, "size": v.size, "format": plain(v.format, "")}

    def node(n: Node) -> dict[str, Any]:
        return {
            "result": value(n.result),
            "operation": n.operation.kind,
            "operands": [v.name for v in n.operands],
            "constants": constants(n.operation, n.result.name),
        }

    def state(s: State) -> dict[str, Any]:
        initial = plain(s.initial, f"{s.value.name}.initial")
        return value(s.value) | {"initial": initial, "next": s.next, "unit": list(s.unit)}

    numeric = isinstance(program.input, NumericInput)
    kind = {"kind": "numeric" if numeric else "symbol"}
    tree = {
        "version": VERSION,
        "period": program.period,
        "input": kind | constants(program.input, "input"),
        "layers": [
            {
                "name": layer.name,
                "states": [state(s) for s in layer.states],
                "body": [node(n) for n in layer.body],
                "output": layer.output.name,
            }
            for layer in program.layers
        ],
        "readout": {
            "read": program.readout.read,
            "body": [node(n) for n in program.readout.body],
            "output": program.readout.output.name,
            "unit": list(program.readout.unit),
        },
    }
    return tree, arrays


def decode(tree: dict[str, Any], arrays: dict[str, Array], metadata: dict[str, Any]) -> Program:
    """The program of `encode`'s tree and arrays.

    Raises ValueError, TypeError, KeyError or AttributeError for anything that is no such tree.
    """

    def from_plain(hint: Any, item: Any) -> Any:
        if hint == Array:
            return arrays[item["array"]]
        if hint is Format:
            return Format(*item)
        if typing.get_origin(hint) is tuple:
            return tuple(from_plain(typing.get_args(hint)[0], entry) for entry in item)
        if hint is Matrix:
            matrix = Matrix.registry[item["kind"]]
            return constants(matrix, {k: v for k, v in item.items() if k != "kind"})
        if isinstance(hint, type) and issubclass(hint, Enum):
            return hint(item)
        if hint is float:
            return float(item)
        if type(item) is not hint:
            raise TypeError(f"expected {hint.__name__}, got {item!r}")
        return item

    def constants(kind: Any, given: dict[str, Any]) -> Any:
        hints = typing.get_type_hints(kind)
        names = [f.name for f in dataclasses.fields(kind)]
        if sorted(names) != sorted(given):
            raise ValueError(f"{kind.kind} has constants {names}, the file has {list(given)}")
        return kind(**{name: from_plain(hints[name], given[name]) for name in names})

    def value(item: dict[str, Any]) -> Value:
        return Value(item["name"], from_plain(int, item["size"]), Format(*item["format"]))

    def body(items: list[dict[str, Any]], scope: dict[str, Value]) -> tuple[Node, ...]:
        nodes = []
        for item in items:
            operation = constants(Operation.registry[item["operation"]], item["constants"])
            operands = tuple(scope[name] for name in item["operands"])
            nodes.append(Node(value(item["result"]), operation, operands))
            scope[nodes[-1].result.name] = nodes[-1].result
        return tuple(nodes)

    given = dict(tree["input"])
    kinds: dict[str, Any] = {"numeric": NumericInput, "symbol": SymbolInput}
    source = constants(kinds[given.pop("kind")], given)
    handed_on = source.value
    layers = []
    for item in tree["layers"]:
        states = tuple(
            State(value(s), arrays[s["initial"]["array"]], s["next"], tuple(s["unit"]))
            for s in item["states"]
        )
        scope = {handed_on.name: handed_on} | {s.value.name: s.value for s in states}
        nodes = body(item["body"], scope)
        layers.append(Layer(item["name"], handed_on, states, nodes, scope[item["output"]]))
        handed_on = layers[-1].output
    end, scope = tree["readout"], {handed_on.name: handed_on}
    nodes = body(end["body"], scope)
    readout = Readout(end["read"], handed_on, nodes, scope[end["output"]], tuple(end["unit"]))
    return Program(tree["period"], source, tuple(layers), readout, metadata)


def canonical(tree: Any) -> str:
    """JSON with sorted keys and no spaces to choose: equal trees give equal bytes."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(tree: dict[str, Any], arrays: dict[str, Array]) -> str:
    """SHA-256 of a tree without metadata and hash, then each array by name, shape and bytes."""
    sha = hashlib.sha256(canonical(tree).encode())
    for name in sorted(arrays):
        array = arrays[name].astype("<i8")
        sha.update(canonical([name, list(array.shape)]).encode() + array.tobytes())
    return sha.hexdigest()


def program_hash(program: Program) -> str:
    """The SHA-256 that names the program's content, metadata left out."""
    return digest(*encode(program))


def save(program: Program, folder: Path) -> Path:
    """Write the program; both files appear whole or not at all. Returns the folder."""
    tree, arrays = encode(program)
    stored = tree | {"metadata": program.metadata, "sha256": digest(tree, arrays)}
    text = json.dumps(stored, sort_keys=True, indent=1, allow_nan=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as work:
        np.savez_compressed(Path(work, ARRAY_FILE), **arrays)  # type: ignore[arg-type]
        Path(work, JSON_FILE).write_text(text)
        for name in (ARRAY_FILE, JSON_FILE):
            os.replace(Path(work, name), folder / name)
    return folder


def load(folder: Path) -> Program:
    """Read a program, checking version, hash and every rule that a program obeys.

    Raises:
        UserError: if files are missing, unreadable, of another version, changed since they were
            written, or do not make a program.
    """
    for name in (JSON_FILE, ARRAY_FILE):
        if not (folder / name).is_file():
            raise UserError(f"{folder} is no program: {name} is missing there")
    try:
        if (folder / JSON_FILE).stat().st_size > MAX_JSON_BYTES:
            raise ValueError(f"more than {MAX_JSON_BYTES} bytes")
        stored = json.loads((folder / JSON_FILE).read_text())
        version = stored.pop("version")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{folder / JSON_FILE} is no readable program: {error}") from None
    if version != VERSION:
        raise UserError(
            f"{folder / JSON_FILE} has version {version!r}, this Sylvan reads version {VERSION}"
        )
    try:
        with np.load(folder / ARRAY_FILE, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{folder / ARRAY_FILE} cannot be read: {error}") from None
    tree = stored | {"version": version}
    metadata, expected = tree.pop("metadata", None), tree.pop("sha256", None)
    try:
        got = digest(tree, arrays)
    except (ValueError, TypeError) as error:
        raise UserError(f"{folder} holds arrays that are no integers: {error}") from None
    if got != expected:
        raise UserError(
            f"{folder} was changed after it was written: its content hashes to {got[:12]}, "
            f"program.json says {str(expected)[:12]}"
        )
    try:
        return decode(tree, arrays, dict(metadata or {}))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise UserError(f"{folder / JSON_FILE} does not make a program: {error!r}") from None
