"""What session files say of parts of the State: every field is read, and nothing else."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from segviz.core import cams, convolution_lab, laboratory, network_picture, session_values, sight
from segviz.core.network_picture import NetworkPicture
from segviz.core.paddings import PaddingRule
from segviz.core.what_if import Edit

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


def test_a_padding_in_a_session_file_is_a_number_or_the_rule() -> None:
    edits = (("stem", Edit((3, 3), (2, 2), padding=PaddingRule.SAME)), ("head", Edit((1, 1), padding=(0, 2))))
    values = json.loads(json.dumps(network_picture.to_values(NetworkPicture(edits=edits))))
    assert values["edits"]["stem"]["padding"] == "same"
    assert network_picture.from_values(values).edits == edits
    for part, value in (("padding", "valid"), ("stride", "same"), ("padding", [0, -1])):
        with pytest.raises((TypeError, ValueError)):
            network_picture.from_values({"edits": {"stem": {"kernel": [3, 3], part: value}}})
