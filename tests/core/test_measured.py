"""What was measured, held against what was counted."""

from __future__ import annotations

import pytest

from segviz.core.field import Box, Field, Status
from segviz.core.frames import Frame
from segviz.core.measured import By, MeasuredField, MeasureRequest, Verdict, compared
from segviz.core.requests import Setup

FIELD = Field(Box(-2, 3, 8, 9), Status.EXACT)
SIZE = 20, 10  # width, height
FRAME = Frame((10, 20), (10, 20), (10, 20))


@pytest.mark.parametrize(
    ("seen", "verdict", "differs"),
    [
        (Box(0, 3, 8, 9), Verdict.EQUAL, ""),
        (Box(1, 3, 8, 8), Verdict.CONTAINED, ""),
        (Box(0, 3, 9, 9), Verdict.DIFFERS, "1 px further right"),
        (Box(0, 1, 8, 10), Verdict.DIFFERS, "2 px further top, 1 px further bottom"),
        (None, Verdict.NONE, ""),
    ],
)
def test_the_part_in_the_image_is_compared(seen: Box | None, verdict: Verdict, differs: str) -> None:
    found = compared(FIELD, seen, *SIZE)
    assert (found.verdict, found.differs) == (verdict, differs)


def test_what_reaches_the_whole_image_may_be_measured_outside_its_box() -> None:
    found = compared(Field(FIELD.box, Status.WHOLE), Box(0, 0, 20, 10), *SIZE)
    assert found.verdict is Verdict.WHOLE


def test_what_sees_padding_alone_has_no_gradient() -> None:
    padding = Field(Box(-5, 0, 0, 4), Status.EXACT)
    assert compared(padding, None, *SIZE).verdict is Verdict.EQUAL
    assert compared(padding, Box(0, 0, 1, 1), *SIZE).verdict is Verdict.DIFFERS


def answer(box: Box | None, refusal: str = "") -> MeasuredField:
    return MeasuredField(MeasureRequest(Setup("net.py"), "last", 1, 2), "last", box, By.OWN, FRAME, 0.1, (), refusal)


def test_a_measured_field_says_what_it_is_and_why_it_was_measured() -> None:
    unknown = Field(Box(0, 0, 20, 10), Status.UNKNOWN, "the operation 'odd' has no rule")
    field = answer(Box(3, 3, 5, 5)).field(unknown)
    assert (field.box, field.status, field.status.holds) == (Box(3, 3, 5, 5), Status.MEASURED, False)
    assert field.reason == "gradients of the network at work on this image, since the operation 'odd' has no rule"
    for refusal, said in (("", "no gradient comes to any pixel"), ("cut off", "cut off")):
        left = answer(None, refusal).field(unknown)
        assert (left.box, left.status) == (unknown.box, Status.UNKNOWN)
        assert left.reason == f"the operation 'odd' has no rule; {said}"
