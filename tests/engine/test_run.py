"""Request to answer, on real networks and real images."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from segviz.core import assets, scores
from segviz.core.catalogue import class_index
from segviz.core.choices import Device, Method, Pooling, Upsampling
from segviz.core.errors import SegvizError
from segviz.core.planning import plan_description
from segviz.core.races import RaceRequest
from segviz.core.regions import Region
from segviz.core.requests import (
    ClassifyRequest,
    DescribeRequest,
    FeatureRequest,
    PartialLabels,
    Request,
    SegmentRequest,
    Setup,
)
from segviz.core.session import State
from segviz.core.steps import Interval
from segviz.engine import devices, rules
from segviz.engine.inference import METHODS, _held
from segviz.engine.run import ANSWERS, Engine
from segviz.engine.store import Kept, Store


@pytest.fixture(scope="module")
def engine():
    return Engine()


def answer(engine, request, updates=None):
    run = engine.run(request)
    while True:
        try:
            update = next(run)
        except StopIteration as end:
            return end.value
        if updates is not None:
            updates.append(update)


def photograph(name):
    return str(assets.sample(name))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A small part of a digit page, 96 x 128."""
    path = tmp_path_factory.mktemp("page") / "page.png"
    with Image.open(assets.sample("digits-256x256.png")) as image:
        image.crop((20, 30, 148, 126)).save(path)
    return str(path)


def test_castle_is_found_on_the_castle(engine):
    """The lecture's own example (T18); measured with the reference network: 0.69 at native size."""
    request = SegmentRequest(Setup("efficientnet_lite0", photograph("castle-maintenon.jpg"), 1.0), Method.COARSE)
    found = answer(engine, request)
    value, (x, y) = scores.peak(found, class_index(found.classes, "castle"))
    assert found.logits.shape == (1000, 22, 32)
    assert value == pytest.approx(0.69, abs=0.01)
    assert 90 < x < 860
    assert 100 < y < 560


@pytest.mark.parametrize(("image", "name"), [("european-honey-bee.jpg", "bee"), ("coffee.png", "espresso")])
def test_bee_and_espresso_at_the_recommended_scale(engine, image, name):
    found = answer(engine, SegmentRequest(Setup("efficientnet_lite0", photograph(image)), Method.COARSE))
    assert scores.peak(found, class_index(found.classes, name))[0] > 0.95


def test_the_face_of_the_astronaut(engine):
    """Issue: at least 0.99 within 30 pixels of (225, 120)."""
    request = SegmentRequest(Setup("mtcnn_onet?pooling=floor", photograph("astronaut.png"), 0.45))
    value, (x, y) = scores.peak(answer(engine, request), 1)
    assert value > 0.99
    assert np.hypot(x - 225, y - 120) < 30


