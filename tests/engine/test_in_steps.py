"""Code that is not ours, step by step: closed, it is left where it is, and tidies up behind itself."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch

from segviz.engine import in_steps as module
from segviz.engine.flow import finished
from segviz.engine.in_steps import Pause, in_steps


@pytest.fixture(autouse=True)
def every_pause_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST", 0.0)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "in steps"]


def test_every_pause_is_a_step_and_the_answer_comes_at_the_end() -> None:
    said: list[int] = []

    def work(pause: Pause) -> str:
        for number in range(3):
            said.append(number)
            pause()
        return "done"

    steps = in_steps(work)
    assert said == []  # nothing before it is wanted
    for count in (1, 2, 3):
        next(steps)
        assert said == list(range(count))
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "done"
    assert not threads()


def test_pauses_that_come_at_once_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST", 3600.0)

    def work(pause: Pause) -> int:
        for _ in range(1000):
            pause()
        return 7

    with pytest.raises(StopIteration) as end:
        next(in_steps(work))
    assert end.value.value == 7


def test_what_goes_wrong_is_raised_where_the_steps_are_taken() -> None:
    def work(pause: Pause) -> None:
        pause()
        raise KeyError("lost")

    steps = in_steps(work)
    next(steps)
    with pytest.raises(KeyError, match="lost"):
        next(steps)
    assert not threads()


def test_closed_half_way_the_work_goes_no_further_even_where_it_catches_everything() -> None:
    said: list[str] = []

    def work(pause: Pause) -> None:
        try:
            pause()
            said.append("further")
        except BaseException as error:  # noqa: BLE001  as a stranger's code may
            said.append(type(error).__name__)
        try:
            pause()
            said.append("further still")
        finally:
            said.append("tidied up")

    steps = in_steps(work)
    next(steps)
    steps.close()
    assert said == ["Stopped", "tidied up"]
    assert not threads()


def test_torch_can_be_left_on_its_way_back() -> None:
    passed: list[int] = []

    def work(pause: Pause) -> Any:
        def passes(number: int) -> Any:
            def hook(_: torch.Tensor) -> None:
                passed.append(number)
                pause()

            return hook

        x = made = torch.ones(3, requires_grad=True)
        for number in range(5):
            made = made * 2
            made.register_hook(passes(number))
        return torch.autograd.grad(made.sum(), x)[0]

    assert finished(in_steps(work)).tolist() == [32, 32, 32]
    passed.clear()
    steps = in_steps(work)
    next(steps)
    next(steps)
    steps.close()
    assert passed == [4, 3]


def test_modes_of_the_thread_stay_in_it() -> None:
    def work(pause: Pause) -> bool:
        with torch.inference_mode():
            pause()
            return torch.is_inference_mode_enabled()

    steps = in_steps(work)
    next(steps)
    assert not torch.is_inference_mode_enabled()
    with pytest.raises(StopIteration):
        next(steps)
