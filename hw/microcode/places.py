"""Where vectors lie in the memory: at multiples of powers of two, where base | index is a place."""

from collections.abc import Iterable


def index_bits(size: int) -> int:
    """Bits of the index of an element."""
    return (size - 1).bit_length()


def aligned(size: int) -> int:
    """The least power of two that holds a vector."""
    return 1 << index_bits(size)


def find_places(sizes: dict[str, int], spans: Iterable[tuple[str, int, int]]) -> dict[str, int]:
    """The lowest places, the largest vectors first; two share one if their spans do not meet."""
    placed: list[tuple[int, int, int, int]] = []
    places: dict[str, int] = {}
    for name, begins, ends in sorted(spans, key=lambda span: (-sizes[span[0]], span)):
        step = aligned(sizes[name])
        base = 0
        while any(
            base < end and start < base + step and begins <= last and first <= ends
            for start, end, first, last in placed
        ):
            base += step
        placed.append((base, base + step, begins, ends))
        places[name] = base
    return places
