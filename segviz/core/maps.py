"""Feature maps as pictures: what their values span, and what becomes black and white."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from segviz.core.choices import MapScale

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
MAPS_AT_ONCE = 32  # bounds the memory of statistics


@dataclass(frozen=True, eq=False)
class MapStatistics:
    """Statistics of feature maps (C, H, W), each worked out when it is first asked for.

    A shallow layer has 20 million values: only what is shown may cost time. What is not finite
    counts as 0.
    """

    values: Floats

    def range_of(self, channel: int) -> tuple[float, float]:
        """Lowest and highest value of one map."""
        plane = _finite(self.values[channel])
        return float(plane.min()), float(plane.max())

    @cached_property
    def low(self) -> Floats:
        """Lowest value of each map (C,)."""
        return self._of_each(lambda part: part.min((1, 2)))

    @cached_property
    def high(self) -> Floats:
        """Highest value of each map (C,)."""
        return self._of_each(lambda part: part.max((1, 2)))

    @cached_property
    def mean(self) -> Floats:
        return self._of_each(lambda part: part.mean((1, 2)))

    @cached_property
    def sparsity(self) -> Floats:
        """Share of each map's units that are exactly 0 (C,)."""
        return self._of_each(lambda part: (part == 0).mean((1, 2)))

    def _of_each(self, what: Callable[[Floats], Floats]) -> Floats:
        parts = [_finite(self.values[at : at + MAPS_AT_ONCE]) for at in range(0, len(self.values), MAPS_AT_ONCE)]
        return np.concatenate([what(part) for part in parts]).astype(np.float32)

    def remark(self, channel: int) -> str:
        """'dead' where no unit of a map is active on this image, 'constant' where all say the same; else ''."""
        if self.low[channel] != self.high[channel]:
            return ""
        plane = self.values[channel]
        if not plane.any():
            return "dead"
        return "constant" if plane.size > 1 and plane.min() == plane.max() else ""

    @cached_property
    def dead(self) -> int:
        """How many maps are active nowhere on this image: zero in every unit."""
        return sum(self.remark(int(channel)) == "dead" for channel in np.flatnonzero(self.low == self.high))

    @cached_property
    def constant(self) -> int:
        """How many maps say the same everywhere, but not zero; a single unit is no such map."""
        return sum(self.remark(int(channel)) == "constant" for channel in np.flatnonzero(self.low == self.high))

    @cached_property
    def deviation(self) -> Floats:
        """Standard deviation of each map's units (C,)."""
        return self._of_each(lambda part: part.std((1, 2)))

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


def _finite(values: Floats) -> Floats:
    """`values`, or a copy with 0 where they are not finite."""
    return values if np.isfinite(values.sum()) else np.nan_to_num(values, nan=0, posinf=0, neginf=0)


def _signed(statistics: MapStatistics, channel: int) -> tuple[float, float]:
    reach = max(float(np.abs(statistics.low).max()), float(np.abs(statistics.high).max()))
    return -reach, reach


LEVELS: dict[MapScale, Callable[[MapStatistics, int], tuple[float, float]]] = {
    MapScale.MAP: lambda s, channel: s.range_of(channel),
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
    statistics = MapStatistics(values)
    return np.stack([statistics.picture(channel, scale) for channel in range(len(values))])
