"""The references of the recurrence simulated, every state compared with the golden model.

Inputs drive the state to both ends first, then are random; the clock enable pauses, and a reset
lies between two sequences, so that the second begins with the initial state and phase again.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from references import AHEAD
from sylvan.model.arrays import Array
from sylvan.model.errors import CheckError
from sylvan.model.interpret import Machine
from sylvan.model.program import Program
from sylvan.sim.simulators import find_simulator

STEPS, SEED, PAUSES = 300, 0, 0.2
RESET, ENABLE = 2, 1
COMMANDS = {
    "icarus": (["iverilog", "-g2005", "-o", "bench", "bench.v"], ["vvp", "-n", "bench"]),
    "verilator": (
        ["verilator", "--binary", "--top", "bench", "-Wno-fatal", "-o", "bench", "bench.v"],
        ["obj_dir/bench"],
    ),
}
"""To compile and to run. Icarus takes small designs at once, large ones minutes."""

BENCH = """\
module bench;
  reg clk = 0;
  reg [{top}:0] given [0:{last}];
  reg [{top}:0] now = 0;
  loop dut(.clk(clk), .rst(now[{top}]), .en(now[{bits}]), .x(now[{bits}-1:0]));
  integer k;
  initial begin
    $readmemh("given.hex", given);
    for (k = 0; k <= {last}; k = k + 1) begin
      now = given[k];
      #1 clk = 1;
      #1 clk = 0;
      $display("%h", dut.state);
    end
  end
endmodule
"""


def sequence(program: Program, random: np.random.Generator) -> tuple[Array, Array]:
    """Inputs (steps,), states after them (steps, n).

    For two thirds, input by input, whichever end moves the state further from zero.
    """
    ends = program.input.value.format
    (state,) = program.states
    machine, inputs, states = Machine(program), [], []
    trial = Machine(program, 2)
    for step in range(STEPS):
        x = int(random.integers(ends.lo, ends.hi + 1))
        if step < STEPS * 2 // 3:
            trial.phase = machine.phase
            trial.states = {k: np.repeat(v, 2, axis=1) for k, v in machine.states.items()}
            trial.step(np.array([[ends.lo, ends.hi]]))
            x = (ends.lo, ends.hi)[int(np.abs(trial.states[state.value.name]).sum(0).argmax())]
        machine.step(np.array([[x]]))
        inputs.append(x)
        states.append(machine.states[state.value.name][:, 0])
    found = np.array(states)
    format = state.value.format
    if (found.min(), found.max()) != (format.lo, format.hi):
        raise CheckError(
            f"the inputs should drive the state to both ends, {format.lo} and {format.hi}; it went "
            f"from {found.min()} to {found.max()}"
        )
    return np.array(inputs), found


def simulated(text: str, words: list[int], bits: int, simulator: str) -> list[str]:
    """The state after each cycle, as the simulator prints it."""
    found = find_simulator(simulator)
    with tempfile.TemporaryDirectory(prefix="sylvan-loop-") as folder:
        bench = BENCH.format(top=bits + 1, bits=bits, last=len(words) - 1)
        Path(folder, "bench.v").write_text(text + bench)
        Path(folder, "given.hex").write_text("\n".join(f"{word:x}" for word in words))
        for command in COMMANDS[simulator]:
            with found.in_path():
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if done.returncode:
                raise CheckError(f"{command[0]} failed on a reference: {done.stderr[-500:]}")
    return done.stdout.split()


def check(text: str, program: Program, simulator: str = "verilator") -> None:
    """Raise CheckError unless each enabled cycle brings `loop` in `text` to golden's next state."""
    random = np.random.default_rng(SEED)
    bits = program.input.value.format.width
    (state,) = program.states
    words: list[int] = []
    golden: dict[int, Array] = {}
    for _ in range(2):
        words.append(RESET << bits)
        inputs, states = sequence(program, random)
        enabled = []
        # Inputs after the last bring its state out.
        for x in [*inputs.tolist(), *[0] * AHEAD]:
            while random.random() < PAUSES:
                words.append(x)
            enabled.append(len(words))
            words.append(ENABLE << bits | x)
        golden |= {enabled[k + AHEAD]: row for k, row in enumerate(states)}
    seen = simulated(text, words, bits, simulator)
    width, n = state.value.format.width, state.value.size
    for cycle, row in golden.items():
        expected = sum((int(v) & (1 << width) - 1) << width * i for i, v in enumerate(row))
        if seen[cycle] != f"{expected:0{-(-n * width // 4)}x}":
            raise CheckError(f"the state differs from golden after cycle {cycle} of {len(words)}")
