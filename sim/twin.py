"""A simulated board: a core behind two wires under a simulator, behind a pseudo-terminal.

Run as a module it is the simulator's process, whose standard input is the terminal's other end. It
ends when nobody has the terminal open any more, however its parent went.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sylvan.model.errors import CheckError, UserError

from .runner import Case
from .simulators import find_simulator

TOP = "sylvan_twin"
GRACE = 5.0
"""Seconds that a simulator is given to end by itself."""

_PUBLIC = "/*verilator public_flat_rw*/"

_TEMPLATE = """\
// Made by sylvan.sim.twin around the module `{module}`: bytes for its rx, and those of its tx.
module {top};
  reg clk {public} = 0;
  reg rst_next {public} = 1, rst = 1;
  // {{a bit that changes with every byte, the byte}}
  reg [8:0] give {public} = 0;
  reg taken {public} = 0;
  reg [8:0] came {public} = 0;

  reg [9:0] sending = 10'h3ff, receiving = 0;
  reg [3:0] to_send = 0, to_receive = 0;
  integer wait_send = 0, wait_receive = 0;
  reg was = 1;
  wire tx;
  {module} core (.clk(clk), .rst(rst), .rx(sending[0]), .tx(tx));

  always @(posedge clk) begin
    rst <= rst_next;
    if (wait_send != 0) wait_send <= wait_send - 1;
    else if (to_send > 1) begin
      sending <= {{1'b1, sending[9:1]}};
      to_send <= to_send - 1;
      wait_send <= {clocks} - 1;
    end else if (give[8] != taken) begin
      sending <= {{1'b1, give[7:0], 1'b0}};
      taken <= give[8];
      to_send <= 10;
      wait_send <= {clocks} - 1;
    end else to_send <= 0;

    was <= tx;
    if (to_receive == 0) begin
      if (was && !tx) begin
        to_receive <= 10;
        wait_receive <= {clocks} / 2 - 1;
      end
    end else if (wait_receive != 0) wait_receive <= wait_receive - 1;
    else begin
      receiving <= {{tx, receiving[9:1]}};
      to_receive <= to_receive - 1;
      wait_receive <= {clocks} - 1;
      if (to_receive == 1 && tx) came <= {{~came[8], receiving[9:2]}};
    end
  end
endmodule
"""


@contextmanager
def twin(source: Path, clocks: int, rest: int, simulator: str = "icarus") -> Iterator[str]:
    """Runs a module in the file of its name; gives the path of the port where it is spoken to.

    Args:
        source: of Verilog that is known to be harmless; the module's ports are clk, rst, rx and tx.
        clocks: per bit of its serial line.
        rest: clocks of silence after which it has said all that it had to say.
        simulator: "icarus" or "verilator".

    Raises:
        UserError: if the simulator is missing, or the system has no pseudo-terminals.
        CheckError: if the simulator fails; also in place of what else went wrong meanwhile.
    """
    find_simulator(simulator)
    with tempfile.TemporaryDirectory(prefix="sylvan-twin-", ignore_cleanup_errors=True) as work:
        try:
            theirs, ours = os.openpty()
        except OSError as error:
            raise UserError(f"no pseudo-terminal for the twin: {error.strerror}") from None
        tty.setraw(ours)
        command = [sys.executable, "-P", "-m", __name__, work, source, clocks, rest, simulator]
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                list(map(str, command)),
                stdin=theirs,
                stdout=said,
                stderr=said,
                # Ctrl-C is the host's, which closes the port.
                start_new_session=True,
            )
            os.close(theirs)
            grace = 0.0
            try:
                _begin(process, ours)
                grace = GRACE
                yield os.ttyname(ours)
            except Exception as error:
                # What ends by itself has failed: what the host says of that is only its echo.
                if _ended(process, 0.5):
                    said.seek(0)
                    text = said.read().decode(errors="replace").strip()
                    raise CheckError(f"the twin's simulator ended: {text}") from error
                raise
            finally:
                os.close(ours)
                if not _ended(process, grace):
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def _begin(process: subprocess.Popen[bytes], port: int) -> None:
    """Waits until the board is there and says so."""
    while not select.select([port], [], [], 0.1)[0]:
        if process.poll() is not None:
            raise CheckError("no word came from it")
    if os.read(port, 1) != b"\0":
        raise CheckError("no word came from it")


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _simulate(work: Path, source: Path, clocks: str, rest: str, name: str) -> None:
    case = Case(find_simulator(name), work, TOP)
    top = _TEMPLATE.format(top=TOP, module=source.stem, clocks=int(clocks), public=_PUBLIC)
    case.compile({source.name: source.read_text(), f"{TOP}.v": top})
    case.test("sylvan.sim.twin_bench", {"SYLVAN_BYTE": f"{10 * int(clocks)}", "SYLVAN_REST": rest})


def main(arguments: list[str]) -> int:
    """The simulator's process."""
    work, source, *more = arguments
    try:
        _simulate(Path(work), Path(source), *more)
    except (UserError, CheckError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
