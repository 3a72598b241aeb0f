"""Row 20: a network is traced once for a size, and from then on a click is answered from integers."""

from __future__ import annotations

from torch import Tensor, nn

from benchmarks import peers
from benchmarks.measure import Found, Measure, Plan, Side, at_most, interleaved
from benchmarks.subjects import Eager, network, noise
from segviz.core.field_paths import chain, paths
from segviz.engine.graph import trace

FULL, QUICK = (224, 224), (224, 224)
TRACED, FORWARD, CLICK, INSIDE = "traced", "forward pass", "click", "click with paths and chain"
CLICKS = 200  # in one sample


def traced_once(plan: Plan) -> Found:
    """Row 20. ResNet-50 is torchvision's, where that is installed."""
    image = noise(3, plan.size(FULL, QUICK))
    found = Found(f"on {image.shape[2]}x{image.shape[3]}, one image; a click is the field of the last layer's unit")
    _measured(found, plan, "VGG16", network("vgg16").network, image)
    torchvision = peers.needed("torchvision.models")
    _measured(found, plan, "ResNet-50", torchvision.get_model("resnet50", weights=None).eval(), image)
    return found


def _measured(found: Found, plan: Plan, title: str, module: nn.Module, image: Tensor) -> None:
    """One network: tracing over a forward pass, and what a click takes of that."""
    shape = int(image.shape[1]), int(image.shape[2]), int(image.shape[3])
    geometry = trace(module, shape).geometry
    layer = max((name for name, _ in geometry.layers if geometry.grid(name) != (1, 1)), key=geometry.index)
    row, column = (side // 2 for side in geometry.grid(layer))

    def inside() -> None:
        paths(geometry, layer, row, column)
        chain(geometry, layer, row, column)

    sides = [
        Side(f"{title}, {TRACED}", lambda: trace(module, shape)),
        Side(f"{title}, {FORWARD}", Eager(module, image)),
        Side(f"{title}, {CLICK}", lambda: geometry.field(layer, row, column), calls=CLICKS),
        Side(f"{title}, {INSIDE}", inside, calls=10),
    ]
    times = found.took(interleaved(sides, plan.rounds(9), plan.clock))
    forward = f"{title}, {FORWARD}"
    limits = {TRACED: at_most(3), CLICK: at_most(0.01), INSIDE: None}
    found.measures += [
        Measure(f"{title}: {side} / forward pass", times.ratio(f"{title}, {side}", forward), target=limit)
        for side, limit in limits.items()
    ]
