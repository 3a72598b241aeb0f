"""Both directions of a step agree: what a unit needs, asked of each unit in turn, says which units an edit reaches."""

import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from torch.nn import functional as F

from segviz.core.steps import Interval, Law, Mirror, Resize, Step, Taps, Transposed, Window

units = st.integers(1, 5)


def found_by_trying(step: Step, units_out: int, seen: Interval) -> list[int]:
    """The units of a map of `units_out` that need one of the units `seen`."""
    needs = [step.back(Interval(unit, unit)) for unit in range(units_out)]
    return [unit for unit, need in enumerate(needs) if need.lo <= seen.hi and need.hi >= seen.lo]


def parts(size: int) -> list[Interval]:
    return [Interval(lo, hi) for lo in range(size) for hi in range(lo, size)]


def check(step: Step, size_in: int, size_out: int) -> None:
    """No unit is left out by `reach`, and it is no wider than from the first to the last of them."""
    for seen in parts(size_in):
        reached = found_by_trying(step, size_out, seen)
        within = step.reach(seen).within(size_out)
        assert within == (Interval(reached[0], reached[-1]) if reached else None)


@given(kernel=units, stride=units, dilation=units, before=st.integers(-3, 4), size=st.integers(1, 12))
def test_a_window_reaches_the_units_that_need_it(kernel, stride, dilation, before, size):
    out = (size + 2 * before - dilation * (kernel - 1) - 1) // stride + 1
    assume(out > 0)
    check(Window(kernel, stride, dilation, before), size, out)


@given(kernel=units, stride=units, dilation=units, padding=st.integers(0, 3), size=st.integers(1, 8))
def test_a_transposed_convolution_reaches_the_units_that_need_it(kernel, stride, dilation, padding, size):
    out = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
    assume(out > 0)
    step = Transposed(kernel, stride, dilation, padding)
    for seen in parts(size):
        reached, within = found_by_trying(step, out, seen), step.reach(seen).within(out)
        for unit in reached:
            assert within is not None
            assert within.lo <= unit <= within.hi


@example(size=40, before=0, after=3, repeats=False)  # padded behind alone: the last unit but three is shown there too
@example(size=4, before=1, after=9, repeats=True)
@given(size=st.integers(1, 14), before=st.integers(-2, 9), after=st.integers(-2, 9), repeats=st.booleans())
def test_a_mirror_reaches_the_units_that_show_it(size, before, after, repeats):
    assume(repeats or max(before, after) < size)
    assume(size + before + after > 0)
    check(Mirror(size, before, after, repeats), size, size + before + after)


@given(size=st.integers(1, 14), before=st.integers(0, 9), after=st.integers(0, 9), repeats=st.booleans())
def test_a_mirror_shows_what_torch_shows(size, before, after, repeats):
    assume(repeats or max(before, after) < size)
    numbers = torch.arange(size, dtype=torch.float32).view(1, 1, size)
    shown = F.pad(numbers, (before, after), mode="replicate" if repeats else "reflect").flatten()
    step = Mirror(size, before, after, repeats)
    assert [step.source(unit) for unit in range(len(shown))] == shown.int().tolist()


SMOOTH = [(taps, align) for taps in (Taps.BILINEAR, Taps.BICUBIC) for align in (False, True)]


@pytest.mark.parametrize(("taps", "align"), [(Taps.NEAREST, False), (Taps.AREA, False), *SMOOTH])
@example(size_in=40, size_out=79)  # aligned corners: every second unit lies right on one below
@given(size_in=st.integers(1, 20), size_out=st.integers(1, 40))
def test_an_interpolation_reaches_the_units_that_mix_it(taps, align, size_in, size_out):
    covers(Resize(taps, size_in, size_out, align), size_in, size_out)


@pytest.mark.parametrize("taps", [Taps.NEAREST, Taps.BILINEAR, Taps.BICUBIC])
@given(size=st.integers(2, 20), factor=st.floats(0.5, 3))
def test_an_interpolation_by_a_factor_reaches_the_units_that_mix_it(taps, size, factor):
    covers(Resize(taps, size, int(size * factor), factor=factor), size, int(size * factor))


def covers(step: Resize, size_in: int, size_out: int) -> None:
    """`reach` holds every unit that needs it; a bicubic one at most one more on either side."""
    for unit in range(size_in):
        seen = Interval(unit, unit)
        reached, found = found_by_trying(step, size_out, seen), step.reach(seen)
        if not reached:
            continue
        assert found.lo <= reached[0]
        assert found.hi >= reached[-1]
        if step.taps is not Taps.BICUBIC:
            assert found == Interval(reached[0], reached[-1])


@given(size=st.integers(1, 90), out=st.integers(1, 250))
@example(size=2, out=82)  # in float32 1 / 41 of 41 is less than 1
def test_nearest_units_of_a_size_are_torchs(size, out):
    numbers = torch.arange(size, dtype=torch.float32).view(1, 1, size, 1)
    step = Resize(Taps.NEAREST, size, out)
    shown = F.interpolate(numbers, size=(out, 1), mode="nearest").flatten().int().tolist()
    assert [step.back(Interval(unit, unit)).lo for unit in range(out)] == shown


@given(size=st.integers(2, 90), factor=st.floats(0.5, 5))
@example(size=10, factor=1.05)  # the size stays: the map is copied
@example(size=2, factor=2.1)  # it doubles: every unit twice
def test_nearest_units_of_a_factor_are_torchs(size, factor):
    numbers = torch.arange(size, dtype=torch.float32).view(1, 1, size, 1)
    shown = F.interpolate(numbers, scale_factor=(factor, 1.0), mode="nearest").flatten().int().tolist()
    step = Resize(Taps.NEAREST, size, len(shown), factor=factor)
    assert [step.back(Interval(unit, unit)).lo for unit in range(len(shown))] == shown


def test_a_position_follows_the_factor_and_not_the_sizes():
    """By 1.3, 22 units become 28, since 28.6 is rounded down: unit 27 lies at 27.5 / 1.3 - 0.5 = 20.65."""
    law = Resize(Taps.BILINEAR, 22, 28, factor=1.3).law(Law(0.0, 1.0))
    assert law.at(27) == pytest.approx(27.5 / 1.3 - 0.5)


@pytest.mark.parametrize("step", [Transposed(1, 2), Transposed(2, 3), Transposed(2, 2, 2), Transposed(1, 3, 1, 1)])
def test_a_unit_between_the_windows_of_a_transposed_convolution_needs_nothing(step):
    for unit in range(12):
        taps = range(0, step.dilation * step.kernel, step.dilation)
        starts = [below * step.stride - step.padding for below in range(-12, 12)]
        needs = [number - 12 for number, start in enumerate(starts) if unit - start in taps]
        found = step.back(Interval(unit, unit))
        assert (found.lo > found.hi) is (not needs)
        if needs:
            assert found.lo <= needs[0] <= needs[-1] <= found.hi
