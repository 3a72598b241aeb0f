"""Whether the fully convolutional network answers as the classifier does on windows: proof and reason.

The proof is of the graph: without padding, ceil mode and gates a unit is computed from the pixels of
its window alone, by the same operations (lecture T19). What breaks it is named.
"""

from __future__ import annotations

import math

from segviz.core.catalogue import Entry
from segviz.core.choices import Equality
from segviz.core.requests import Exactness
from segviz.engine.graph import Trace

_FLOOR = "pooling=floor"


def exactness(native: Trace, dense: Trace, entry: Entry) -> Exactness:
    """Compare a classifier traced on its window, `native`, with its convolutional form on an image, `dense`."""
    if native.padded:
        return Exactness(Equality.NONE, _padding(native), _margin(dense))
    if native.overhanging:
        return Exactness(Equality.NONE, _overhang(native, entry))
    nodes = [node for traced in (native, dense) for node in traced.geometry.nodes]
    if any(node.gates for node in nodes) or any(node.whole for node in dense.geometry.nodes):
        return Exactness(Equality.NONE, "a gate averages over all that the network is given, a window or the image")
    unknown = next((node.reason for node in nodes if node.reason), "")
    if unknown:
        return Exactness(Equality.NONE, f"equality cannot be proven from the graph: {unknown}")
    if dense.padded or dense.overhanging:
        reason = "a window needs no padding, and the image only at its border"
        return Exactness(Equality.INTERIOR, reason, _margin(dense))
    return Exactness(Equality.EVERYWHERE, "no padding and no ceil mode, proven from the graph")


def _padding(native: Trace) -> str:
    return (
        f"{native.padded} padded convolutions: at a window's border the classifier sees zero padding where the "
        "fully convolutional network sees the image's own pixels"
    )


def _overhang(native: Trace, entry: Entry) -> str:
    height, width = native.geometry.height, native.geometry.width
    exact = f"; '{entry.name}?pooling=floor' is the variant that races exactly" if _FLOOR in entry.variants else ""
    poolings = "pooling" if native.overhanging == 1 else "poolings"
    return (
        f"{native.overhanging} {poolings} in ceil mode: the kernel hangs over the border of a {height}x{width} window, "
        f"where inside the image it does not{exact}"
    )


def _margin(dense: Trace) -> int:
    """Half the largest field of the logits: further inside, no field reaches over the border."""
    geometry = dense.geometry
    rows, columns = geometry.grid("last")
    box = geometry.field("last", rows // 2, columns // 2).box
    return math.ceil(max(box.width, box.height) / 2)