@pytest.mark.parametrize(("image", "share"), [("astronaut.png", 0.545), ("grace_hopper.jpg", 0.578)])
def test_the_person_of_a_portrait(engine, image, share):
    """Shares of the network's own 256x256 input; ours keeps the aspect ratio, so only about equal."""
    found = answer(engine, SegmentRequest(Setup("selfie_general", photograph(image))))
    assert found.method is Method.NATIVE
    assert dict(found.shares)[1] == pytest.approx(share, abs=0.04)
    middle = found.labels[found.labels.shape[0] // 2, found.labels.shape[1] // 2]
    assert found.classes[middle] == "person"


def test_labels_are_as_large_as_the_image_and_sum_to_one(engine, page):
    found = answer(engine, SegmentRequest(Setup("lenet5", page)))
    assert found.labels.shape == (96, 128)
    assert found.logits.shape == (10, 17, 25)
    assert sum(share for _, share in found.shares) == pytest.approx(1)
    assert found.lattice.start == (15.5, 15.5)
    assert found.lattice.stride == (4, 4)


def test_sliding_window_equals_the_coarse_network_and_shows_itself(engine, page):
    """LeNet-5 has no padding: equal at every position (lecture T19)."""
    updates = []
    slid = answer(engine, SegmentRequest(Setup("lenet5", page), Method.SLIDING_WINDOW), updates)
    dense = answer(engine, SegmentRequest(Setup("lenet5", page), Method.COARSE))
    assert np.abs(slid.logits - dense.logits).max() < 1e-4
    assert slid.lattice == dense.lattice
    assert np.array_equal(slid.labels, dense.labels)
    shown = [u for u in updates if isinstance(u, PartialLabels)]
    assert shown
    assert shown[-1].box is not None


def test_sliding_window_with_a_stride_of_its_own(engine, page):
    found = answer(engine, SegmentRequest(Setup("lenet5", page), Method.SLIDING_WINDOW, grid_stride=16))
    assert found.logits.shape == (10, 5, 7)
    assert found.lattice.stride == (16, 16)


def test_watching_a_sliding_window_leaves_torch_as_it_was(engine, page):
    run = engine.run(SegmentRequest(Setup("lenet5", page), Method.SLIDING_WINDOW, grid_stride=8))
    next(run)
    assert not torch.is_inference_mode_enabled()
    run.close()


def test_what_is_told_of_feature_maps_can_be_stopped(engine, page, monkeypatch):
    """A first layer may have 100 million values, which take a second."""
    monkeypatch.setattr("segviz.core.maps.AT_ONCE", 1)  # a map at a time
    updates = []
    whole = answer(engine, FeatureRequest(Setup("lenet5", page), "c1"), updates)
    maps = [update for update in updates if update.unit == "maps"]
    assert [update.done for update in maps] == [1, 2, 3, 4, 5, 6]
    run = engine.run(FeatureRequest(Setup("lenet5", page), "c1"))
    while next(run) != maps[2]:
        pass
    run.close()
    assert np.array_equal(answer(engine, FeatureRequest(Setup("lenet5", page), "c1")).values, whole.values)


def test_windows_whose_logits_do_not_fit_are_refused_before_the_work(engine, page, monkeypatch):
    monkeypatch.setattr("segviz.engine.devices.available_bytes", lambda: 1000)
    with pytest.raises(SegvizError, match=r"54 windows, 12 pixels apart, needs about .* lower the scale"):
        answer(engine, SegmentRequest(Setup("lenet5", page), Method.SLIDING_WINDOW, grid_stride=12))


def test_direct_labels_whole_fields(engine, page):
    direct = answer(engine, SegmentRequest(Setup("lenet5", page), Method.DIRECT))
    coarse = answer(engine, SegmentRequest(Setup("lenet5", page), Method.COARSE))
    best = coarse.logits.reshape(10, -1)
    surest = int(scores.softmax(best).max(0).argmax())
    row, column = divmod(surest, 25)
    box = direct.labels[row * 4 : row * 4 + 32, column * 4 : column * 4 + 32]
    assert (box == best[:, surest].argmax()).all()


def test_a_region_is_the_same_part_of_the_whole(engine, page):
    whole = answer(engine, SegmentRequest(Setup("lenet5", page), upsampling=Upsampling.BICUBIC))
    part = answer(engine, SegmentRequest(Setup("lenet5", page), upsampling=Upsampling.BICUBIC, region=(30, 20, 50, 40)))
    assert np.array_equal(part.labels, whole.labels[20:60, 30:80])
    with pytest.raises(SegvizError, match="no pixel of the image"):
        answer(engine, SegmentRequest(Setup("lenet5", page), region=(500, 0, 5, 5)))


def test_describe_moves_with_the_image_and_the_scale(engine, page):
    native = answer(engine, DescribeRequest(Setup("lenet5")))
    assert native.geometry.grid("last") == (1, 1)
    at_work = answer(engine, DescribeRequest(Setup("lenet5", page)))
    assert at_work.geometry.grid("last") == (17, 25)
    assert [step.layer for step in at_work.conversion] == ["flatten", "c5", "f6", "output"]
    halved = answer(engine, DescribeRequest(Setup("lenet5", page, 0.5)))
    assert halved.frame.inner == (48, 64)


def test_summary_of_the_published_form(engine):
    found = answer(engine, DescribeRequest(Setup("lenet5"), converted=False))
    assert found.total_parameters == found.trainable_parameters == 61_706
    assert found.layer("c5").type == "Linear"


def test_features_are_the_layers_output(engine, page):
    found = answer(engine, FeatureRequest(Setup("lenet5", page), "c3"))
    assert found.values.shape == (16, 42, 58)
    last = answer(engine, FeatureRequest(Setup("lenet5", page), "last"))
    assert last.layer == "output"
    dense = answer(engine, SegmentRequest(Setup("lenet5", page), Method.COARSE))
    assert np.array_equal(last.values, dense.logits)


@pytest.mark.parametrize(
    "spec",
    ["lenet5", "efficientnet_lite0", "selfie_general", "mtcnn_pnet", "nin", "allconv", "unet", "segnet",
     "fcn8s-efficientnet_lite0"],
)  # fmt: skip
@pytest.mark.parametrize("size", [(1, 1), (3, 50)])
def test_tiny_images_are_padded_and_say_so(engine, spec, size, tmp_path):
    path = tmp_path / "tiny.png"
    Image.new("RGB", size, "red").save(path)
    found = answer(engine, SegmentRequest(Setup(spec, str(path))))
    assert found.labels.shape == (size[1], size[0])
    assert bool(found.notes) == (spec != "efficientnet_lite0")


def test_a_network_that_answers_for_less_sees_the_image_mirrored(engine, tmp_path):
    """Ronneberger et al. 2015, figure 2: every pixel gets an answer of its own, the same as on the mirrored image."""
    drawn = np.random.default_rng(0).integers(0, 255, (7, 20), np.uint8)
    Image.fromarray(drawn).save(tmp_path / "small.png")
    found = answer(engine, SegmentRequest(Setup("unet", str(tmp_path / "small.png"))))
    assert (found.lattice.rows, found.lattice.columns) == (7, 20)
    assert (found.lattice.start, found.lattice.stride) == ((0, 0), (1, 1))
    assert any("7x20 was mirrored at its border, to 204x204" in note for note in found.notes)
    mirrored = np.pad(drawn, ((92, 105), (92, 92)), mode="reflect").astype(np.float32) / 255
    network = engine.store.network("unet", Pooling.AUTO, Device.AUTO).network
    with torch.inference_mode():
        wanted = network(torch.from_numpy(mirrored)[None, None])[0, :, :7].numpy()
    assert np.abs(found.logits - wanted).max() < 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (SegmentRequest(Setup("lenet5", None)), "no image"),
        (SegmentRequest(Setup("lenet5", "/nowhere/x.png")), "x.png"),
        (SegmentRequest(Setup("lenet6", "x.png")), "no network 'lenet6'"),
        (SegmentRequest(Setup("selfie_general", photograph("coffee.png")), Method.SLIDING_WINDOW), "native"),
        (SegmentRequest(Setup("selfie_general", photograph("coffee.png")), Method.DIRECT), "native"),
        (SegmentRequest(Setup("lenet5", photograph("coffee.png")), Method.NATIVE), "upsampled"),
        (SegmentRequest(Setup("lenet5", photograph("coffee.png")), Method.SLIDING_WINDOW, grid_stride=0), "is 0"),
        (RaceRequest(Setup("lenet5", photograph("coffee.png")), 0), "stride is 0"),
        (SegmentRequest(Setup("lenet5", photograph("coffee.png"), 99.0)), "scale is 99"),
        (FeatureRequest(Setup("lenet5", photograph("coffee.png")), "c9"), "no layer 'c9'"),
    ],
)
def test_messages_name_the_value_and_the_remedy(engine, request_, message):
    with pytest.raises(SegvizError, match=message):
        answer(engine, request_)


