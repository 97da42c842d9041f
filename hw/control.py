# amaranth: UnusedElaboratable=no
"""What a core is made of around its operators: borders, sequencer, strobes."""

from itertools import pairwise

from .border import Transfer, fifo_depth
from .operators.addresses import addresses_cost
from .operators.base import Cost, strobe_cost
from .plan import Plan
from .state import StatePort
from .timetable import Timetable


def control_cost(plan: Plan) -> Cost:
    """Cost of all that is in a core and not in `plan.cost`."""
    pace = plan.pace
    strobes = _strobes(plan.step, plan.release, pace.interval)
    strobes += _strobes(plan.readout, 0, pace.closing_interval)
    strobes.append((pace.readout_begins, pace.closing_interval))
    if plan.tag.contexts > 1:
        strobes.append((max(pace.rest - 3, 0), pace.interval))
    port = StatePort(plan).cost if plan.schedule.state_port else Cost()
    delays = (strobe_cost(*strobe, plan.tag) for strobe in strobes)
    return sum(delays, port + _collecting(plan) + _firing(plan) + _answering(plan))


def _strobes(table: Timetable, release: int, interval: int) -> list[tuple[int, int]]:
    """Delay and interval of each strobe that is made from the one before."""
    moments = sorted({part.begins for part in table.parts if not part.operands} | {0, release})
    return [(late - early, interval) for early, late in pairwise(moments)]


def _collecting(plan: Plan) -> Cost:
    """A register of the input and its flags; contexts wait in three more, two of which choose."""
    port, contexts = plan.input_port, plan.tag.contexts
    bits = port.transfers * port.per_transfer * port.element_bits + plan.tag.size
    count = _counter(port.transfers) if port.transfers > 1 else Cost()
    if contexts == 1:
        return count + Cost(register_bits=bits, waiting_bits=bits)
    resting = Cost(logic_bits=3 * contexts, register_bits=contexts)
    return count + resting + Cost(0, 0, bits, 4 * bits, waiting_bits=3 * bits)


def _firing(plan: Plan) -> Cost:
    """Counters of what to wait for and of the room for answers; each context's next phase."""
    tag, pace = plan.tag, plan.pace
    kept = tag.contexts * (1 + (tag.period - 1).bit_length())
    flags = Cost(logic_bits=2 * kept, register_bits=kept + tag.size, waiting_bits=tag.size)
    return _counter(pace.closing_interval) + _counter(plan.answers + 1) + flags


def _answering(plan: Plan) -> Cost:
    """The queue of answers, and registers of the one that enters and the one that leaves."""
    word = Transfer(plan.output_port.element_bits, plan.tag).size
    depth = fifo_depth(plan.queue_depth)
    queue = Cost(register_bits=2 * word, waiting_bits=2 * word)
    if depth > 1:
        queue += _counter(depth) + _counter(depth) + Cost(memories=((word, depth - 1),))
    return queue + _counter(plan.output_port.transfers) + addresses_cost(plan.answer.pattern)


def _counter(values: int) -> Cost:
    """A counter that begins anew."""
    bits = (values - 1).bit_length()
    return Cost(bits, min(bits, 1), bits, bits)
