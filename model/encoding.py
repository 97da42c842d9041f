"""Programs as data: a JSON tree and named arrays, and back with every field checked.

A tree holds objects, lists, strings, integers and finite floats; an array stands in it as
`{"array": name}`. Equal programs give equal trees, so that a hash over both names the content.
"""

import dataclasses
import hashlib
import json
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

from .arrays import Array
from .errors import shortened
from .matrices import Matrix
from .numbers import Format
from .operations import Operation, Value
from .program import Layer, Node, NumericInput, Program, Read, Readout, State, SymbolInput

VERSION = 1
INPUTS: dict[str, type[NumericInput] | type[SymbolInput]] = {
    "numeric": NumericInput,
    "symbol": SymbolInput,
}


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

    kind = {"kind": next(k for k, cls in INPUTS.items() if isinstance(program.input, cls))}
    timesteps = program.readout.timesteps
    tree: dict[str, Any] = {
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
            "read": list(timesteps) or program.readout.read,
            "body": [node(n) for n in program.readout.body],
            "output": program.readout.output.name,
            "unit": list(program.readout.unit),
        },
    }
    if timesteps:
        tree["readout"]["states"] = [state(s) for s in program.readout.states]
    return tree, arrays


def decode(tree: Any, arrays: Mapping[str, Array], metadata: dict[str, Any]) -> Program:
    """The program of `encode`'s tree and arrays.

    Raises ValueError, saying where, for anything that is no such tree.
    """
    top = _members(tree, "the program", "version", "period", "input", "layers", "readout")
    reader = _Reader(arrays)
    given = dict(_members(top["input"], "input", "kind", ...))
    kind = _known(INPUTS, given.pop("kind"), "input", "kind of input")
    source = reader.constants(kind, given, "input")
    handed_on = source.value
    layers = []
    for k, entry in enumerate(_list(top["layers"], "layers")):
        where = f"layer {k}"
        item = _members(entry, where, "name", "states", "body", "output")
        name = _text(item["name"], where)
        states = tuple(reader.state(s) for s in _list(item["states"], f"states of {name}"))
        scope = {handed_on.name: handed_on} | {s.value.name: s.value for s in states}
        body = reader.body(item["body"], scope, f"body of {name}")
        output = _known(scope, item["output"], name, "output")
        layers.append(Layer(name, handed_on, states, body, output))
        handed_on = output
    read = _members(top["readout"], "readout", "read", ...)["read"]
    # Only a readout at a list of timesteps has states.
    listed = ["states"] if isinstance(read, list) else []
    end = _members(top["readout"], "readout", "read", *listed, "body", "output", "unit")
    states = tuple(reader.state(s) for s in _list(end.get("states", []), "states of the readout"))
    scope = {handed_on.name: handed_on} | {s.value.name: s.value for s in states}
    body = reader.body(end["body"], scope, "body of the readout")
    output = _known(scope, end["output"], "readout", "output")
    unit = tuple(_list(end["unit"], "unit of the readout"))
    when: Read = _text(read, "readout") if not listed else tuple(read)
    readout = Readout(when, handed_on, body, output, unit, states)
    return Program(_integer(top["period"], "period"), source, tuple(layers), readout, metadata)


class _Reader:
    """Turns parts of a tree into the values, operations and states that they describe."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays

    def constants(self, kind: Any, given: Any, where: str) -> Any:
        """An instance of the dataclass `kind` from an object with exactly its fields."""
        hints = typing.get_type_hints(kind)
        names = [f.name for f in dataclasses.fields(kind)]
        checked = _members(given, where, *names)
        parts = {
            name: self._constant(hints[name], checked[name], f"{where}: {name}") for name in names
        }
        try:
            return kind(**parts)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None

    def _constant(self, hint: Any, item: Any, where: str) -> Any:
        if hint == Array:
            name = _members(item, where, "array")["array"]
            return _known(self._arrays, name, where, "array")
        if hint is Format:
            return self._format(item, where)
        if hint is Matrix:
            given = dict(_members(item, where, "kind", ...))
            kind = _known(Matrix.registry, given.pop("kind"), where, "kind of matrix")
            return self.constants(kind, given, where)
        if typing.get_origin(hint) is tuple:
            entry = typing.get_args(hint)[0]
            return tuple(self._constant(entry, part, where) for part in _list(item, where))
        if isinstance(hint, type) and issubclass(hint, Enum):
            choices = {member.value: member for member in hint}
            return _known(choices, item, where, hint.__name__.lower())
        # Numbers that may be fractions are checked by what they are constants of.
        return _integer(item, where) if hint is int else item

    def _format(self, item: Any, where: str) -> Format:
        bounds = [_integer(bound, where) for bound in _list(item, where)]
        if len(bounds) != 3:
            raise ValueError(f"{where}: a format is [lo, hi, exp], got {_quote(item)}")
        try:
            return Format(*bounds)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None

    def _value(self, item: Mapping[str, Any]) -> Value:
        name = _text(item["name"], "name")
        return Value(name, _integer(item["size"], name), self._format(item["format"], name))

    def state(self, entry: Any) -> State:
        """A state from its object."""
        item = _members(entry, "state", "name", "size", "format", "initial", "next", "unit")
        value = self._value(item)
        initial = self._constant(Array, item["initial"], value.name)
        unit = tuple(_list(item["unit"], f"unit of {value.name}"))
        return State(value, initial, _text(item["next"], value.name), unit)

    def body(self, items: Any, scope: dict[str, Value], where: str) -> tuple[Node, ...]:
        """The nodes of a body; their results join `scope`."""
        nodes = []
        for entry in _list(items, where):
            item = _members(entry, where, "result", "operation", "operands", "constants")
            result = self._value(_members(item["result"], where, "name", "size", "format"))
            name = result.name
            kind = _known(Operation.registry, item["operation"], name, "operation")
            operation = self.constants(kind, item["constants"], name)
            operands = tuple(
                _known(scope, operand, name, "operand")
                for operand in _list(item["operands"], f"operands of {name}")
            )
            nodes.append(Node(result, operation, operands))
            scope[name] = result
        return tuple(nodes)


def _quote(item: Any) -> str:
    return shortened(repr(item))


def _members(item: Any, where: str, *names: Any) -> Mapping[str, Any]:
    """`item`, if it is an object with these members only; `...` allows others."""
    if not isinstance(item, dict):
        raise ValueError(f"{where} must be an object, got {_quote(item)}")
    wanted = [name for name in names if name is not ...]
    missing = [name for name in wanted if name not in item]
    unknown = [] if ... in names else [name for name in item if name not in wanted]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    if unknown:
        raise ValueError(f"{where} has unknown members: {shortened(', '.join(unknown))}")
    return item


def _list(item: Any, where: str) -> list[Any]:
    if not isinstance(item, list):
        raise ValueError(f"{where} must be a list, got {_quote(item)}")
    return item


def _text(item: Any, where: str) -> str:
    if not isinstance(item, str):
        raise ValueError(f"{where} must be a string, got {_quote(item)}")
    return item


def _integer(item: Any, where: str) -> int:
    if type(item) is not int:
        raise ValueError(f"{where} must be an integer, got {_quote(item)}")
    return item


def _known(choices: Mapping[str, Any], name: Any, where: str, what: str) -> Any:
    if not isinstance(name, str) or name not in choices:
        listing = shortened(", ".join(choices))
        raise ValueError(f"{where}: unknown {what} {_quote(name)}; known: {listing}")
    return choices[name]


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
