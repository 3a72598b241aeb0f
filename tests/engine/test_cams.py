"""Class activation maps and Grad-CAM against plain autograd on the networks as their authors wrote them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from segviz.core.cams import CamAnswer, CamRequest
from segviz.core.choices import Area, Heat, Pooling
from segviz.core.errors import SegvizError
from segviz.core.export import save_picture
from segviz.core.requests import DescribeRequest, SegmentRequest, Setup
from segviz.engine import cams
from segviz.engine.flow import finished
from segviz.engine.run import Engine
from tests.engine.foreign import Pyramid, Segmenter, made

CLOSE = 2e-6  # of the largest value: what float32 leaves of numbers in double precision
SUMMED = 2e-5  # the same of two orders of summing in float32


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Callable[[int, int], str]:
    folder = tmp_path_factory.mktemp("cams")

    def of(height: int, width: int) -> str:
        path = folder / f"{height}x{width}.png"
        save_picture(path, np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8))
        return str(path)

    return of


def asked(engine: Engine, setup: Setup, layer: str = "last", **how: object) -> CamAnswer:
    return finished(engine.run(CamRequest(setup, layer=layer, **how)))


def exactly(engine: Engine, setup: Setup, layer: str, **how: object) -> tuple[CamAnswer, nn.Module, Tensor]:
    """The same in float64, where no rounding takes a unit to the other side of a ReLU; with network and image."""
    loaded = engine._loaded(setup)
    loaded = replace(loaded, network=copy.deepcopy(loaded.network).double())
    job = engine.jobs.of(setup)
    job = replace(job, loaded=loaded, image=job.image.double())
    answer = finished(cams.answered(CamRequest(setup, layer=layer, **how), job))
    return answer, loaded.network, job.image


def plainly(network: nn.Module, image: Tensor, layer: str, score: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """A layer's maps (C, rows, columns) and the gradient of one score with respect to them, by a hook."""
    seen: list[Tensor] = []

    def keep(module: nn.Module, args: object, output: Tensor) -> Tensor:
        seen.append(output.detach().clone().requires_grad_())
        return seen[0].clone()  # which a ReLU behind it may write over

    handle = network.get_submodule(layer).register_forward_hook(keep)
    try:
        answer = network(image)
    finally:
        handle.remove()
    (gradient,) = torch.autograd.grad(score(answer), seen[0])
    return seen[0].detach()[0], gradient[0]


def same(found: np.ndarray, wanted: Tensor) -> None:
    truth = wanted.detach().numpy()
    assert found.shape == truth.shape
    assert np.abs(found - truth).max() <= CLOSE * np.abs(truth).max()


# ---------------------------------------------------------------------------------- classifiers


@pytest.mark.parametrize(
    ("spec", "layer", "size"),
    [
        ("lenet5", "c3", (32, 32)),
        ("nin-digits", "mlpconv2.1", (32, 32)),
        ("efficientnet_lite0", "blocks.13", (224, 224)),
        ("vgg_valid", "features.3", (60, 60)),
    ],
)
def test_a_classifier_on_its_native_size(engine, image, spec, layer, size):
    """Selvaraju et al. 2017, equation 1, on the published form: dense layers, pooling and all."""
    setup = Setup(spec, image(*size), 1.0)
    answer, network, given = exactly(engine, setup, layer, count=3)
    assert (answer.area, answer.layer, len(answer.classes)) == (Area.IMAGE, layer, 3)
    for at, index in enumerate(answer.classes):
        maps, gradient = plainly(network, given, layer, lambda out, index=index: out[0, index])
        weights = gradient.mean((1, 2))
        same(answer.weights[at], weights)
        same(answer.maps[at], torch.einsum("c,chw->hw", weights, maps))
        with torch.inference_mode():
            assert answer.scores[at] == pytest.approx(float(network(given)[0, index]), rel=1e-9)


def test_on_a_larger_image_global_average_pooling_takes_all_of_it(engine, image):
    """The published network runs on any size, and its logits are the means of the convolutional form's."""
    setup = Setup("nin-digits", image(70, 90), 1.0)
    answer, network, given = exactly(engine, setup, "mlpconv1.3", classes=(4,), count=1)
    maps, gradient = plainly(network, given, "mlpconv1.3", lambda out: out[0, 4])
    same(answer.maps[0], torch.einsum("c,chw->hw", gradient.mean((1, 2)), maps))