class TestRace:
    def test_lenet5_is_exact(self, engine, page):
        found = answer(engine, RaceRequest(Setup("lenet5", page), budget=5))
        assert found.exact
        assert found.max_abs_difference < 1e-5
        assert found.label_agreement == 1
        assert found.center_offset == (0, 0)
        assert found.sliding_window.outputs == found.fully_convolutional.outputs == 17 * 25
        assert found.speedup > 0
        assert found.sliding_window.macs == 416_520 * 17 * 25
        assert "no padding" in found.reason

    def test_onet_with_floor_pooling_is_exact_and_as_published_it_is_not(self, engine):
        setup = Setup("mtcnn_onet?pooling=floor", photograph("astronaut.png"), 0.25)
        assert answer(engine, RaceRequest(setup, budget=4)).exact
        published = answer(engine, RaceRequest(Setup("mtcnn_rnet", photograph("astronaut.png"), 0.15), budget=4))
        assert not published.exact
        assert published.center_offset == (0.5, 0.5)  # fields of 25 in windows of 24
        assert "ceil mode" in published.reason
        assert "pooling=floor" in published.reason

    def test_efficientnet_is_not_exact_for_its_zero_padding(self, engine):
        found = answer(engine, RaceRequest(Setup("efficientnet_lite0", photograph("coffee.png"), 0.7), budget=2))
        assert not found.exact
        assert "zero padding" in found.reason
        assert found.window == (224, 224)

    def test_a_sample_is_said_to_be_extrapolated(self, engine):
        found = answer(engine, RaceRequest(Setup("lenet5", photograph("digits-256x256.png")), budget=0.01))
        assert found.one_by_one.extrapolated
        assert found.one_by_one.measured < found.one_by_one.outputs
        assert np.isnan(found.difference).any() == found.sliding_window.extrapolated

    def test_grid_strides(self, engine, page):
        assert answer(engine, RaceRequest(Setup("lenet5", page), 8, budget=1)).sliding_window.outputs == 9 * 13
        with pytest.raises(SegvizError, match=r"stride is 6; .* take 4, 8, 12"):
            answer(engine, RaceRequest(Setup("lenet5", page), 6))

    def test_a_wrong_network_is_not_called_exact_whatever_its_graph_says(self, page):
        """The proof is of the graph alone; weights that went wrong are for the measurement to find."""
        engine = Engine()  # its own: this one is spoilt
        weights = engine.store.network("lenet5", Pooling.WINDOW, Device.AUTO).weights
        request = RaceRequest(Setup("lenet5", page), budget=1)
        weights._named["output.bias"] = weights._named["output.bias"] + torch.eye(10)[3]
        found = answer(engine, request)
        assert not found.exact
        assert f"differ by {found.max_abs_difference:.1g}" in found.reason
        assert found.max_abs_difference > 0.01
        weights._named["output.bias"] = weights._named["output.bias"] * torch.nan
        assert not answer(engine, request).exact

    def test_what_the_graph_does_not_know_is_not_called_proven(self, engine, page, monkeypatch):
        request = RaceRequest(Setup("mtcnn_pnet", page), 16, budget=1)
        assert answer(engine, request).exact
        monkeypatch.delitem(rules.RULES, torch.ops.aten.prelu)
        found = answer(Engine(), request)
        assert not found.exact
        assert "cannot be proven" in found.reason
        assert "'prelu' has no rule" in found.reason

    def test_clocks_stand_still_while_somebody_looks(self, engine, page):
        """Showing what was found must not count against either side."""
        run, looked = engine.run(RaceRequest(Setup("lenet5", page), 16, budget=1)), 0.0
        while True:
            try:
                next(run)
            except StopIteration as end:
                found = end.value
                break
            time.sleep(0.1)
            looked += 0.1
        assert not found.one_by_one.extrapolated
        assert found.one_by_one.seconds + found.sliding_window.seconds + found.fully_convolutional.seconds < looked / 2

    def test_networks_that_answer_per_pixel_have_no_window(self, engine):
        with pytest.raises(SegvizError, match="for every pixel already"):
            answer(engine, RaceRequest(Setup("selfie_general", photograph("coffee.png"))))


