"""Choices are words of files and of the command line at once: they must not change by accident."""

from __future__ import annotations

import inspect
import pickle

import pytest

from segviz.core import choices
from segviz.core.choices import Choice, Method, Upsampling, View

ENUMS = [c for _, c in inspect.getmembers(choices, inspect.isclass) if issubclass(c, Choice) and c is not Choice]


def test_the_documented_methods_and_upsamplings():
    assert [m.value for m in Method] == [
        "auto",
        "sliding-window",
        "direct",
        "coarse",
        "upsampled",
        "shift-and-stitch",
        "dense",
        "native",
    ]
    assert [u.value for u in Upsampling] == ["nearest", "bilinear", "bicubic", "transposed"]
    assert [v.value for v in View] == ["labels", "heatmap", "image"]


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_every_choice_reads_back_and_has_a_title(enum):
    assert len({member.title for member in enum}) == len(enum)
    for member in enum:
        assert enum(member.value) is member
        assert f"{member}" == member.value
        assert member.title[0].isupper()
        assert pickle.loads(pickle.dumps(member)) is member  # they cross to the engine's process
        assert not member.hint.endswith(".")


def test_a_wrong_word_is_refused():
    with pytest.raises(ValueError, match="'guess' is not a valid Method"):
        Method("guess")