@pytest.mark.parametrize("spec", ["nin", "efficientnet_lite0", "allconv"])
@pytest.mark.parametrize("pooling", [Pooling.NONE, Pooling.WINDOW])
def test_cam_is_grad_cam_times_the_number_of_units(engine, image, spec, pooling):
    """Selvaraju et al. 2017, section 3.1: where CAM can be, both differ by the constant Z alone."""
    if spec == "efficientnet_lite0":
        setup = Setup(spec, image(224, 224), 1.0, pooling)
        layer, size = "bn_head", 49
    else:
        setup = Setup(spec, image(32, 32), 1.0, pooling)
        layer, size = {"nin": ("mlpconv3.5", 64), "allconv": ("conv9", 36)}[spec]
    exact = asked(engine, setup, heat=Heat.CAM, count=4)
    loaded = engine._loaded(setup)
    node = loaded.traced(False, loaded.entry.input_size).places[0].node
    with pytest.MonkeyPatch.context() as patch:
        if spec != "nin":  # the ReLU before the pooling is a function, which has no name
            traced = loaded.traced(True, loaded.entry.input_size)
            patch.setattr(cams, "_node", lambda _, __: traced.operations[node].sources[0])
        other = asked(engine, setup, layer, classes=exact.classes, count=4)
    assert exact.maps[0].size == size
    assert np.abs(exact.maps - size * other.maps).max() <= SUMMED * np.abs(exact.maps).max()
    assert exact.scores == other.scores


