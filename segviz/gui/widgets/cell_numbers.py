"""Numbers in cells: as many figures of all of them as fit into each, or none at all."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from PySide6.QtGui import QFont

from segviz.gui import theme
from segviz.gui.widgets.painted import text_width

PRECISIONS = ((3, 4), (3, 3), (2, 2))  # figures and decimals at most of the numbers of a map, the best first
SMALLER = 4  # fonts of cells, each a pixel smaller than the one before
SINGLE = 1e-6  # of a number: what float32 does not tell apart


def fitting(rows: Sequence[Sequence[float]], whole: bool, wide: float) -> tuple[list[list[str]], QFont] | None:
    """The texts of a map's numbers and their font, so that each is at most `wide`; '' where there is no number.

    All have one precision, the best that fits; None where none does. A cell that stayed empty would say "nothing".
    """
    for precision in PRECISIONS[:1] if whole else PRECISIONS:
        texts = [["" if isnan(number) else short(number, whole, precision) for number in row] for row in rows]
        several = {text for row in texts for text in row}
        for smaller in range(SMALLER):
            font = theme.numbers(theme.CAPTION - smaller)
            if all(text_width(text, font) <= wide for text in several):
                return texts, font
    return None


def short(value: float, whole: bool = False, precision: tuple[int, int] = PRECISIONS[0]) -> str:
    """Three figures in few letters, so that products and sums agree: '0', '.25', '.100', '-1.30', '12.4', '285'.

    Zeros at the end are left out where nothing follows them. Small numbers have no more than four decimals;
    what they do not show is '~0'. `precision` has other numbers of figures and of decimals than these.
    """
    if value == 0 or whole:
        return f"{value:.0f}".replace("-0", "0") if abs(value) < 1 else f"{value:.0f}"
    figures, most = precision
    size = abs(value)
    if size >= 1e5:
        return f"{value:.3g}"  # a power of ten in full is too wide for a cell
    power = int(f"{size:.{figures - 1}e}".partition("e")[2])  # once rounded: 0.9996 has three figures as 1.00
    decimals = min(most, max(0, figures - 1 - power))
    text = f"{value:.{decimals}f}"
    if float(text) == 0:  # too small for these decimals: neither '.0000' nor '-.0000' says more
        return "~0"
    trimmed = text.rstrip("0").rstrip(".") if decimals else text
    if abs(float(trimmed or 0) - value) <= SINGLE * size:
        text = trimmed
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
