"""How failures of the work are worded, for the window and the command line alike."""

from __future__ import annotations

import pytest

from segviz.core.errors import SegvizError
from segviz.core.learning import TrainRequest
from segviz.core.races import RaceRequest
from segviz.core.refusals import DOING, doing, lacks_memory, refusal, shortage
from segviz.core.requests import DescribeRequest, Request, SegmentRequest, Setup

SEGMENT = SegmentRequest(Setup("lenet5", "page.png"))


def test_a_message_for_people_passes_as_it_is() -> None:
    error = SegvizError("net.pth: no tensor 'fc6.weight'", "all tensors")
    assert refusal(error, SEGMENT) is error


@pytest.mark.parametrize(
    ("error", "amount"),
    [
        (MemoryError(), ""),
        (MemoryError("Unable to allocate 7.45 GiB for an array with shape (1000, 1000, 1000)"), " (7.45 GiB wanted)"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate: you tried to allocate 2500000000 bytes."),
            " (2.5 GB wanted)",
        ),
        (RuntimeError("DefaultCPUAllocator: can't allocate: you tried to allocate 9437184 bytes."), " (9 MB wanted)"),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total"), " (20.00 MiB wanted)"),
    ],
    ids=["plain", "numpy", "torch", "torch, the last straw", "cuda"],
)
def test_lack_of_memory_names_the_remedy(error: Exception, amount: str) -> None:
    told = refusal(error, SEGMENT)
    assert str(told) == f"not enough memory for segmenting{amount}: choose a smaller scale or a smaller image"
    assert type(error).__name__ in told.details
    assert str(shortage(error)) == f"not enough memory{amount}: choose a smaller scale or a smaller image"


def test_lack_of_memory_while_training_is_not_blamed_on_the_image() -> None:
    told = refusal(MemoryError(), TrainRequest("lenet5"))
    assert str(told) == "not enough memory for training: close other programs or choose another recipe"


def test_a_bug_is_one_short_line_with_the_traceback_in_the_details() -> None:
    try:
        {}["no such layer"]
    except KeyError as error:
        told = refusal(error, RaceRequest(Setup("lenet5")))
    assert str(told) == "an internal error while racing (KeyError): please report the details"
    assert "test_refusals.py" in told.details
    assert "KeyError: 'no such layer'" in told.details


def test_other_runtime_errors_are_bugs() -> None:
    error = RuntimeError("shape '[3]' is invalid for input of size 4")
    assert not lacks_memory(error)
    told = refusal(error, DescribeRequest(Setup("lenet5")))
    assert str(told) == "an internal error while tracing the network (RuntimeError): please report the details"


def test_every_kind_of_request_has_its_words() -> None:
    assert set(DOING) == {*Request.__args__, TrainRequest}
    assert doing(None) == "idle"
