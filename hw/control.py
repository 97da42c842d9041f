"""What a core is made of around its operators: borders, sequencer, strobes."""

from itertools import pairwise

from .border import Transfer, fifo_depth
from .kept import MemoryPlan
from .layer import LayerPlan
from .operators.addresses import addresses_cost
from .operators.base import Cost, counter_cost, strobe_cost
from .timetable import Timetable


def control_cost(plan: LayerPlan) -> Cost:
    """Cost of all that is in a core and not in `plan.cost`."""
    pace = plan.pace
    strobes = _strobes(plan.step, plan.moments, pace.interval)
    if plan.readout:
        strobes += _strobes(plan.readout, set(), pace.closing_interval)
        strobes.append((plan.readout_begins, pace.closing_interval))
    if plan.tag.contexts > 1:
        strobes.append((max(pace.rest - 3, 0), pace.interval))
    delays = (strobe_cost(*strobe, plan.tag) for strobe in strobes)
    borders = _answering(plan) if plan.readout else Cost()
    if plan.received:
        borders += _receiving(plan, plan.received)
    return sum(delays, _collecting(plan) + _firing(plan) + borders)


def _strobes(table: Timetable, told: set[int], interval: int) -> list[tuple[int, int]]:
    """Delay and interval of each strobe that is made from the one before."""
    begins = {part.begins for part in table.parts if not part.operands}
    moments = sorted({0} | begins | told)
    return [(late - early, interval) for early, late in pairwise(moments)]


def _collecting(plan: LayerPlan) -> Cost:
    """A register of the input and its flags; contexts wait in three more, two of which choose."""
    port, contexts = plan.input_port, plan.tag.contexts
    bits = port.transfers * port.transfer_bits + plan.tag.size
    count = counter_cost(port.transfers) if port.transfers > 1 else Cost()
    if contexts == 1:
        return count + Cost(register_bits=bits, waiting_bits=bits)
    resting = Cost(logic_bits=3 * contexts, register_bits=contexts)
    return count + resting + Cost(0, 0, bits, 4 * bits, waiting_bits=3 * bits)


def _firing(plan: LayerPlan) -> Cost:
    """Counters of what to wait for and of the room for answers; each context's next phase."""
    tag, pace = plan.tag, plan.pace
    kept = tag.contexts * (1 + (tag.period - 1).bit_length())
    flags = Cost(logic_bits=2 * kept, register_bits=kept + tag.size, waiting_bits=tag.size)
    return counter_cost(pace.closing_interval) + counter_cost(plan.answers + 1) + flags


def _answering(plan: LayerPlan) -> Cost:
    """The queue of answers, and registers of the one that enters and the one that leaves."""
    word = Transfer(plan.output_port.element_bits, plan.tag).size
    depth = fifo_depth(plan.queue_depth)
    queue = Cost(register_bits=2 * word, waiting_bits=2 * word)
    if depth > 1:
        queue += counter_cost(depth) + counter_cost(depth) + Cost(memories=((word, depth - 1),))
    return queue + counter_cost(plan.output_port.transfers) + addresses_cost(plan.answer.pattern)


def _receiving(plan: LayerPlan, received: MemoryPlan) -> Cost:
    """The queue of flags, and who is at which slot of the memory between layers."""
    flags, slots = Transfer(0, plan.tag).size, received.tag.kept
    depth = fifo_depth(slots)
    queue = counter_cost(depth) + counter_cost(depth) + Cost(memories=((flags, depth - 1),))
    queue += Cost(register_bits=flags, waiting_bits=flags)
    strobes = [
        strobe_cost(received.component(0).latency(part.pattern), part.interval, plan.tag)
        for part in received.step_readers
    ]
    turns = (counter_cost(slots) for _ in range(1 + len(received.step_readers)))
    return sum([*strobes, *turns], queue)
