"""Feature maps as pictures: what their values span, and what becomes black and white."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segviz.core.choices import MapScale

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
AT_ONCE = 2**18  # values: as many as a processor keeps at hand while one figure after another is taken of them


@dataclass(frozen=True, eq=False)
class MapStatistics:
    """Feature maps `values` (C, H, W) and, of each, what is asked of all at once: arrays (C,), worked out by `of`.

    `low`, `high` and `mean` are values, `sparsity` is the share of units that are exactly 0, `remarks` says 'dead'
    where no unit of a map is active on this image, 'constant' where all of several say the same, else ''. What is not
    finite counts as 0. The engine works them out and sends them with the maps: a shallow layer has 100 million values,
    and to look at each of them takes longer than a frame of the window.
    """

    values: Floats
    low: Floats
    high: Floats
    mean: Floats
    sparsity: Floats
    remarks: tuple[str, ...]

    @classmethod
    def of(cls, values: Floats) -> MapStatistics:
        """The statistics of maps (C, H, W). Takes a second for 100 million values."""
        steps = cls.counted(values)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found: MapStatistics = end.value
                return found

    @classmethod
    def counted(cls, values: Floats) -> Generator[int, None, MapStatistics]:
        """The same, some maps at a time; yields how many are done."""
        count, size = len(values), values[0].size if len(values) else 0
        low, high, mean, sparsity = (np.zeros(count, np.float32) for _ in range(4))
        remarks: list[str] = []
        for at in _parts(values):
            part = _finite(values[at]).reshape(-1, size)
            low[at], high[at], mean[at] = part.min(1), part.max(1), part.mean(1)
            sparsity[at] = 1 - np.count_nonzero(part, axis=1) / size
            flat = zip(values[at], low[at] == high[at], strict=True)
            remarks += [_remark(plane) if same else "" for plane, same in flat]
            yield len(remarks)
        return cls(values, low, high, mean, sparsity, tuple(remarks))

    @property
    def dead(self) -> int:
        """How many maps are active nowhere on this image: zero in every unit."""
        return self.remarks.count("dead")

    @property
    def constant(self) -> int:
        """How many maps say the same everywhere, but not zero; a single unit is no such map."""
        return self.remarks.count("constant")

    def deviations(self) -> Floats:
        """Standard deviation of each map's units (C,); looks at all values."""
        found = [_finite(self.values[at]).std((1, 2)) for at in _parts(self.values)]
        return np.concatenate(found).astype(np.float32)

    def levels(self, channel: int, scale: MapScale) -> tuple[float, float]:
        """The values that become black and white in the picture of `channel`.

        A map of one unit has no range of its own, and is seen in that of the layer.
        """
        alone = scale is MapScale.MAP and self.values[channel].size == 1
        return LEVELS[MapScale.LAYER if alone else scale](self, channel)

    def picture(self, channel: int, scale: MapScale) -> Bytes:
        """One map as grey levels (H, W), 0 to 255; one without any range is 0, or in the middle where signed."""
        low, high = self.levels(channel, scale)
        plane = self.values[channel]
        if not high > low:
            return np.full(plane.shape, 128 if scale is MapScale.SIGNED else 0, np.uint8)
        level = (_finite(plane).astype(np.float64) - low) / (high - low)
        return np.asarray(np.rint(level * 255), dtype=np.uint8)


def _parts(values: Floats) -> Iterator[slice]:
    """Of maps (C, H, W) so many at a time that `AT_ONCE` values are not exceeded, at least one."""
    step = max(1, AT_ONCE // max(1, values[:1].size))
    return (slice(at, at + step) for at in range(0, len(values), step))


def _remark(plane: Floats) -> str:
    if not plane.any():
        return "dead"
    return "constant" if plane.size > 1 and plane.min() == plane.max() else ""


def _finite(values: Floats) -> Floats:
    """`values`, or a copy with 0 where they are not finite."""
    return values if np.isfinite(values.sum()) else np.nan_to_num(values, nan=0, posinf=0, neginf=0)


def _signed(statistics: MapStatistics, channel: int) -> tuple[float, float]:
    reach = max(float(np.abs(statistics.low).max()), float(np.abs(statistics.high).max()))
    return -reach, reach


LEVELS: dict[MapScale, Callable[[MapStatistics, int], tuple[float, float]]] = {
    MapScale.MAP: lambda s, channel: (float(s.low[channel]), float(s.high[channel])),
    MapScale.LAYER: lambda s, channel: (float(s.low.min()), float(s.high.max())),
    MapScale.SIGNED: _signed,
}


def signed_levels(values: Floats, reach: float) -> Bytes:
    """Levels 0 to 255 of values from -reach to reach, zero in the middle; all are there where nothing reaches."""
    if not reach > 0:
        return np.full(values.shape, 128, np.uint8)
    level = (np.clip(_finite(values), -reach, reach).astype(np.float64) / reach + 1) / 2
    return np.asarray(np.rint(level * 255), dtype=np.uint8)


def pictures(values: Floats, scale: MapScale = MapScale.MAP) -> Bytes:
    """All maps (C, H, W) as grey levels."""
    statistics = MapStatistics.of(values)
    return np.stack([statistics.picture(channel, scale) for channel in range(len(values))])