def test_a_region_is_answered_alike_whatever_was_asked_before(page):
    request = SegmentRequest(Setup("lenet5", page), Method.COARSE, region=(30, 20, 24, 18))
    alone, engine = answer(Engine(), request), Engine()
    answer(engine, replace(request, region=None))
    after = answer(engine, request)
    assert after.lattice == alone.lattice
    assert after.logits.shape == alone.logits.shape
    assert np.abs(after.logits - alone.logits).max() < 1e-4
    assert scores.peak(after, 3) == (pytest.approx(scores.peak(alone, 3)[0], abs=1e-5), scores.peak(alone, 3)[1])


def test_a_region_needs_the_memory_of_its_part():
    """64 x 64 units of VGG11 at every pixel are refused where they do not fit, not where the whole does not."""
    loaded = Store().network("vgg11", Pooling.AUTO, Device.CPU)
    traced = loaded.dilated(loaded.traced(True, (3, 500, 1000)), 1)
    units = traced.geometry.grid("last")
    whole = _held(traced, Region(Interval(0, units[0] - 1), Interval(0, units[1] - 1)))
    part = _held(traced, Region(Interval(100, 163), Interval(100, 163)))
    assert part < whole / 8


class TestAnAcceleratorWithoutMemory:
    """Whatever the accelerator: the processor answers instead, and it is said."""

    @pytest.fixture
    def full(self, engine, monkeypatch):
        """An accelerator that is always full; the list tells the devices that were tried."""
        tried, real = [], ANSWERS[SegmentRequest]

        def segment(engine, request):
            tried.append(request.setup.device)
            if request.setup.device is not Device.CPU:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return real(engine, request)

        monkeypatch.setitem(ANSWERS, SegmentRequest, segment)
        return tried

    def test_the_processor_answers_instead(self, engine, page, full, monkeypatch):
        monkeypatch.setattr(devices, "pick", lambda wanted: torch.device("cpu" if wanted is Device.CPU else "cuda"))
        request = SegmentRequest(Setup("lenet5", page))
        found = answer(engine, request)
        assert full == [Device.AUTO, Device.CPU]
        assert found.request == request  # as it was asked: who waits for it knows it by that
        assert found.notes[0].startswith("the memory of CUDA ran out: computed on CPU, ")
        assert found.logits.any()

    def test_without_an_accelerator_there_is_nothing_to_fall_back_to(self, engine, page, full):
        with pytest.raises(torch.OutOfMemoryError):
            answer(engine, SegmentRequest(Setup("lenet5", page)))
        assert full == [Device.AUTO]


