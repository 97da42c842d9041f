"""An MPU-6050 or MPU-6500 on its bus, written down from its documents: registers, samples, edges.

Whoever drives the lines tells it their levels whenever they change; it says what it pulls down. It
knows nothing of the gateware, and no more than the part about what will be asked of it.
"""

from collections.abc import Sequence
from math import pi

WHO_AM_I, PWR_MGMT_1, INT_STATUS, INT_ENABLE = 0x75, 0x6B, 0x3A, 0x38
SMPLRT_DIV, CONFIG, GYRO_CONFIG, ACCEL_CONFIG = 0x19, 0x1A, 0x1B, 0x1C
ACCEL_XOUT_H, TEMP_OUT_H, GYRO_XOUT_H = 0x3B, 0x41, 0x43
READ_ONLY = {WHO_AM_I, INT_STATUS, *range(ACCEL_XOUT_H, GYRO_XOUT_H + 6)}
ACCEL_CONFIG_2 = 0x1D
SLEEP, DATA_READY = 0x40, 0x01
G, DEGREES_PER_SECOND = (2, 4, 8, 16), (250, 500, 1000, 2000)
"""Full scale, by AFS_SEL and FS_SEL."""
COUNTS_PER_G, COUNTS_PER_DEGREE_PER_SECOND = (16384, 8192, 4096, 2048), (131, 65.5, 32.8, 16.4)
LOW_PASS_HZ = ((260, 256), (184, 188), (94, 98), (44, 42), (21, 20), (10, 10), (5, 5))
"""Of acceleration and angular velocity, by DLPF_CFG."""
TEMPERATURE = 0xF25A


def saturated(value: float) -> int:
    """The nearest of 16 bits."""
    return min(max(round(value), -(1 << 15)), (1 << 15) - 1)


