"""Runs a yosys script inside this process, by the native library of the `pyosys` package.

Started by path as a process of its own: `python -P native_yosys.py SCRIPT`. It is twice as fast as
the WebAssembly build and does not compile itself for a minute first.
"""

import os
import sys


def main(script: str) -> None:
    from pyosys import libyosys

    # An error inside yosys prints its message and ends the process with status 1.
    libyosys.run_pass(f"script {script}", libyosys.Design())
    sys.stdout.flush()
    # The library's destructors crash an interpreter that leaves in the ordinary way.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
