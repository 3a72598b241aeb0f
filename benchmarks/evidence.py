"""Row 11: Grad-CAM of twenty classes: one forward pass, and all of them back through the head in one batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks import peers
from benchmarks.measure import Found, Measure, Plan, Side, SkippedError, Target, at_least, at_most, interleaved
from benchmarks.subjects import Eager, noise
from segviz.core.cams import CamRequest
from segviz.core.choices import Device, Pooling
from segviz.core.frames import Frame
from segviz.core.requests import Setup
from segviz.engine import cams
from segviz.engine.flow import finished
from segviz.engine.job import Job
from segviz.engine.store import Store, Version

CLASSES = 20
FULL, QUICK = ("vgg16", "features.29"), ("nin", "mlpconv3.1")  # networks, and layers before their heads
OURS, FORWARD, SINGLE = "segviz", "one forward", "class by class"
TORCHCAM, GRAD_CAM = "torchcam", "grad-cam"


def twenty_classes(plan: Plan) -> Found:
    """Row 11."""
    name, layer = QUICK if plan.quick else FULL
    loaded = Store().network(name, Pooling.AUTO, Device.CPU)
    native, network = loaded.entry.input_size, loaded.network
    image = noise(native[0], native[1:])
    frame = Frame(native[1:], native[1:], native[1:])
    job = Job(loaded, image, Version(0, 0, 0), frame, loaded.traced(False, native))
    wanted = tuple(range(min(CLASSES, loaded.entry.class_count)))
    request = CamRequest(Setup(name), layer=layer, classes=wanted, count=len(wanted))
    by_hand = _ClassByClass(network, layer, image, len(wanted))
    size = f"{native[2]}x{native[1]}"
    found = Found(f"{loaded.entry.title}, random weights, {size}, {len(wanted)} classes at layer {layer}")
    sides = [
        Side(OURS, lambda: finished(cams.answered(request, job))),
        Side(FORWARD, Eager(network, image)),
        Side(SINGLE, by_hand),
    ]
    targets: dict[str, Target | None] = {SINGLE: None}
    for peer, make, target in ((TORCHCAM, _torchcam, at_least(10)), (GRAD_CAM, _grad_cam, at_least(40))):
        try:
            sides.append(Side(peer, make(network, layer, image, len(wanted))))
            targets[peer] = target
        except SkippedError as error:
            found.notes.append(str(error))
    times = found.took(interleaved(sides, plan.rounds(5), plan.clock))
    found.measures = [Measure(f"{OURS} / {FORWARD}", times.ratio(OURS, FORWARD), target=at_most(2.5))]
    found.measures += [
        Measure(f"{other} / {OURS}", times.ratio(other, OURS), target=target) for other, target in targets.items()
    ]
    theirs, ours = by_hand(), torch.from_numpy(finished(cams.answered(request, job)).maps)
    off = float((theirs - ours).abs().max() / theirs.abs().max())
    found.measures.append(Measure(f"largest difference from {SINGLE}, relative", (off,), "", at_most(1e-4)))
    return found


class _ClassByClass:
    """Grad-CAM as it is usually written: one forward pass, then each class back to the layer by itself."""

    def __init__(self, network: nn.Module, layer: str, image: Tensor, classes: int) -> None:
        self._network, self._layer, self._image, self._classes = network, layer, image, classes

    def __call__(self) -> Tensor:
        """The maps (classes, rows, columns)."""
        seen: list[Tensor] = []

        def keep(module: nn.Module, args: object, output: Tensor) -> None:
            seen.append(output)

        handle = self._network.get_submodule(self._layer).register_forward_hook(keep)
        try:
            scores = self._network(self._image)[0]
        finally:
            handle.remove()
        back = (torch.autograd.grad(scores[index], seen[0], retain_graph=True)[0] for index in range(self._classes))
        weights = torch.stack([gradient.mean((2, 3))[0] for gradient in back])
        return torch.einsum("kc,chw->khw", weights, seen[0][0]).detach()


def _torchcam(network: nn.Module, layer: str, image: Tensor, classes: int) -> Callable[[], object]:
    """torchcam: it keeps the graph of one forward pass."""
    extractor = peers.needed("torchcam.methods").GradCAM

    def run() -> None:
        with extractor(network, target_layer=layer) as cam:
            scores = network(image)
            for index in range(classes):
                cam(index, scores, retain_graph=True)

    return run


def _grad_cam(network: nn.Module, layer: str, image: Tensor, classes: int) -> Callable[[], object]:
    """pytorch-grad-cam, called for each class as its documentation has it."""
    extractor = peers.needed("pytorch_grad_cam", "grad-cam").GradCAM
    target = peers.needed("pytorch_grad_cam.utils.model_targets", "grad-cam").ClassifierOutputTarget

    def run() -> None:
        with extractor(model=network, target_layers=[network.get_submodule(layer)]) as cam:
            for index in range(classes):
                cam(input_tensor=image, targets=[target(index)])

    return run
