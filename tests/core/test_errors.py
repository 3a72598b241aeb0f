"""Messages: short, plain, whatever strangers call their files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segviz.core.errors import LONGEST_MESSAGE, SegvizError, UsageError, clean, named, shorten


@given(st.text(st.characters(), max_size=600))
def test_messages_are_short_and_hold_no_control_characters(text):
    message = str(SegvizError(text))
    assert len(message) <= LONGEST_MESSAGE
    assert clean(message) == message
    assert message.encode().decode() == message  # no lone surrogate


def test_both_ends_of_a_long_message_stay():
    cut = shorten("head" + "x" * 1000 + "tail")
    assert cut.startswith("headx")
    assert cut.endswith("xtail")
    assert len(cut) == LONGEST_MESSAGE
    assert shorten("short") == "short"


@pytest.mark.parametrize("bad", ["\x1b[31m", "\u202e", "\u200b", "\udcff", "\x07"])
def test_direction_and_control_characters_are_replaced(bad):
    assert clean(f"a{bad}b") == "a�" + bad[1:] + "b"


def test_names_for_messages_are_one_line():
    assert named("/photos/new\nline.png") == "new�line.png"
    assert named("/photos/") == "/photos/"
    assert len(named("x" * 250 + ".png")) == 80


def test_details_do_not_enter_the_message():
    error = SegvizError("net.pth: no tensor", "Traceback")
    assert (str(error), error.details) == ("net.pth: no tensor", "Traceback")
    assert isinstance(UsageError("x"), SegvizError)
