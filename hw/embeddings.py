"""Tables of symbols beside what a part holds, because synthesis would take hours to say it.

No schedule makes such a table smaller, so it is judged before any: it is kept in block RAM, and
parts have fewer bits in their look-up tables than there.
"""

from sylvan.model.errors import UserError
from sylvan.model.operations.constants import Lookup
from sylvan.model.program import Node, Program

from .beats import shape_of
from .targets import Target


def table_bits(node: Node) -> int:
    """Bits of the table of a look-up."""
    assert isinstance(node.operation, Lookup)
    return int(node.operation.table.size) * shape_of(node.result.format).width


def check_tables(program: Program, target: Target) -> None:
    """Raises UserError if a symbol's table alone takes more than the part's block RAM."""
    if target.brams is None or target.bram_bits is None:
        return
    held = target.brams * target.bram_bits
    for node in program.nodes():
        if isinstance(node.operation, Lookup) and (bits := table_bits(node)) > held:
            _, symbols, size = node.operation.table.shape
            raise UserError(
                f"{node.result.name}: a table of {symbols:,} symbols with vectors of {size:,} "
                f"takes {bits:,} bits, the block RAM of {target.name} holds {held:,}. Look up on "
                "the host, so that the stream carries the vector (a numeric input), or make the "
                "table smaller: fewer symbols or a shorter vector."
            )
