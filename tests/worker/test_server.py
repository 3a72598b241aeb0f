"""What the server decides by itself: which updates go out, and how failures are worded."""

from __future__ import annotations

import pytest

from segviz.core.errors import SegvizError
from segviz.core.requests import (
    DescribeRequest,
    PartialLabels,
    Progress,
    RaceRequest,
    RaceUpdate,
    Request,
    SegmentRequest,
    Setup,
)
from segviz.worker import wire
from segviz.worker.server import Throttle, refusal

SEGMENT = SegmentRequest(Setup("lenet5", "page.png"))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_update_goes_at_once_and_the_newest_of_the_rest_in_time() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    assert throttle.add(Progress(1, 9)) == [Progress(1, 9)]
    assert throttle.add(Progress(2, 9)) == []
    clock.now += 0.049
    assert throttle.add(Progress(3, 9)) == []
    clock.now += 0.001
    assert throttle.add(Progress(4, 9)) == [Progress(4, 9)]
    assert throttle.add(Progress(5, 9)) == []
    assert throttle.rest() == [Progress(5, 9)]
    assert throttle.rest() == []


def test_never_more_than_twenty_a_second_and_none_of_a_slow_run_is_lost() -> None:
    clock = Clock()
    throttle, sent = Throttle(clock), 0
    for step in range(1000):
        sent += len(throttle.add(Progress(step, 1000)))
        clock.now += 0.001
    assert 18 <= sent <= 20
    slow = Throttle(clock)
    for step in range(10):
        clock.now += 0.06
        assert slow.add(Progress(step, 10)) == [Progress(step, 10)]


def test_the_sides_of_a_race_take_turns() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    partial = PartialLabels(None, None, None, Progress(1, 2))  # type: ignore[arg-type]
    heard = []
    for _ in range(100):
        for side in ("sliding_window", "fully_convolutional"):
            heard += [update.side for update in throttle.add(RaceUpdate(side, clock.now, partial))]
            clock.now += 0.01
    assert heard.count("sliding_window") == pytest.approx(heard.count("fully_convolutional"), abs=1)


def test_a_message_for_people_passes_as_it_is() -> None:
    assert refusal(SegvizError("net.pth: no tensor 'fc6.weight'", "all tensors"), SEGMENT) == (
        "net.pth: no tensor 'fc6.weight'",
        "all tensors",
    )


@pytest.mark.parametrize(
    ("error", "amount"),
    [
        (MemoryError(), ""),
        (MemoryError("Unable to allocate 7.45 GiB for an array with shape (1000, 1000, 1000)"), " (7.45 GiB wanted)"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate: you tried to allocate 2500000000 bytes."),
            " (2.5 GB wanted)",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total"), " (20.00 MiB wanted)"),
    ],
    ids=["plain", "numpy", "torch", "cuda"],
)
def test_lack_of_memory_names_the_remedy(error, amount) -> None:
    message, details = refusal(error, SEGMENT)
    assert message == f"not enough memory for segmenting{amount}: choose a smaller scale or a smaller image"
    assert type(error).__name__ in details


def test_a_bug_is_one_short_line_with_the_traceback_in_the_details() -> None:
    try:
        {}["no such layer"]
    except KeyError as error:
        message, details = refusal(error, RaceRequest(Setup("lenet5")))
    assert message == "an internal error while racing (KeyError): please report the details"
    assert "test_server.py" in details
    assert "KeyError: 'no such layer'" in details


def test_other_runtime_errors_are_bugs() -> None:
    message, _ = refusal(RuntimeError("shape '[3]' is invalid for input of size 4"), DescribeRequest(Setup("lenet5")))
    assert message == "an internal error while tracing the network (RuntimeError): please report the details"


def test_every_kind_of_request_has_its_words() -> None:
    assert set(wire.DOING) == set(Request.__args__)
    assert wire.doing(None) == "idle"
