"""How fast a job goes and how long it will still take, from its progress."""

from __future__ import annotations

from segviz.core.requests import Progress

SETTLED = 0.4  # seconds before a rate is worth showing


class Pace:
    """Watches one job's progress. A new total or a step back starts the clock anew: another phase has begun."""

    def __init__(self) -> None:
        self._first: tuple[float, Progress] | None = None

    def at(self, now: float, progress: Progress) -> tuple[float | None, float | None]:
        """(units a second, seconds to go) at `now` seconds; None while unknown."""
        if self._first is None or self._first[1].total != progress.total or progress.done < self._first[1].done:
            self._first = now, progress
        begun, first = self._first
        done = progress.done - first.done
        if now - begun < SETTLED or done <= 0:
            return None, None
        rate = done / (now - begun)
        return rate, max(0.0, (progress.total - progress.done) / rate)


def clock(seconds: float) -> str:
    """`seconds` as people read a clock: 0:03, 12:40, 1:02:03."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
