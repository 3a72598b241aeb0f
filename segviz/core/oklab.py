"""Colours as people see them: sRGB to OKLab and back, and sets of colours that lie far apart in it.

Ottosson 2020, "A perceptual color space for image processing": distances in OKLab are about as
large as colours look different, and its L is about as light as a colour looks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def to_oklab(rgb: npt.ArrayLike) -> Floats:
    """Colours (..., 3) of 0..255 in OKLab: lightness 0..1, green-red, blue-yellow."""
    share = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T)


def to_rgb(lab: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Colours (..., 3) of OKLab as 0..255; what no screen can show is clipped."""
    cones = np.asarray(lab, dtype=np.float64) @ np.linalg.inv(_TO_LAB).T
    linear = np.clip(cones**3 @ np.linalg.inv(_TO_CONES).T, 0, 1)
    share = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(share * 255), dtype=np.uint8)


def blended(anchors: npt.ArrayLike, count: int = 256) -> npt.NDArray[np.uint8]:
    """`count` colours (count, 3) on a smooth curve through evenly spaced `anchors` (n, 3), without kinks.

    Catmull and Rom 1974, in OKLab; both ends are met exactly.
    """
    lab = to_oklab(anchors)
    place = np.linspace(0, len(lab) - 1, count)
    left = np.minimum(place.astype(np.intp), len(lab) - 2)
    t = (place - left)[:, None]
    padded = np.concatenate([[2 * lab[0] - lab[1]], lab, [2 * lab[-1] - lab[-2]]])
    a, b, c, d = (padded[left + k] for k in range(4))
    cubic = -a + 3 * b - 3 * c + d
    square = 2 * a - 5 * b + 4 * c - d
    return to_rgb(b + t / 2 * (c - a + t * (square + t * cubic)))


_STEP = 9  # between candidates along red, green and blue: 29 each
_DARKEST, _LIGHTEST, _PALEST = 0.48, 0.93, 0.055  # of OKLab's lightness and chroma: visible on photographs
_AVOIDED = ((0, 0, 0), (255, 255, 255), (128, 128, 128))


def far_apart(
    first: npt.ArrayLike, count: int, darkest: float = _DARKEST, strongest: float = 1.0
) -> npt.NDArray[np.uint8]:
    """`count` colours (count, 3), `first` among them, each as far as possible from all before it.

    The greedy farthest-point order of Gonzalez 1985, as Glasbey et al. 2007 use it for colours;
    near-greys, the lightest colours, those darker than `darkest` and those of more chroma than `strongest` are
    left out. Deterministic.
    """
    axis = np.append(np.arange(0, 255, _STEP), 255)
    candidates = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    lab = to_oklab(candidates)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    fit = (lab[:, 0] >= darkest) & (lab[:, 0] <= _LIGHTEST) & (chroma >= _PALEST) & (chroma <= strongest)
    candidates, lab = candidates[fit], lab[fit]
    chosen = [np.asarray(colour) for colour in np.asarray(first)]
    distance = np.full(len(lab), np.inf)
    for colour in to_oklab(np.array([*_AVOIDED, *chosen])):
        distance = np.minimum(distance, _squared(lab, colour))
    while len(chosen) < count:
        best = int(distance.argmax())
        chosen.append(candidates[best])
        distance = np.minimum(distance, _squared(lab, lab[best]))
    return np.array(chosen[:count], dtype=np.uint8)


def _squared(lab: Floats, colour: Floats) -> Floats:
    return np.asarray(((lab - colour) ** 2).sum(1))