def test_another_upsampling_computes_no_network(engine, page, monkeypatch):
    answer(engine, SegmentRequest(Setup("lenet5", page)))

    def forbidden(*args):
        raise AssertionError("the network ran again")

    monkeypatch.setattr("segviz.engine.inference.run", forbidden)
    nearest = answer(engine, SegmentRequest(Setup("lenet5", page), upsampling=Upsampling.NEAREST))
    assert nearest.upsampling is Upsampling.NEAREST


def test_an_image_that_was_saved_again_is_computed_again(engine, page, tmp_path):
    path = tmp_path / "drawing.png"
    with Image.open(page) as image:
        image.save(path)
        before = answer(engine, SegmentRequest(Setup("lenet5", str(path))))
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    after = answer(engine, SegmentRequest(Setup("lenet5", str(path))))
    path.unlink()
    assert np.abs(after.logits - before.logits).max() > 1
    with pytest.raises(SegvizError, match=r"drawing\.png: cannot be read .*; open it again"):
        answer(engine, SegmentRequest(Setup("lenet5", str(path))))


def test_the_values_used_last_are_kept():
    kept = Kept(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.find("a") == 1
    kept.put("c", 3)
    assert (kept.find("a"), kept.find("b"), kept.find("c")) == (1, None, 3)


def test_no_more_is_kept_than_there_is_room_for():
    kept = Kept(6, limit=10, weigh=lambda value: value)
    kept.put("a", 3)
    kept.put("b", 4)
    assert kept.find("a") == 3
    kept.put("c", 5)
    assert (kept.find("a"), kept.find("b"), kept.find("c")) == (3, None, 5)
    kept.put("d", 50)  # the newest stays, alone
    assert (kept.find("a"), kept.find("c"), kept.find("d")) == (None, None, 50)


def test_a_network_without_global_pooling_is_kept_once_for_every_choice_of_it():
    store = Store()
    lenet = store.network("lenet5", Pooling.AUTO, Device.CPU)
    assert store.network("lenet5", Pooling.WINDOW, Device.CPU) is lenet
    assert lenet.size == 4 * (61_706 + 48_000)  # the weight of 'c5' is laid out anew, as a convolution
    pooled = store.network("efficientnet_lite0", Pooling.AUTO, Device.CPU)
    assert store.network("efficientnet_lite0", Pooling.WINDOW, Device.CPU) is not pooled


def test_a_network_that_would_not_fit_is_refused_before_it_is_built(monkeypatch):
    monkeypatch.setattr("segviz.engine.devices.available_bytes", lambda: 2**30)
    monkeypatch.setattr("segviz.engine.store.opened", lambda spec: pytest.fail("was built"))
    with pytest.raises(SegvizError, match=r"^VGG16 needs about 1\.0 GiB.*take a smaller network"):
        Store().network("vgg16", Pooling.AUTO, Device.CPU)


class TestRandomWeights:
    """AlexNet as it is used: every answer says what its labels are worth."""

    NOTE = "AlexNet has random weights: its labels mean nothing, its speed and geometry do"
    SETUP = Setup("alexnet", photograph("coffee.png"), 0.5)  # 300 x 200, padded to 300 x 224

    def test_a_prediction_and_a_description_say_so(self, engine):
        found = answer(engine, SegmentRequest(self.SETUP))
        assert found.notes[0] == self.NOTE
        assert found.logits.shape == (1000, 1, 3)
        assert found.lattice.stride == (64, 64)
        described = answer(engine, DescribeRequest(self.SETUP, True))
        assert described.notes[0] == self.NOTE
        assert described.layer("avgpool").output_shape == (256, 6, 8)

    def test_fast_arithmetic_is_equal_to_about_1e_5(self, engine):
        plain = answer(engine, SegmentRequest(self.SETUP)).logits
        fast = answer(engine, SegmentRequest(replace(self.SETUP, fast=True))).logits
        assert 0 < np.abs(fast - plain).max() < 3e-5 * np.abs(plain).max()

    def test_a_race_says_so_and_that_padding_makes_the_difference(self, engine):
        setup = replace(self.SETUP, scale=0.6)  # 360 x 240
        found = answer(engine, RaceRequest(setup, budget=0.05))
        assert found.notes[0] == self.NOTE
        assert not found.exact
        assert found.reason.startswith("5 padded convolutions")


def test_every_method_and_every_request_has_what_does_it():
    assert METHODS.keys() == set(Method) - {Method.AUTO}
    assert ANSWERS.keys() == set(Request.__args__)


def test_pooling_of_the_window_moves_the_grid(engine):
    setup = Setup("efficientnet_lite0", photograph("coffee.png"), 0.7, Pooling.WINDOW)
    assert answer(engine, SegmentRequest(setup, Method.COARSE)).logits.shape == (1000, 3, 8)


# ---------------------------------------------------------------------------- the dragged window


@pytest.mark.parametrize(("x", "y"), [(0, 0), (40, 24), (96, 64), (17, 3)])
def test_a_dragged_window_says_what_the_sliding_window_says_there(engine, page, x, y):
    """Equal to the sliding window that has a window at that very place, hence as published and on that crop."""
    setup = Setup("lenet5", page)
    slid = answer(engine, SegmentRequest(setup, Method.SLIDING_WINDOW, grid_stride=1))
    found = answer(engine, ClassifyRequest(setup, x, y))
    wanted = scores.softmax(slid.logits[:, y, x])
    assert list(found.box) == [x, y, x + 32, y + 32]
    assert len(found.classes) == 5
    for index, name, probability in found.classes:
        assert name == str(index)
        assert probability == pytest.approx(float(wanted[index]), abs=1e-5)
    assert np.allclose([p for _, _, p in found.classes], np.sort(wanted)[::-1][:5], atol=1e-5)


@pytest.mark.parametrize("scale", [0.5, 0.37, 1.6])
def test_a_dragged_window_of_a_scaled_image_is_the_box_that_is_drawn(engine, page, scale):
    """The geometry of the description says where it lies: the crop that is drawn is the one that is seen."""
    setup = Setup("lenet5", page, scale)
    network = answer(engine, plan_request(setup))
    assert network.window == (32, 32)
    for x, y in ((0.0, 0.0), (30.3, 11.7), (500.0, -20.0)):
        found = answer(engine, ClassifyRequest(setup, x, y))
        left, top = network.frame.window((32, 32), x, y)
        assert found.box == network.frame.window_box((32, 32), x, y)
        slid = answer(engine, SegmentRequest(setup, Method.SLIDING_WINDOW, grid_stride=1))
        wanted = scores.softmax(slid.logits[:, top, left])
        assert found.classes[0][2] == pytest.approx(float(wanted.max()), abs=1e-5)
        assert found.box.right <= 128 + 1e-6
        assert found.box.bottom <= 96 + 1e-6


def plan_request(setup):
    return plan_description(State(image=setup.image, model=setup.model, scale=setup.scale))


def test_a_dragged_window_of_a_network_with_one_sigmoid_or_with_a_thousand_classes(engine):
    found = answer(engine, ClassifyRequest(Setup("efficientnet_lite0", photograph("castle-maintenon.jpg")), 300, 200))
    assert found.classes[0][1] == "castle"
    assert found.box.width == pytest.approx(448, abs=1)  # 224 pixels of the photograph at half its size
    face = answer(engine, ClassifyRequest(Setup("mtcnn_onet", photograph("astronaut.png"), 0.3), 150, 40))
    assert [name for _, name, _ in face.classes] in (["face", "background"], ["background", "face"])


def test_networks_that_have_no_window_to_drag_say_why(engine, page):
    with pytest.raises(SegvizError, match="answers for every pixel by itself: it has no window"):
        answer(engine, ClassifyRequest(Setup("selfie_general", page), 0, 0))
    with pytest.raises(SegvizError, match="smaller than its window of 224x224: raise the scale"):
        answer(engine, ClassifyRequest(Setup("efficientnet_lite0", page), 0, 0))
    with pytest.raises(SegvizError, match="no image"):
        answer(engine, ClassifyRequest(Setup("lenet5"), 0, 0))


def test_a_dragged_window_sees_what_was_drawn_since(engine, page, tmp_path):
    path = tmp_path / "drawing.png"
    with Image.open(page) as image:
        image.save(path)
        before = answer(engine, ClassifyRequest(Setup("lenet5", str(path)), 8, 8))
        image.point(lambda level: 255 - level).save(path)
    after = answer(engine, ClassifyRequest(Setup("lenet5", str(path), revision=1), 8, 8))
    assert after.classes != before.classes
