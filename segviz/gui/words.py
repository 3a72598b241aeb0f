"""Numbers as people read them: thousands separated, with units, never longer than they are exact."""

from __future__ import annotations

from collections.abc import Sequence

NARROW = "\u202f"  # narrow no-break space: keeps a number and its unit on one line
TIMES = f"{NARROW}×{NARROW}"
SMALL, LARGE = 9.995e-5, 1e6  # below and from here on a value is written with a power of ten
WHOLE = 1e-7  # what sums of whole numbers in float64 may be off


def count(number: int) -> str:
    """'61,706'."""
    return f"{number:,}"


def many(number: int, noun: str) -> str:
    """'1 map', '1,280 maps'."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def layer_type(name: str) -> str:
    """What a layer is, by the name of its class; TensorFlow's convolution with SAME padding has no class in torch."""
    return "Conv2d with SAME padding" if name == "SameConv2d" else name


def short_count(number: float) -> str:
    """Three figures and a unit: '156', '61.7 k', '4.65 M', '1.80 G'."""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit * 0.9995:
            return f"{_three_figures(number / limit)}{NARROW}{unit}"
    return f"{number:.0f}"


def _three_figures(number: float) -> str:
    """Three significant figures, trailing zeros kept so that columns of numbers line up."""
    if number >= 99.95:
        return f"{number:.0f}"
    return f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"


def shape(sizes: Sequence[int]) -> str:
    """'40 × 86 × 128'."""
    return TIMES.join(count(size) for size in sizes)


def per_axis(value: tuple[float, float] | None, sign: str = "") -> str:
    """A (y, x) value: one number where both agree, 'x × y' as all sizes where not, '–' where it is not known."""
    if value is None:
        return "–"
    y, x = (f"{v:,.10g}" if float(v).is_integer() else f"{v:,.2f}" for v in value)
    return f"{sign}{y}" if y == x else f"{sign}{x}{TIMES}{y}"


def size(width: float, height: float) -> str:
    """A box's size in pixels, 'width × height'."""
    return f"{_trim(width)}{TIMES}{_trim(height)}"


def length(pixels: float) -> str:
    """One side of a box, in pixels."""
    return _trim(pixels)


def _trim(number: float) -> str:
    rounded = round(float(number), 1)
    return f"{rounded:,.0f}" if abs(rounded) >= 100 or rounded.is_integer() else f"{rounded:,.1f}"


def _place(number: float, thousands: str = ",") -> str:
    """A coordinate to a tenth of a pixel: centres of even fields lie between two pixels."""
    rounded = round(float(number), 1) + 0.0  # no minus zero
    text = f"{rounded:{thousands}.0f}" if rounded.is_integer() else f"{rounded:{thousands}.1f}"
    return text.replace("-", "−")


def point(x: float, y: float) -> str:
    """A position in image pixels."""
    return f"{_place(x)}, {_place(y)}"


def box(left: float, top: float, right: float, bottom: float) -> str:
    """A box in image pixels; four numbers on a short line, so without commas inside them."""
    return ", ".join(_place(edge, "") for edge in (left, top, right, bottom))


def value(number: float | None) -> str:
    """The value of a unit: '−3.271', '1,021', '3.96 × 10⁻⁵', '–' where it is not known."""
    if number is None:
        return "–"
    if number == 0:
        return "0"
    if number != number or abs(number) == float("inf"):
        return "not a number" if number != number else ("∞" if number > 0 else "−∞")
    size = abs(number)
    if has_power(number):
        text = _power(number, 2)
    elif size >= 999.9995:
        text = f"{number:,.0f}"
    else:
        text = f"{number:.3f}" if size >= 0.01 else f"{number:.3g}"
    return text.replace("-", "−")


def has_power(number: float) -> bool:
    """Whether `value` writes it with a power of ten, which takes more room."""
    return abs(number) >= LARGE or 0 < abs(number) < SMALL


def whole(number: float) -> str:
    """A value in a sentence: '686' and '−344' where it is a whole number, as sums of grey levels are; else `value`."""
    nearest = round(number) if abs(number) < LARGE else 0
    return count(nearest).replace("-", "−") if nearest and abs(number - nearest) < WHOLE else value(number)


def share(fraction: float) -> str:
    """'31 %', '0.4 %', '< 0.1 %' for what is there but hardly; '100 %' is said of the whole alone."""
    percent = fraction * 100
    if 99.5 <= percent < 100:
        return f"{min(percent, 99.9):.1f}{NARROW}%"
    if percent >= 9.95:
        return f"{percent:.0f}{NARROW}%"
    if 0 < percent < 0.05:
        return f"<{NARROW}0.1{NARROW}%"
    return f"{percent:.1f}{NARROW}%" if percent else f"0{NARROW}%"


def probability(number: float) -> str:
    return f"{number:.2f}"


def duration(seconds: float) -> str:
    """'850 µs', '12.3 ms', '1.24 s', '3:05 min', '2:14 h'."""
    if seconds < 0.9995e-3:
        return f"{seconds * 1e6:.0f}{NARROW}µs"
    if seconds < 0.9995:
        return f"{_three_figures(seconds * 1e3)}{NARROW}ms"
    if seconds < 99.95:
        return f"{_three_figures(seconds)}{NARROW}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}{NARROW}min"
    return f"{minutes // 60}:{minutes % 60:02d}{NARROW}h"


def factor(ratio: float) -> str:
    """How many times faster: '34×', '1.6×'."""
    return f"{ratio:,.0f}×" if ratio >= 9.95 else f"{ratio:.1f}×"


def exponent(number: float) -> str:
    """A small difference: '2.1e-06' as '2.1 × 10⁻⁶'."""
    if number == 0:
        return "0"
    power = int(f"{number:.1e}".partition("e")[2])
    return f"{number:.2g}" if -3 <= power <= 2 else _power(number, 1)


def _power(number: float, decimals: int) -> str:
    mantissa, _, power = f"{number:.{decimals}e}".partition("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}{TIMES}10{raised}"
