"""Images of the state: going on from one changes nothing, and nothing else is taken for one."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from programs import random_inputs, random_program, random_timesteps, small
from sylvan.model import files
from sylvan.model.errors import UserError
from sylvan.model.image import Image, check_image, image_of, load_image, resume, save_image
from sylvan.model.interpret import Machine
from sylvan.model.program import Program
from sylvan.model.storage import program_hash

PROGRAMS = {
    "small": small(),
    **{f"random-{seed}": random_program(seed) for seed in range(12)},
    **{f"timesteps-{seed}": random_program(seed, read=random_timesteps(seed)) for seed in range(6)},
}


def advance(machine: Machine, inputs: np.ndarray) -> list[list[int] | None]:
    """Takes timesteps; the answer to each, None where it is not read."""
    found: list[list[int] | None] = []
    for x in inputs:
        machine.step(x.reshape(-1, 1))
        found.append(machine.answer()[:, 0].tolist() if machine.reads(True) else None)
    return found


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("before", [0, 1, 5])
def test_nobody_notices_an_interruption(program: Program, before: int, tmp_path: Path) -> None:
    inputs = random_inputs(program, (1, 12))[0]
    whole, begun = Machine(program), Machine(program)
    expected = advance(whole, inputs)
    found = advance(begun, inputs[:before])
    save_image(image_of(begun), tmp_path / "image.json")
    advance(begun, inputs)
    again = resume(program, load_image(program, tmp_path / "image.json"))
    assert found + advance(again, inputs[before:]) == expected
    assert image_of(again) == image_of(whole)


def test_a_fresh_image_is_the_initial_state() -> None:
    program = small()
    image = image_of(Machine(program))
    assert (image.fresh, image.phase) == (True, 0)
    machine = Machine(program)
    advance(machine, random_inputs(program, (1, 3))[0])
    assert not image_of(machine).fresh and image_of(machine) != image
    machine.reset()
    assert image_of(machine) == image == image_of(resume(program, image))


def test_an_image_is_of_one_sequence() -> None:
    with pytest.raises(ValueError, match="an image is of one sequence, the machine has 2"):
        image_of(Machine(small(), 2))


def begun() -> Image:
    machine = Machine(small())
    advance(machine, random_inputs(small(), (1, 3))[0])
    return image_of(machine)


def test_equal_images_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_image(begun(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_image_of_another_program_is_refused(tmp_path: Path) -> None:
    save_image(begun(), tmp_path / "image.json")
    other = small(weight=4)
    both = f"of the program {program_hash(small())}, expected one of {program_hash(other)}"
    with pytest.raises(UserError, match=rf"image\.json: the image is {both}"):
        load_image(other, tmp_path / "image.json")
    with pytest.raises(UserError, match="the image is of the program"):
        resume(other, begun())


(STATE,) = small().states
NAME, HI = STATE.value.name, STATE.value.format.hi


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"states": {}}, f"the image must hold the states {NAME}; got none"),
        ({"states": {"other": np.zeros(2, int)}}, f"must hold the states {NAME}; got other"),
        ({"states": {NAME: np.zeros(99, int)}}, rf"{NAME} of the image must have \d+ elements, "),
        (
            {"states": {NAME: np.full(STATE.value.size, HI + 1)}},
            rf"{NAME} of the image must lie in \[-?\d+, {HI}\], got values from {HI + 1} to ",
        ),
        ({"phase": 9}, r"the phase of the image must lie in \[0, \d\], .*; got 9"),
        ({"timestep": 1}, r"the timestep of the image must lie in \[0, 0\], .*; got 1"),
        (
            {"fresh": True, "phase": 0},
            f"{NAME} of the image must be as it starts, because the image",
        ),
    ],
)
def test_what_is_no_state_of_the_program_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_image(small(), replace(begun(), **change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "expected an object of version 1"),
        ({"phase": 0.5}, "phase must be of the type int"),
        ({"fresh": 1}, "fresh must be of the type bool"),
        ({"more": 1}, "expected the keys version, program_sha256, fresh, phase, timestep, states"),
        ({"states": [1]}, "states must be an object"),
        ({"states": {NAME: [1.5]}}, f"state {NAME} must be a list of integers"),
        ({"states": {NAME: [1 << 70]}}, f"state {NAME} has values beyond 62 bits"),
    ],
)
def test_a_file_that_is_no_image(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "image.json"
    path.write_text(json.dumps(begun().tree() | change))
    with pytest.raises(UserError, match=f"image.json is no readable image: {message}"):
        load_image(small(), path)


def test_a_damaged_or_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "image.json"
    with pytest.raises(UserError, match=r"image\.json is no readable image: .*No such file"):
        load_image(small(), path)
    save_image(begun(), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"image\.json is no readable image: "):
        load_image(small(), path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"image\.json is no readable image: "):
        load_image(small(), path)


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "image.json"
    save_image(begun(), path)
    before = path.read_bytes()

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(UserError, match=r"image\.json cannot be written: No space left on device"):
        save_image(image_of(Machine(small())), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
