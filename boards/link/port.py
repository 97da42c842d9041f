"""The serial port that a board is plugged into; whatever goes wrong with it is a sentence."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sylvan.model.errors import UserError

WAIT = 0.02
"""Seconds after which reading returns without a byte."""


class SerialPort:
    """Bytes out and in.

    Parameters: name, as pyserial takes it: COM3, /dev/ttyUSB1, a pseudo-terminal's path, or a URL
    such as socket://host:port; baud.

    Raises UserError if it cannot be opened, and later where it is gone.
    """

    def __init__(self, name: str, baud: int) -> None:
        import serial

        self.name, self.baud = name, baud
        try:
            self._serial: Any = serial.serial_for_url(
                name, baudrate=baud, timeout=WAIT, exclusive=None if "://" in name else True
            )
        except serial.SerialException as error:
            raise UserError(_why_closed(name, error)) from None
        except (ValueError, OverflowError, OSError) as error:
            raise UserError(f"{name} cannot be opened with {baud} baud: {error}") from None

    def write(self, line: bytes) -> None:
        """Put bytes on the line."""
        with self._watched():
            self._serial.write(line)

    def read(self, waits: bool) -> bytes:
        """What has come; where nothing has and it `waits`, what comes within 0.02 s."""
        with self._watched():
            here = self._serial.in_waiting
            return bytes(self._serial.read(here or 1)) if here or waits else b""

    def close(self) -> None:
        """Let others have the port."""
        self._serial.close()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        import serial

        try:
            yield
        except (serial.SerialException, OSError, TypeError) as error:
            # pyserial has a TypeError where another thread has closed it.
            self.close()
            raise UserError(f"{self.name} is gone: was the board unplugged? ({error})") from None


def _why_closed(name: str, error: Any) -> str:
    # Windows says so without a number.
    if error.errno in (errno.EWOULDBLOCK, errno.EBUSY) or "PermissionError" in str(error):
        return f"{name} is in use by another program"
    if error.errno == errno.EACCES:
        return f"{name} may not be opened by you: on Linux, be a member of its group (dialout)"
    if Path(name).exists():
        return f"{name} is no serial port: {error.strerror or error}. {listed_ports()}"
    return f"there is no port {name}. {listed_ports()}"


def listed_ports() -> str:
    """A sentence that names the serial ports of this computer."""
    from serial.tools.list_ports import comports

    found = [f"{port.device} ({port.description})" for port in sorted(comports())]
    return f"Ports here: {', '.join(found)}." if found else "No serial port is here."
