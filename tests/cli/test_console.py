"""Asking an engine, and the progress of it; the engine here is a stand-in that tells what it was asked."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

import segviz.engine.run
from segviz.cli.console import Console, as_json
from segviz.cli.options import file_name
from segviz.cli.table import count, duration, point, size, table
from segviz.core.errors import SegvizError
from segviz.core.frames import Lattice
from segviz.core.races import RaceUpdate
from segviz.core.requests import DescribeRequest, PartialLabels, Progress, Setup


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class FakeEngine:
    made = 0

    def __init__(self) -> None:
        FakeEngine.made += 1

    def run(self, request: DescribeRequest) -> Generator[Any, None, Any]:
        lattice = Lattice(1, 1, (0, 0), (1, 1))
        yield Progress(1, 4, "tiles")
        yield PartialLabels(np.zeros((1, 1), np.int16), lattice, None, Progress(2, 4, "windows"))
        partial = PartialLabels(np.zeros((1, 1), np.int16), lattice, None, Progress(7, 9, "windows"))
        yield RaceUpdate("one_by_one", 0.5, partial)
        if request.setup.model == "broken":
            raise SegvizError("no such thing")
        if request.setup.model == "hungry":
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8000000000 bytes.")
        if request.setup.model == "buggy":
            raise RuntimeError("shape '[3]' is invalid for input of size 4")
        return request


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> type[FakeEngine]:
    monkeypatch.setattr(segviz.engine.run, "Engine", FakeEngine)
    FakeEngine.made = 0
    return FakeEngine


REQUEST = DescribeRequest(Setup("lenet5"))


def test_memory_that_is_refused_is_said_as_in_the_window(fake_engine: type[FakeEngine]) -> None:
    with pytest.raises(SegvizError, match=r"not enough memory for tracing the network \(8.0 GB wanted\): choose"):
        Console().ask(DescribeRequest(Setup("hungry")))
    with pytest.raises(RuntimeError, match="is invalid"):  # a bug stays one
        Console().ask(DescribeRequest(Setup("buggy")))


def test_the_answer_is_what_the_run_returns_and_one_engine_serves_all(fake_engine: type[FakeEngine]) -> None:
    console = Console()
    assert console.ask(REQUEST) is REQUEST
    assert console.ask(REQUEST) is REQUEST
    assert fake_engine.made == 1


@pytest.mark.usefixtures("fake_engine")
def test_progress_goes_to_a_terminal_on_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    Console().ask(REQUEST)
    shown = terminal.getvalue()
    assert "2/4" in shown
    assert "one by one" in shown
    assert "7/9" in shown


@pytest.mark.usefixtures("fake_engine")
def test_no_progress_without_a_terminal_or_when_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Console().ask(REQUEST)
    assert capsys.readouterr() == ("", "")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    console = Console(quiet=True)
    console.ask(REQUEST)
    console.note("not said")
    assert terminal.getvalue() == ""


@pytest.mark.usefixtures("fake_engine")
def test_a_failure_in_the_middle_passes_through() -> None:
    with pytest.raises(SegvizError, match="no such thing"):
        Console().ask(DescribeRequest(Setup("broken")))


def test_json_knows_no_nan() -> None:
    text = as_json({"a": float("nan"), "b": [1, (2.5, float("-inf"))], "c": {"d": None}})
    assert json.loads(text) == {"a": None, "b": [1, [2.5, None]], "c": {"d": None}}


def test_a_table_sets_words_left_and_numbers_right() -> None:
    text = table(("layer", "parameters"), [("c1", "156"), ("output", "61,706")])
    assert text.splitlines() == [
        "layer   parameters",
        "------  ----------",
        "c1             156",
        "output      61,706",
    ]


def test_numbers_for_people() -> None:
    assert count(61_706) == "61,706"
    assert (size(32), size([32, 48.5])) == ("32", "48.5 x 32")
    assert point((15.5, 3)) == "(15.5, 3)"
    assert [duration(s) for s in (0.0123, 0.9999, 12.345, 4321.0)] == ["12.3 ms", "1 s", "12.3 s", "4,321 s"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("bell cote", "bell-cote"), ("../x", "..-x"), ("jack-o'-lantern", "jack-o-lantern"), ("?", "unnamed")],
)
def test_names_become_file_names(text: str, name: str) -> None:
    assert file_name(text) == name