def test_the_mean_of_a_class_activation_map_is_the_logit(engine, image):
    """Zhou et al. 2016, equation 2, but for the bias; equation 1 of Lin et al. has none."""
    answer = asked(engine, Setup("efficientnet_lite0", image(224, 224), 1.0), heat=Heat.CAM, count=5)
    bias = engine._loaded(answer.request.setup).network.fc.bias.detach().numpy()[list(answer.classes)]
    assert answer.maps.mean((1, 2)) + bias == pytest.approx(np.array(answer.scores), rel=1e-3, abs=1e-3)
    assert answer.layer == "input of pool"
    maps = asked(engine, Setup("nin", image(32, 32), 1.0), heat=Heat.CAM, count=10)
    assert maps.maps.mean((1, 2)) == pytest.approx(np.array(maps.scores), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("spec", ["lenet5", "fcn8s-digits", "vgg_valid"])
def test_without_global_average_pooling_there_is_no_class_activation_map(engine, image, spec):
    with pytest.raises(SegvizError, match="choose Grad-CAM"):
        asked(engine, Setup(spec, image(96, 96), 1.0), heat=Heat.CAM)


WITH_CAM = ("nin-digits", "efficientnet_lite0", "allconv")
WITHOUT_CAM = ("lenet5", "fcn8s-digits", "vgg_valid", "unet-cells", "segnet-digits")


@pytest.mark.parametrize("spec", [*WITH_CAM, *WITHOUT_CAM])
@pytest.mark.parametrize("converted", [True, False])
def test_the_description_knows_beforehand_whether_there_is_a_class_activation_map(engine, image, spec, converted):
    setup = Setup(spec, image(96, 96), 1.0)
    known = finished(engine.run(DescribeRequest(setup, converted=converted))).no_cam
    if spec in WITH_CAM:
        assert known == ""
        asked(engine, setup, heat=Heat.CAM, count=1)
    else:
        with pytest.raises(SegvizError) as refused:
            asked(engine, setup, heat=Heat.CAM, count=1)
        assert str(refused.value) == f"{known}; choose Grad-CAM"


# --------------------------------------------------------------------------------- segmentations


@pytest.mark.parametrize(
    ("spec", "layer", "size"),
    [
        ("fcn8s-efficientnet_lite0", "backbone.blocks.12", (96, 128)),  # skips go around it
        ("unet-cells", "bottom.1", (188, 188)),
        ("segnet-digits", "encoder.0.0", (64, 96)),
    ],
)
def test_a_segmentation_over_the_label_of_each_class(engine, image, spec, layer, size):
    """Vinogradova et al. 2020, equation 1: the sum of a class's logits over the pixels that have its label."""
    setup = Setup(spec, image(*size), 1.0)
    loaded = engine._loaded(setup)
    layer = layer if any(name == layer for name, _ in loaded.network.named_modules()) else _some_layer(loaded.network)
    answer, network, given = exactly(engine, setup, layer, count=2)
    assert answer.area is Area.LABEL
    with torch.inference_mode():
        logits = network(given)[0]
    inside = _of_the_image(engine, setup, logits)
    for at, index in enumerate(answer.classes):
        mask = (logits.argmax(0) == index) & inside
        assert answer.units[at] == int(mask.sum()) > 0
        maps, gradient = plainly(network, given, layer, lambda out, i=index, m=mask: out[0, i][m].sum())
        same(answer.maps[at], torch.einsum("c,chw->hw", gradient.mean((1, 2)), maps))


def _some_layer(network: nn.Module) -> str:
    return next(name for name, module in network.named_modules() if isinstance(module, nn.Conv2d))


def _of_the_image(engine: Engine, setup: Setup, logits: Tensor) -> Tensor:
    """The part of an answer that lies on the image, as a prediction has it."""
    rows, columns = finished(engine.run(SegmentRequest(setup))).logits.shape[1:]
    inside = torch.zeros(logits.shape[1:], dtype=torch.bool)
    inside[:rows, :columns] = True
    return inside


def test_one_unit_and_a_box_of_a_segmentation(engine, image):
    setup = Setup("segnet-digits", image(64, 96), 1.0)
    layer = _some_layer(engine._loaded(setup).network)
    how = {"classes": (3,), "count": 1}
    one, network, given = exactly(engine, setup, layer, area=Area.UNIT, point=(40.2, 17.9), **how)
    maps, gradient = plainly(network, given, layer, lambda out: out[0, 3, 18, 40])
    same(one.maps[0], torch.einsum("c,chw->hw", gradient.mean((1, 2)), maps))
    part, network, given = exactly(engine, setup, layer, area=Area.BOX, box=(10, 20, 30, 8), **how)
    maps, gradient = plainly(network, given, layer, lambda out: out[0, 3, 20:28, 10:40].sum())
    same(part.maps[0], torch.einsum("c,chw->hw", gradient.mean((1, 2)), maps))
    assert (one.units, part.units) == ((1,), (240,))
    with pytest.raises(SegvizError, match="choose a larger one"):
        asked(engine, setup, layer, area=Area.BOX, box=(500, 500, 4, 4))


def test_one_sigmoid_speaks_for_its_class_and_against_the_other(engine, image):
    answer = asked(engine, Setup("selfie_general", image(64, 64)), "last", classes=(0, 1), count=2, area=Area.IMAGE)
    assert np.array_equal(answer.maps[0], -answer.maps[1])
    assert answer.scores[0] == -answer.scores[1]


# ---------------------------------------------------------------------------- nothing to be seen


def test_a_class_without_a_label_says_so(engine, image):
    setup = Setup("fcn8s-efficientnet_lite0", image(96, 128), 1.0)
    labels = finished(engine.run(SegmentRequest(setup))).labels
    missing = next(index for index in range(7) if not (labels == index).any())
    answer = asked(engine, setup, "score_fr", classes=(missing,), count=1)
    assert answer.remarks == (cams.NO_LABEL,)
    assert not answer.maps.any()


def test_a_dead_layer_says_so(engine, image):
    """Behind a ReLU that lets nothing through no gradient is left."""
    setup = Setup("nin-digits", image(40, 40), 1.0)
    network = engine._loaded(setup).network
    bias = next(p for name, p in network.named_parameters() if name.startswith("mlpconv2.1") and name.endswith("bias"))
    before = bias.detach().clone()
    with torch.no_grad():
        bias.fill_(-1e6)
    try:
        answer = asked(engine, setup, "mlpconv2.1", count=2)
    finally:
        with torch.no_grad():
            bias.copy_(before)
    assert answer.remarks == (cams.SILENT,) * 2
    assert not answer.maps.any()


def test_a_layer_that_the_answer_does_not_depend_on_is_refused(engine, image):
    with pytest.raises(SegvizError, match="nothing of the answer depends on layer 'landmarks'"):
        asked(engine, Setup("mtcnn_onet", image(80, 80), 1.0), "landmarks")


def test_a_class_that_there_is_not_is_refused(engine, image):
    with pytest.raises(SegvizError, match="no class 10"):
        asked(engine, Setup("lenet5", image(32, 32), 1.0), "c3", classes=(10,))


# ---------------------------------------------------------------------------------- many at once


def test_classes_in_small_batches_are_the_same(engine, image, monkeypatch):
    setup = Setup("efficientnet_lite0", image(224, 224), 1.0)
    together = asked(engine, setup, "blocks.14", count=4)
    monkeypatch.setattr(cams, "MOST_GRADIENTS", 1)
    apart = asked(engine, setup, "blocks.14", count=4)
    assert np.abs(together.maps - apart.maps).max() <= SUMMED * np.abs(together.maps).max()


@pytest.mark.parametrize("network", [Segmenter(), Pyramid()], ids=["gated", "pyramid"])
def test_where_no_batch_goes_back_they_go_one_by_one(network, monkeypatch):
    leaf = torch.rand(1, 3, 32, 32, requires_grad=True)
    wanted = made(network)(leaf).sum((0, 2, 3))
    together, at_once = cams._batched(wanted, leaf)
    assert at_once
    plain = torch.autograd.grad

    def refusing(*args, is_grads_batched=False, **rest):
        if is_grads_batched:
            raise RuntimeError("vmap: inplace arithmetic")
        return plain(*args, **rest)

    monkeypatch.setattr(torch.autograd, "grad", refusing)
    apart, at_once = cams._batched(wanted, leaf)
    assert not at_once
    assert torch.allclose(together, apart, atol=1e-5)


def test_that_classes_went_one_by_one_is_told(engine, image, monkeypatch):
    setup, plain = Setup("lenet5", image(32, 32), 1.0), torch.autograd.grad
    assert cams.ONE_BY_ONE not in asked(engine, setup, "c3", count=2).notes
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, is_grads_batched=False, **rest: (
        broken("vmap: inplace arithmetic") if is_grads_batched else plain(*args, **rest)
    ))  # fmt: skip
    assert cams.ONE_BY_ONE in asked(engine, setup, "c3", count=2).notes


