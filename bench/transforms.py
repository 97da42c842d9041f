"""The Hadamard matrix as Verilog in one cycle, three ways that are not this project's own.

A module `transform` takes n signed words of the state in one flat vector, the first word lowest,
and gives n that are log2 n bits wider.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sylvan.model.matrices import sylvester
from sylvan.model.numbers import Format


def wires(count: int, bits: int, flat: str, name: str) -> Iterator[str]:
    """The words of a flat vector, lowest first, as signed wires `name`0, `name`1, ..."""
    for k in range(count):
        yield f"  wire signed [{bits - 1}:0] {name}{k} = {flat}[{bits * k} +: {bits}];"


def header(n: int, bits: int) -> str:
    """The first line of the module."""
    out = bits + n.bit_length() - 1
    return f"module transform(input [{n * bits - 1}:0] s, output [{n * out - 1}:0] t);"


def joined(names: list[str]) -> str:
    """Words as one flat vector."""
    return f"{{{', '.join(reversed(names))}}}"


def naive(n: int, bits: int) -> str:
    """Each element the sum of its row, as one expression: what is shared is left to the tools."""
    out = bits + n.bit_length() - 1
    lines = [header(n, bits), *wires(n, bits, "s", "s")]
    for i, row in enumerate(sylvester(n).tolist()):
        terms = " ".join(f"{'+' if sign > 0 else '-'} s{j}" for j, sign in enumerate(row))
        lines.append(f"  wire signed [{out - 1}:0] t{i} = {terms.removeprefix('+ ')};")
    return "\n".join([*lines, f"  assign t = {joined([f't{i}' for i in range(n)])};", "endmodule"])


def butterfly(n: int, bits: int) -> str:
    """The fast transform: log2 n stages of n additions, each stage a bit wider."""
    stages = n.bit_length() - 1
    lines = [header(n, bits), *wires(n, bits, "s", "b0_")]
    for stage in range(stages):
        for i in range(n):
            low, high = i & ~(1 << stage), i | 1 << stage
            sign = "-" if i == high else "+"
            lines.append(
                f"  wire signed [{bits + stage}:0] b{stage + 1}_{i} = "
                f"b{stage}_{low} {sign} b{stage}_{high};"
            )
    last = joined([f"b{stages}_{i}" for i in range(n)])
    return "\n".join([*lines, f"  assign t = {last};", "endmodule"])


def da4ml(n: int, bits: int) -> str:
    """What da4ml generates for the matrix product, its default search, all in one cycle."""
    from da4ml.codegen import RTLModel
    from da4ml.trace import FixedVariableArray, comb_trace

    half = float(1 << bits - 1)
    taken = FixedVariableArray.from_lhs(np.full(n, -half), np.full(n, half - 1), np.ones(n))
    logic = comb_trace(taken, taken @ sylvester(n).T.astype(np.float32))
    out = bits + n.bit_length() - 1
    ends = [Format(int(q.min), int(q.max)) for q in logic.out_qint]
    assert all(q.step == 1 for q in logic.out_qint) and all(e.width <= out for e in ends)
    with tempfile.TemporaryDirectory(prefix="sylvan-da4ml-") as folder:
        RTLModel(logic, "graph", folder, "verilog").write()
        files = [Path(folder, "src", "graph.v"), *Path(folder, "src", "static").glob("*.v")]
        kept = [text for text in (f.read_text() for f in sorted(files)) if "readmemh" not in text]
    # Its words are as wide as their intervals, ours all alike.
    at = np.cumsum([0] + [e.width for e in ends]).tolist()
    words = [f"$signed(found[{at[i]} +: {e.width}])" for i, e in enumerate(ends)]
    lines = [header(n, bits), f"  wire [{at[-1] - 1}:0] found;", "  graph graph(s, found);"]
    lines += [f"  wire signed [{out - 1}:0] t{i} = {word};" for i, word in enumerate(words)]
    lines += [f"  assign t = {joined([f't{i}' for i in range(n)])};", "endmodule"]
    return "\n".join([*kept, *lines])


TRANSFORMS: dict[str, Callable[[int, int], str]] = {
    "naive": naive,
    "butterfly": butterfly,
    "da4ml": da4ml,
}
