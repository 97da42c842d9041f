"""Layers of one family, each on what the one below hands on; the last one has the readout."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from .recurrent import Recurrent, State


class Stacked(Recurrent):
    """Several layers as one.

    Parameters: layers, the lowest first; each reads `seen` of the one below it.

    Raises ValueError for layers that do not fit each other, or whose family cannot be stacked.
    """

    def __init__(self, layers: Sequence[Recurrent]) -> None:
        bottom, top = layers[0], layers[-1]
        super().__init__(
            bottom.inputs,
            top.hidden,
            top.outputs,
            symbols=bottom.symbols,
            silent=bottom.silent,
            read=top.read,
        )
        for below, above in pairwise(layers):
            if above.symbols or above.inputs != below.hidden:
                raise ValueError(
                    f"a layer above {below.hidden} units reads as many numbers, not {above.inputs}"
                )
        self.layers = nn.ModuleList(layers)
        for layer in layers:
            layer.check_stacked()
        for layer in self.below:
            # What no answer depends on is not trained.
            layer.get_parameter("output_weights").requires_grad_(False)
            layer.get_parameter("output_bias").requires_grad_(False)

    @property
    def each(self) -> list[Recurrent]:
        """The layers, the lowest first."""
        return [layer for layer in self.layers if isinstance(layer, Recurrent)]

    @property
    def below(self) -> list[Recurrent]:
        """All but the last."""
        return self.each[:-1]

    @property
    def top(self) -> Recurrent:
        """The last one."""
        return self.each[-1]

    def begin(self, batch: int) -> State:
        return tuple(tensor for layer in self.each for tensor in layer.begin(batch))

    def walk(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        ended: list[Tensor] = []
        for layer in self.each:
            count = len(layer.begin(1))
            own, state = state[:count], state[count:]
            h, new = layer.walk(x, own)
            ended += new
            x = layer.seen(h)
        return h, tuple(ended)

    def handed_on(self, x: Tensor) -> Tensor:
        """What the last layer reads of whole sequences."""
        for layer in self.below:
            x = layer.seen(layer.walk(x, layer.begin(len(x)))[0])
        return x

    def final(self, x: Tensor) -> Tensor:
        return self.top.final(self.handed_on(x))

    def forward(self, x: Tensor) -> Tensor:
        answers: Tensor = self.top(self.handed_on(x))
        return answers

    def readout(self, h: Tensor) -> Tensor:
        return self.top.readout(h)

    def optimizer(self, rate: float) -> Optimizer:
        """The family's own, of the parameters of all layers that are trained."""
        optimizer = self.top.optimizer(rate)
        for layer in self.below:
            for group in layer.optimizer(rate).param_groups:
                group["params"] = [p for p in group["params"] if p.requires_grad]
                optimizer.add_param_group(group)
        return optimizer

    @torch.no_grad()
    def scale_answers(self, factor: float) -> None:
        self.top.scale_answers(factor)

    def check(self) -> None:
        for layer in self.each:
            layer.check()