def broken(message):
    raise RuntimeError(message)


@pytest.mark.parametrize("message", ["CUDA out of memory. Tried to allocate 2.00 GiB", "INTERNAL ASSERT FAILED"])
def test_what_fails_for_another_reason_is_not_hidden(message, monkeypatch):
    """Without memory nothing is tried again class by class; another fault comes up in every class."""
    leaf, tried = torch.rand(1, 3, 8, 8, requires_grad=True), []
    wanted = leaf.square().sum((0, 2, 3))
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, **rest: tried.append(args) or broken(message))
    with pytest.raises(RuntimeError, match=message[:10]):
        cams._batched(wanted, leaf)
    assert len(tried) == (1 if "memory" in message else 2)


def test_nothing_is_left_on_the_network(engine, image):
    """Neither a hook nor a gradient nor a flag, also when it is stopped half-way or fails."""
    setup = Setup("segnet-digits", image(64, 96), 1.0)
    network = engine._loaded(setup).network

    def marks() -> list[object]:
        modules, parameters = list(network.modules()), list(network.parameters())
        hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in modules]
        return [hooks, [m.training for m in modules], [(p.requires_grad, p.grad) for p in parameters]]

    before = marks()
    request = CamRequest(setup, layer=_some_layer(network))
    finished(engine.run(request))
    with closing(engine.run(request)) as steps:
        assert next(steps).total
    with pytest.raises(SegvizError):
        finished(engine.run(replace(request, layer="no-such-layer")))
    assert marks() == before
    assert torch.is_grad_enabled()


# --------------------------------------------------------------------------------- the package


def test_against_the_package_grad_cam(engine, image):
    """Where https://github.com/jacobgil/pytorch-grad-cam is installed; it scales each map to 0 ... 1."""
    package = pytest.importorskip("pytorch_grad_cam", reason="grad-cam is not installed: pip install grad-cam")
    targets = pytest.importorskip("pytorch_grad_cam.utils.model_targets")
    setup = Setup("nin", image(32, 32), 1.0)
    layer = "mlpconv1.4"  # of the image's own size, so that nothing is resized
    answer = asked(engine, setup, layer, count=3)
    loaded = engine._loaded(setup)
    given = engine.jobs.of(setup).image
    for at, index in enumerate(answer.classes):
        with package.GradCAM(model=loaded.network, target_layers=[loaded.network.get_submodule(layer)]) as cam:
            theirs = cam(input_tensor=given.clone(), targets=[targets.ClassifierOutputTarget(index)])[0]
        ours = answer.shown(at, signed=False)
        span = ours.max() - ours.min()
        assert np.abs((ours - ours.min()) / (span + 1e-7) - theirs).max() < 1e-4
