"""What is shown of receptive fields, as a session file keeps it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from segviz.core.session import State
from segviz.core.session_file import from_json, to_json
from segviz.core.sight import LARGEST_SIDE, USUAL, Sight, from_values, to_values


@pytest.mark.parametrize(
    "sight", [USUAL, Sight(False, True, True, (12.5, -3.0), 1), Sight(square=(0.0, 0.0), side=LARGEST_SIDE)]
)
def test_a_session_keeps_it(sight: Sight) -> None:
    assert from_json(to_json(State(sight=sight))) == (State(sight=sight), ())


def test_what_is_not_named_is_as_usual() -> None:
    assert from_values({"side": 7, "of a newer version": True}) == replace(USUAL, side=7, chosen=True)


def test_a_size_in_a_file_of_before_was_chosen_unless_it_is_the_usual_one() -> None:
    assert from_values({"side": 64}).chosen
    assert not from_values({"side": USUAL.side}).chosen
    assert not from_values({"side": 256, "chosen": False}).chosen


@pytest.mark.parametrize(
    "bad",
    [{"paths": 1}, {"square": [1]}, {"square": [1, float("nan")]}, {"side": 0}, {"side": True}, {"side": 1.5},
     {"side": LARGEST_SIDE + 1}, [], None],
)  # fmt: skip
def test_bad_values_are_refused_and_the_rest_of_the_session_opens(bad: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        from_values(bad)
    data = json.loads(to_json(State(layer="c3")))
    data["state"]["sight"] = bad
    state, remarks = from_json(json.dumps(data))
    assert state == State(layer="c3")
    assert len(remarks) == 1
    assert remarks[0].startswith("sight cannot be")


def test_values_are_plain() -> None:
    assert json.loads(json.dumps(to_values(Sight(square=(1.0, 2.0)))))["square"] == [1.0, 2.0]
