"""What training, export and scoring ask of a network, whatever its cell.

A family's layer gives the recurrence and the readout; sequences, streams and symbols are
handled here, once.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from .arrays import Array
from .program import READS
from .quantize import symmetric, symmetric_integers

State = tuple[Tensor, ...]
"""What a recurrence carries from one timestep to the next, each tensor with the batch first."""

EMBEDDING_BITS = 8


class Recurrent(nn.Module, ABC):
    """A recurrent layer with its readout.

    Parameters:
        inputs: elements of the input vector, or number of symbols.
        hidden: units. outputs: logits, or numbers.
        symbols: inputs are integers (batch, T) instead of numbers (batch, T, inputs).
        silent: a symbol that injects nothing: the recurrence runs by itself while it is read.
        read: "last" answers (batch, outputs), "every" (batch, T, outputs).
        embedding: elements of the trained vector that stands for a symbol, of `EMBEDDING_BITS`
            bits; None: symbols are one-hot.

    Subclasses give `begin`, `walk` and `readout`, and may give `final` a faster form, and `seen`
    where a readout does not multiply the state itself. They call `inject` for what the input adds,
    and name the readout's parameters `output_weights` and `output_bias`.

    Attributes: of_readout, options that concern the readout alone.
    """

    of_readout: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        *,
        symbols: bool = False,
        silent: int | None = None,
        read: str = "last",
        embedding: int | None = None,
    ) -> None:
        super().__init__()
        sizes = {"inputs": inputs, "hidden": hidden, "outputs": outputs}
        if embedding is not None:
            sizes["embedding"] = embedding
        for name, size in sizes.items():
            if type(size) is not int or size < 1:
                raise ValueError(f"{name} must be a whole number >= 1, got {size!r}")
        require("read", read, READS)
        if silent is not None and not (symbols and 0 <= silent < inputs):
            raise ValueError(f"silent must be one of the {inputs} symbols of the input: {silent!r}")
        if embedding is not None and not symbols:
            raise ValueError("an embedding stands for symbols, this input is a vector of numbers")
        self.inputs, self.hidden, self.outputs = inputs, hidden, outputs
        self.symbols, self.silent, self.read = symbols, silent, read
        self.features = inputs if embedding is None else embedding
        """Columns of the input matrix."""
        self.embedding: nn.Parameter | None = None
        if embedding is not None:
            self.embedding = nn.Parameter(torch.empty(inputs, embedding))

    @abstractmethod
    def begin(self, batch: int) -> State:
        """The state before the first timestep."""

    @abstractmethod
    def walk(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """What the readout sees after each timestep of `x`, (batch, T, hidden), and the state."""

    @abstractmethod
    def readout(self, h: Tensor) -> Tensor:
        """Logits of (..., hidden)."""

    def seen(self, h: Tensor) -> Tensor:
        """What a readout multiplies, and a layer above reads: of (..., hidden)."""
        return h

    def final(self, x: Tensor) -> Tensor:
        """What the readout sees after the last timestep of whole sequences, (batch, hidden)."""
        states, _ = self.walk(x, self.begin(len(x)))
        return states[:, -1]

    def forward(self, x: Tensor) -> Tensor:
        """Answers to whole sequences, at the last timestep or at each."""
        if self.read == "last":
            return self.readout(self.final(x))
        states, _ = self.walk(x, self.begin(len(x)))
        return self.readout(states)

    def follow(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Answers to the next timesteps of streams, and the state to go on from."""
        states, state = self.walk(x, state)
        return self.readout(states), state

    def inject(self, x: Tensor, weights: Tensor) -> Tensor:
        """`weights x_t` for weights (rows, features): (batch, T, rows)."""
        if not self.symbols:
            return functional.linear(x, weights)
        return functional.embedding(x, self.rows(weights))

    def audible(self, weights: Tensor) -> Tensor:
        """`weights` (rows, features), the silent symbol's column zero; an embedding has none."""
        if self.silent is None or self.embedding is not None:
            return weights
        mask = torch.ones_like(weights)
        mask[:, self.silent] = 0
        return weights * mask

    def rows(self, weights: Tensor) -> Tensor:
        """What each symbol adds, (symbols, rows): the columns of `weights`, or of its product."""
        rows = weights.T
        if self.embedding is not None:
            rows = symmetric(self.embedding, EMBEDDING_BITS) @ rows
        if self.silent is None:
            return rows
        audible = torch.ones(self.inputs, 1, dtype=rows.dtype, device=rows.device)
        audible[self.silent] = 0
        return rows * audible

    def integer_embedding(self) -> tuple[Array, float]:
        """The vectors of the symbols as integers (symbols, features), and their real unit."""
        assert self.embedding is not None
        q, unit = symmetric_integers(self.embedding.detach(), EMBEDDING_BITS)
        integers = q.long().cpu().numpy()
        if self.silent is not None:
            integers[self.silent] = 0
        return integers, unit.item()

    def optimizer(self, rate: float) -> Optimizer:
        """What trains the layer; each group of parameters has its largest rate as `peak`."""
        return torch.optim.Adam([{"params": list(self.parameters()), "peak": rate}], lr=rate)

    @torch.no_grad()
    def scale_answers(self, factor: float) -> None:
        """Multiply every answer; a power of two moves no quantized integer."""
        for name in ("output_weights", "output_bias"):
            self.get_parameter(name).mul_(factor)

    @torch.no_grad()
    def scale_inputs(self, factor: float) -> None:
        """Take inputs that are smaller by a factor; no quantized integer moves."""
        self.get_parameter("input_weights").mul_(factor)

    def check_stacked(self) -> None:
        """Raises ValueError for a layer that cannot hand on to one above, or read one below."""

    def check(self) -> None:
        """Raises ValueError for loaded tensors of the right shapes that are no such layer."""


def require(name: str, value: Any, known: tuple[Any, ...]) -> None:
    """Raises ValueError unless the parameter `name` is one of the known choices."""
    if value not in known:
        raise ValueError(f"{name} must be one of {known}, got {value!r}")


def xavier(random: torch.Generator, *shape: int) -> nn.Parameter:
    """A trainable matrix, Xavier-uniform."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(shape), generator=random))
