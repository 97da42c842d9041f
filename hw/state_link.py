"""Where a core meets the state port."""

from collections.abc import Sequence

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .beats import Tag
from .kept import MemoryPlan
from .layer import LayerPlan
from .operators.elements import ElementPort

KNOWN = "fresh", "phase", "side"
TOLD = "context", "set", "set_fresh", "set_phase"
"""Members of ContextState that a core says, and those that the state port does."""


class ContextState(wiring.Signature):
    """What is known of a context's state apart from its vectors, read and set by the state port.

    Members: context, Out; fresh, phase, In: of that context; side, In(1): which of two vectors its
        next timestep reads; set, Out(1): fresh and phase become set_fresh and set_phase, Out.
    """

    def __init__(self, tag: Tag) -> None:
        context, phase = range(max(tag.contexts, 2)), range(max(tag.period, 2))
        known = {"fresh": In(1), "phase": In(phase), "side": In(1)}
        changed = {"set": Out(1), "set_fresh": Out(1), "set_phase": Out(phase)}
        super().__init__({"context": Out(context), **known, **changed})


class StateLink(wiring.Signature):
    """Between the state port and one core.

    Members: collected, In(1): a timestep is there and has not fired; fires, In(1): one does;
        own, Out(ContextState); element<k>, Out(ElementPort): of the memory of the layer's state k.
    """

    def __init__(self, plan: LayerPlan) -> None:
        elements = {k: Out(port) for k, port in element_ports(plan.state_memories).items()}
        told = {"collected": In(1), "fires": In(1)}
        super().__init__({**told, "own": Out(ContextState(plan.tag)), **elements})


def element_ports(memories: Sequence[MemoryPlan]) -> dict[str, ElementPort]:
    """The ports of memories, in their order."""
    return {f"element{k}": memory.element_port for k, memory in enumerate(memories)}
