"""The laboratory in a session file: what was chosen comes back, what is bad is refused."""

from __future__ import annotations

import json

import pytest

from segviz.core.laboratory import FACTORS, SIDES, Kernel, Laboratory, Page, Source, Way, from_values, to_values
from segviz.core.session import State
from segviz.core.session_file import from_json, to_json

CHOSEN = Laboratory(
    Page.SKIPS, Source.FEATURE, SIDES[-1], FACTORS[-1], Kernel.EDITED, ((0.0, 1.5), (-2.0, 4.0)), Way.NAILS,
    Way.BICUBIC, (0.25, 0.0), True,
)  # fmt: skip


def test_what_was_chosen_comes_back_from_a_session_file():
    state = State(upsampling_lab=CHOSEN)
    assert from_json(to_json(state)) == (state, ())
    assert to_values(CHOSEN).keys() == to_values(Laboratory()).keys()
    assert all(getattr(CHOSEN, name) != getattr(Laboratory(), name) for name in to_values(CHOSEN))


def test_what_a_file_does_not_name_keeps_its_default_and_strange_names_are_left_out():
    assert from_values({"factor": 4, "of another version": 1}) == Laboratory(factor=4)


@pytest.mark.parametrize(
    "values",
    [
        {"factor": 3},
        {"factor": True},
        {"side": 1000},
        {"page": "nowhere"},
        {"fades": [0.5]},
        {"fades": [0.5, 1.5]},
        {"fades": [0.5, float("nan")]},
        {"edited": [[1, 2], [3]]},
        {"edited": [[0] * 9] * 9},
        {"edited": [[1e300]]},
        {"image": "yes"},
        [],
        None,
    ],
)
def test_a_bad_value_is_a_remark_and_the_rest_still_opens(values):
    data = json.loads(to_json(State(model="lenet5")))
    data["state"]["upsampling_lab"] = values
    state, remarks = from_json(json.dumps(data))
    assert state == State(model="lenet5")
    assert [remark.partition(" ")[0] for remark in remarks] == ["upsampling_lab"]
