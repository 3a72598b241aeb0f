"""What session files say of parts of the State: every field is read, and nothing else."""

from __future__ import annotations

from dataclasses import fields

import pytest

from segviz.core import cams, convolution_lab, laboratory, network_picture, session_values, sight

PARTS = (cams, convolution_lab, laboratory, network_picture, sight)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__.rpartition(".")[2])
def test_every_field_of_a_part_has_its_reader(part) -> None:
    usual = part.from_values({})
    assert {field.name for field in fields(usual)} == part._READERS.keys()
    assert part.from_values(part.to_values(usual) | {"of another version": 1}) == usual
    with pytest.raises(TypeError, match="not a"):
        part.from_values([])


def test_readers_take_what_they_say_alone() -> None:
    assert session_values.flag(False) is False
    assert session_values.one_of((1, 2))(2) == 2
    for reader, value in ((session_values.flag, 1), (session_values.one_of((1, 2)), 3)):
        with pytest.raises((TypeError, ValueError), match=f"{value} is n"):
            reader(value)
    with pytest.raises(ValueError, match="True is none of"):
        session_values.one_of((1, 2))(True)
