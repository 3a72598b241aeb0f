"""Why a request was not answered, for people: one wording for the engine's process and the command line."""

from __future__ import annotations

import re
import traceback

from segviz.core.cams import CamRequest
from segviz.core.contributions import ContributionRequest
from segviz.core.depths import DepthRequest
from segviz.core.effective import EffectiveRequest
from segviz.core.errors import SegvizError
from segviz.core.filters import FilterRequest
from segviz.core.learning import TrainRequest
from segviz.core.measured import MeasureRequest
from segviz.core.occlusion import OcclusionRequest
from segviz.core.races import RaceRequest
from segviz.core.requests import (
    ClassifyRequest,
    DescribeRequest,
    ExamineRequest,
    FeatureRequest,
    KeptRequest,
    Request,
    SegmentRequest,
)
from segviz.core.shifting import ShiftRequest
from segviz.core.sizes import SizesRequest
from segviz.core.top_patches import TopRequest
from segviz.core.unit_sums import SumRequest

DOING: dict[type, str] = {
    DescribeRequest: "tracing the network",
    SegmentRequest: "segmenting",
    KeptRequest: "computing a kept result",
    FeatureRequest: "computing feature maps",
    RaceRequest: "racing",
    ClassifyRequest: "classifying a window",
    ExamineRequest: "finding out what the network can do",
    TrainRequest: "training",
    DepthRequest: "scoring the depths",
    OcclusionRequest: "occluding a part of the image",
    EffectiveRequest: "going back from a unit to the pixels",
    MeasureRequest: "measuring what a unit sees",
    CamRequest: "finding what speaks for a class",
    FilterRequest: "reading filters",
    TopRequest: "looking for top patches",
    ContributionRequest: "taking a score apart",
    SumRequest: "taking a unit apart",
    ShiftRequest: "shifting the image",
    SizesRequest: "feeding another size",
}

REMEDIES: dict[type, str] = {TrainRequest: "close other programs or choose another recipe"}

_ALLOCATION = re.compile(r"out of memory|allocate memory|not enough memory|alloc_cpu|bad alloc|can't allocate", re.I)
_WANTED = re.compile(r"tried to allocate (\d+) bytes|allocate ([\d.]+ [GM]iB)", re.I)


def doing(request: Request | TrainRequest | None) -> str:
    """What the engine does with `request`, to be said after 'while'."""
    return DOING.get(type(request), "working") if request is not None else "idle"


def refusal(error: Exception, request: Request | TrainRequest | None = None) -> SegvizError:
    """`error`, which ended the work on `request`, as a message; its details help to report it. None: other work."""
    if isinstance(error, SegvizError):
        return error
    if lacks_memory(error):
        return shortage(error, request)
    what = "" if request is None else f" while {doing(request)}"
    text = f"an internal error{what} ({type(error).__name__}): please report the details"
    return SegvizError(text, "".join(traceback.format_exception(error)))


def lacks_memory(error: BaseException) -> bool:
    """Whether memory was refused: torch says so in a plain RuntimeError, numpy and Python in a MemoryError."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_ALLOCATION.search(str(error))))


def shortage(error: BaseException, request: Request | TrainRequest | None = None) -> SegvizError:
    """That memory was refused, how much was wanted as far as it is known, and what helps."""
    what = "" if request is None else f" for {doing(request)}"
    remedy = REMEDIES.get(type(request), "choose a smaller scale or a smaller image")
    text = f"not enough memory{what}{_wanted(error)}: {remedy}"
    return SegvizError(text, "".join(traceback.format_exception(error)))


def _wanted(error: BaseException) -> str:
    found = _WANTED.search(str(error))
    if found is None:
        return ""
    if found[2]:
        return f" ({found[2]} wanted)"
    amount = int(found[1])
    return f" ({amount / 1e9:.1f} GB wanted)" if amount >= 1e8 else f" ({max(1, round(amount / 1e6))} MB wanted)"
