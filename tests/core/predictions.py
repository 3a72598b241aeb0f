"""Small predictions by hand, for tests that need an answer but no engine."""

from __future__ import annotations

import numpy as np

from segviz.core import scores
from segviz.core.choices import Method, Upsampling
from segviz.core.field import Box
from segviz.core.frames import Lattice
from segviz.core.requests import Prediction, SegmentRequest, Setup
from segviz.core.resample import upsample


def prediction(
    logits: np.ndarray, height: int = 24, width: int = 40, how: Upsampling = Upsampling.BILINEAR
) -> Prediction:
    """The answer to logits (classes, rows, columns) on a lattice with unequal steps, labels by its definition."""
    count, rows, columns = logits.shape
    lattice = Lattice(rows, columns, (3.5, 2.0), (8.0, 6.0))
    wide = np.stack([upsample(plane, lattice, how, height, width) for plane in logits])
    labels = wide.argmax(0).astype(np.uint8)
    confidence = np.zeros((height, width), np.uint8)
    levels = scores.levels(labels, confidence, count)
    return Prediction(
        request=SegmentRequest(Setup("lenet5", "digits.png"), upsampling=how),
        method=Method.UPSAMPLED,
        reason="",
        upsampling=how,
        classes=tuple(f"class {index}" for index in range(count)),
        logits=logits.astype(np.float32),
        lattice=lattice,
        labels=labels,
        confidence=confidence,
        shares=scores.shares(levels),
        levels=levels,
        region=Box(0, 0, width, height),
        scale=1.0,
        seconds=0.0,
        device="cpu",
    )
