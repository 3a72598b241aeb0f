"""Numbers as people read them."""

from __future__ import annotations

import pytest

from segviz.gui import words


def plain(text: str) -> str:
    return text.replace(words.NARROW, " ")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (156, "156"), (999, "999"), (1000, "1.00 k"), (61_706, "61.7 k"), (999_600, "1.00 M"),
     (4_652_008, "4.65 M"), (138_357_544, "138 M"), (1_800_000_000, "1.80 G")],
)  # fmt: skip
def test_short_counts_have_three_figures(number, text):
    assert plain(words.short_count(number)) == text


def test_counts_and_shapes_separate_thousands():
    assert words.count(61_706) == "61,706"
    assert plain(words.shape((1280, 22, 32))) == "1,280 × 22 × 32"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00085, "850 µs"), (0.0123, "12.3 ms"), (0.9999, "1.00 s"), (12.34, "12.3 s"), (185, "3:05 min"),
     (8040, "2:14 h")],
)  # fmt: skip
def test_durations_change_their_unit(seconds, text):
    assert plain(words.duration(seconds)) == text


def test_per_axis_names_both_axes_only_where_they_differ():
    assert words.per_axis((8.0, 8.0), "/") == "/8"
    assert plain(words.per_axis((8.0, 4.0), "/")) == "/4 × 8"
    assert words.per_axis(None) == "–"


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.0, "0 %"), (0.0001, "< 0.1 %"), (0.004, "0.4 %"), (0.31, "31 %"), (0.9999, "99.9 %"), (1.0, "100 %")],
)
def test_shares_say_when_there_is_hardly_any(fraction, text):
    assert plain(words.share(fraction)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "–"), (0.0, "0"), (-3.2714, "−3.271"), (float("nan"), "not a number"), (999.9996, "1,000"), (1021, "1,021"),
     (-1234.5, "−1,234"), (123_456.7, "123,457"), (2_540_000.0, "2.54 × 10⁶"), (0.00565, "0.00565"),
     (3.96e-5, "3.96 × 10⁻⁵"), (-2e-5, "−2.00 × 10⁻⁵"), (9.9999e-5, "0.0001")],
)  # fmt: skip
def test_values_of_units(number, text):
    assert plain(words.value(number)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(686.0, "686"), (-344.0000000001, "−344"), (1021.0, "1,021"), (0.0, "0"), (0.125, "0.125"), (3e-9, "3.00 × 10⁻⁹"),
     (float("nan"), "not a number"), (float("-inf"), "−∞"), (5e6, "5.00 × 10⁶")],
)  # fmt: skip
def test_whole_numbers_have_no_decimals_in_a_sentence(number, text):
    assert plain(words.whole(number)) == text


def test_small_differences_are_written_with_powers_of_ten():
    assert plain(words.exponent(2.1e-6)) == "2.1 × 10⁻⁶"
    assert words.exponent(0.17) == "0.17"
    assert words.exponent(0) == "0"


def test_factors():
    assert words.factor(34.2) == "34×"
    assert words.factor(1.63) == "1.6×"


@pytest.mark.parametrize(
    ("at", "text"),
    [((215.5, 139.5), "215.5, 139.5"), ((87.5, 115.5), "87.5, 115.5"), ((1216.0, -0.04), "1,216, 0"),
     ((-12.25, 3), "−12.2, 3")],
)  # fmt: skip
def test_positions_keep_the_half_pixel(at, text):
    assert words.point(*at) == text


def test_boxes_are_four_numbers():
    assert words.box(-1340, -428.6, 1362, 1275.96) == "−1340, −428.6, 1362, 1276"


def test_one_is_not_many():
    assert [words.many(number, "map") for number in (0, 1, 1280)] == ["0 maps", "1 map", "1,280 maps"]
