"""Sensors as data: what is written, read and checked on the bus, and what their counts stand for.

Registers and times are those of the makers' documents; the order of what is done with them is in
`sylvan.boards.sensor.script`.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import pi

Register = tuple[int, int]
"""Its number, and a value or bits of it."""


@dataclass(frozen=True)
class Part:
    """A sensor with signed counts of 16 bits, the higher byte first.

    Attributes:
        name: of the part. address: on the bus, 7 bits.
        identity: what it answers, and nothing else does.
        configuration: what is written before it measures.
        starts_ms, settles_ms: from power to the first access; from configuration to true samples.
        ready: the bits that a new sample sets, and reading them clears.
        counts: the register of the first byte; the others follow, read in one go.
        words: for each pair of these bytes the channel it belongs to, or None.
        awake: what reads like this as long as the part is there, configured and measuring.
        channels: name, and what a count stands for, in the order of a program's input.
        sample_ms: between samples.
    """

    name: str
    address: int
    identity: Register
    configuration: tuple[Register, ...]
    starts_ms: int
    settles_ms: int
    ready: Register
    counts: int
    words: tuple[int | None, ...]
    awake: Register
    channels: tuple[tuple[str, Fraction], ...]
    sample_ms: int


G_PER_COUNT = Fraction(1, 16384)
RADIANS_PER_SECOND_PER_COUNT = Fraction(2, 131) * Fraction(pi) / 180

MPU6050 = Part(
    # Registers: RM-MPU-6000A-00, revision 4.2; times: PS-MPU-6000A-00, revision 3.4.
    name="MPU-6050",
    address=0x68,
    identity=(0x75, 0x68),  # WHO_AM_I
    configuration=(
        (0x6B, 0x01),  # PWR_MGMT_1: awake, clocked by the gyroscope's oscillator
        (0x6C, 0x00),  # PWR_MGMT_2: all axes measure
        (0x6A, 0x00),  # USER_CTRL: no FIFO, no bus of its own
        (0x23, 0x00),  # FIFO_EN
        (0x19, 19),  # SMPLRT_DIV: 1 kHz / (1 + 19)
        (0x1A, 4),  # CONFIG: low pass, 21 Hz for acceleration and 20 Hz for angular velocity
        (0x1B, 1 << 3),  # GYRO_CONFIG: 500 degrees per second
        (0x1C, 0),  # ACCEL_CONFIG: 2 g
        (0x38, 0x01),  # INT_ENABLE: a sample sets the bit of INT_STATUS
    ),
    starts_ms=100,
    settles_ms=50,
    ready=(0x3A, 0x01),  # INT_STATUS
    counts=0x3B,  # ACCEL_XOUT_H; between acceleration and angular velocity is a temperature
    words=(0, 1, 2, None, 3, 4, 5),
    awake=(0x6B, 0x01),  # PWR_MGMT_1, which power brings back as 0x40: asleep
    channels=(
        *((f"acceleration_{axis}", G_PER_COUNT) for axis in "xyz"),
        *((f"angular_velocity_{axis}", RADIANS_PER_SECOND_PER_COUNT) for axis in "xyz"),
    ),
    sample_ms=20,
)

MPU6500 = replace(
    # RM-MPU-6500A-00, revision 2.1: of what is used here these differ.
    MPU6050,
    name="MPU-6500",
    identity=(0x75, 0x70),
    configuration=(
        (0x1D, 4),  # ACCEL_CONFIG_2: low pass, 20 Hz for acceleration, which CONFIG is not for
        *MPU6050.configuration,
    ),
    awake=(0x19, 19),  # SMPLRT_DIV, which power brings back as 0; it is awake by itself
)

PARTS = {"mpu-6050": MPU6050, "mpu-6500": MPU6500}