class Mpu6050:
    """The part; `identity` is what it calls itself.

    Attributes:
        present: whether its wires are connected.
        pulls_sda: what it does to the bus.
        written: registers and bytes, in their order.
        samples: all that could be read, in g and radians per second; read is the index of the last
            that was begun, reads how many were.
    """

    def __init__(self, identity: int = 0x68, address: int = 0x68) -> None:
        self.identity, self.address = identity, address
        self.present = True
        self.scl = self.sda = True
        self.written: list[tuple[int, int]] = []
        self.samples: list[list[float]] = []
        self.read = -1
        self.reads = 0
        self.power()

    def power(self) -> None:
        """Supply was off: all is as it comes out of the factory."""
        self.registers = [0] * 128
        self.registers[PWR_MGMT_1], self.registers[WHO_AM_I] = SLEEP, self.identity
        self.pulls_sda = False
        self.listens = self.addressed = self.sends = self.gives = self.busy = False
        self.bits = self.shift = self.pointer = self.byte = 0
        self.sample: tuple[list[float], list[int], bool] | None = None

    # Samples

    @property
    def awake(self) -> bool:
        return not self.registers[PWR_MGMT_1] & SLEEP

    @property
    def sample_s(self) -> float:
        """Between samples: of 1 kHz with its low-pass filter, of 8 kHz without."""
        filtered = self.registers[CONFIG] & 7 not in (0, 7)
        return (1 + self.registers[SMPLRT_DIV]) / (1000 if filtered else 8000)

    @property
    def ranges(self) -> tuple[int, int]:
        """In g and degrees per second."""
        return G[self._selected(ACCEL_CONFIG)], DEGREES_PER_SECOND[self._selected(GYRO_CONFIG)]

    @property
    def low_pass_hz(self) -> tuple[int, int]:
        """Of acceleration and angular velocity."""
        return LOW_PASS_HZ[self.registers[CONFIG] & 7]

    def _selected(self, register: int) -> int:
        """The range of a sensor, from the narrowest."""
        return self.registers[register] >> 3 & 3

    def measure(self, sample: Sequence[float]) -> None:
        """Acceleration in g and angular velocity in radians per second, as its ranges quantize
        them; what a burst reads does not change before its STOP."""
        if self.present and self.awake:
            per_g = COUNTS_PER_G[self._selected(ACCEL_CONFIG)]
            per_degree = COUNTS_PER_DEGREE_PER_SECOND[self._selected(GYRO_CONFIG)]
            counts = [saturated(g * per_g) for g in sample[:3]]
            counts += [saturated(w * 180 / pi * per_degree) for w in sample[3:]]
            self.sample = (list(sample), counts, bool(self.registers[INT_ENABLE] & DATA_READY))
            if not self.busy:
                self._publish()

    def _publish(self) -> None:
        if self.sample is None:
            return
        real, counts, ready = self.sample
        self.sample = None
        self.samples.append(real)
        for k, count in enumerate([*counts[:3], TEMPERATURE, *counts[3:]]):
            self.store(ACCEL_XOUT_H + 2 * k, count & 0xFFFF)
        if ready:
            self.registers[INT_STATUS] |= DATA_READY

    def store(self, register: int, word: int) -> None:
        """The higher byte first."""
        self.registers[register : register + 2] = [word >> 8, word & 0xFF]

    # Registers, as bytes that follow the address

    def _take(self, byte: int) -> bool:
        """A byte came; whether it is acknowledged."""
        if not self.addressed:
            self.addressed = byte >> 1 == self.address
            self.sends = self.addressed and bool(byte & 1)
            self.pointing = not self.sends
        elif self.pointing:
            self.pointer, self.pointing = byte & 0x7F, False
        else:
            self.written.append((self.pointer, byte))
            if self.pointer not in READ_ONLY:
                self.registers[self.pointer] = byte
            self.pointer = self.pointer + 1 & 0x7F
        return self.addressed

    def _give(self) -> int:
        byte = self.registers[self.pointer]
        if self.pointer == ACCEL_XOUT_H:
            self.read = len(self.samples) - 1
            self.reads += 1
        if self.pointer == INT_STATUS:
            self.registers[INT_STATUS] = 0
        self.pointer = self.pointer + 1 & 0x7F
        return byte

    # The bus, edge by edge

    def lines(self, scl: bool, sda: bool) -> None:
        """Their levels now."""
        if self.present:
            if self.scl and scl and sda != self.sda:
                self._stop() if sda else self._start()
            elif scl and not self.scl:
                self._rise(sda)
            elif self.scl and not scl:
                self._fall()
        self.scl, self.sda = scl, sda

    def _start(self) -> None:
        self.busy = self.listens = True
        self.addressed = self.sends = self.gives = False
        self.bits = self.shift = 0

    def _stop(self) -> None:
        self.busy = self.listens = False
        self._publish()

    def _rise(self, sda: bool) -> None:
        if self.listens:
            self.bits += 1
            self.shift = self.shift << 1 & 0x1FF | sda

    def _fall(self) -> None:
        self.pulls_sda = False
        if not self.listens:
            return
        if self.bits == 9:
            self.bits = 0
            # The ninth bit of a byte that was read is the controller's; of one that came, its own.
            self.listens = not self.shift & 1
            if self.listens and self.sends:
                self.byte = self._give()
            self.gives = self.sends
        if self.gives:
            self.pulls_sda = self.listens and self.bits < 8 and not self.byte >> 7 - self.bits & 1
        elif self.bits == 8:
            self.pulls_sda = self._take(self.shift & 0xFF)


class Mpu6500(Mpu6050):
    """The later part: awake by itself, and with a filter for acceleration alone."""

    def __init__(self, identity: int = 0x70, address: int = 0x68) -> None:
        super().__init__(identity, address)

    def power(self) -> None:
        super().power()
        self.registers[PWR_MGMT_1] = 0x01

    @property
    def low_pass_hz(self) -> tuple[int, int]:
        acceleration = (460, 184, 92, 41, 20, 10, 5)[self.registers[ACCEL_CONFIG_2] & 7]
        return acceleration, (250, 184, 92, 41, 20, 10, 5)[self.registers[CONFIG] & 7]
