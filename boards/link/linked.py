"""A core behind two wires: all that a board has to add is pins and a clock."""

from amaranth import Cat, Module, ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from sylvan.hw.stack import hardware

from .answers import AnswerStore
from .composer import Composer
from .deframer import Deframer
from .plan import LinkPlan
from .steps import StepFeeder, StepIntake
from .stuffer import Stuffer
from .uart import UartReceiver, UartTransmitter


class LinkedCore(wiring.Component):
    """The core of a plan, spoken to as docs/link.md says.

    An OPEN resets the core and all that waits before and behind it; reset, everything.

    Members: rx, In(1); tx, Out(1); opened, Out(1): a host has opened the link since reset;
        answers, Out(1): an answer begins to leave, a
        clock ago.
    Interval: of a timestep that is answered, what the line takes for it (`Identity.highest_rate`),
        or the core.
    Cost: memories of `link.step.depth`, `link.answer.depth` and twice `link.longest` bytes.
    """

    def __init__(self, link: LinkPlan) -> None:
        self.link = link
        super().__init__({"rx": In(1), "tx": Out(1, init=1), "opened": Out(1), "answers": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        link = self.link
        m.submodules.receiver = receiver = UartReceiver(link.clocks)
        m.submodules.deframer = deframer = Deframer()
        m.submodules.intake = intake = StepIntake(link)
        m.submodules.composer = composer = Composer(link)
        m.submodules.stuffer = stuffer = Stuffer(link.longest)
        m.submodules.transmitter = transmitter = UartTransmitter(link.clocks)
        feeder, core, answers = StepFeeder(link), hardware(link.plan), AnswerStore(link)
        anew = ResetInserter(intake.opens)
        m.submodules.feeder = anew(feeder)
        m.submodules.core = anew(core)
        m.submodules.answers = anew(answers)
        wiring.connect(m, receiver.o, deframer.i)
        wiring.connect(m, deframer.o, intake.i)
        wiring.connect(m, feeder.o, core.i)
        wiring.connect(m, core.o, answers.i)
        wiring.connect(m, composer.o, stuffer.i)
        wiring.connect(m, stuffer.o, transmitter.i)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            self.opened.eq(intake.opened),
            intake.ends.eq(deframer.ends),
            intake.good.eq(deframer.good),
            intake.taken.eq(feeder.taken),
            intake.address.eq(feeder.address),
            feeder.data.eq(intake.data),
            feeder.awaited.eq(intake.awaited),
            answers.acknowledges.eq(intake.heard),
            answers.rewinds.eq(intake.resends),
            answers.reached.eq(intake.reached),
            answers.takes.eq(composer.takes),
            answers.address.eq(composer.address),
            composer.some.eq(answers.some),
            composer.number.eq(answers.number),
            composer.data.eq(answers.data),
            composer.awaited.eq(intake.awaited),
            composer.limit.eq(intake.limit),
            composer.opens.eq(intake.opens),
            composer.refuses.eq(intake.refuses),
            composer.asks.eq(intake.resends),
            composer.changes.eq(intake.heard | (feeder.o.valid & feeder.o.ready)),
            composer.token.eq(Cat(intake.number, intake.context)),
            composer.free.eq(stuffer.free),
            stuffer.ends.eq(composer.ends),
        ]
        m.d.sync += self.answers.eq(composer.takes)
        return m
