"""Tables for people: columns aligned, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence

GUTTER = "  "


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Rows of text under a head, the first `left` columns flush left, the others flush right."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    lines = [_line(head, widths, left), GUTTER.join("-" * width for width in widths)]
    return "\n".join(lines + [_line(row, widths, left) for row in rows])


def _line(cells: Sequence[str], widths: Sequence[int], left: int) -> str:
    aligned = [
        cell.ljust(width) if column < left else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return GUTTER.join(aligned).rstrip()


def count(number: int) -> str:
    """61,706."""
    return f"{number:,}"


def size(value: float | Sequence[float]) -> str:
    """A number or [y, x] as `32` or, width first as all sizes that people read, `48 x 32`."""
    if isinstance(value, (int, float)):
        return f"{value:g}"
    return " x ".join(f"{part:g}" for part in reversed(value))


def point(values: Sequence[float]) -> str:
    """(15.5, 15.5)."""
    return f"({', '.join(f'{value:g}' for value in values)})"


def duration(seconds: float) -> str:
    """Seconds in three digits: 0.012 s, 1.23 s, 45.6 s, 789 s."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:,.0f} s"
