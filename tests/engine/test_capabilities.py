"""The badge tells the truth: networks that lack one ability each, and a graph that is wrong on purpose."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segviz.core.capabilities import Ability, Verdict
from segviz.core.choices import Device, Pooling, Task
from segviz.core.errors import SegvizError
from segviz.core.planning import plan_badge
from segviz.core.requests import Badge, ExamineRequest, Progress, Setup
from segviz.core.session import State
from segviz.core.specs import parse
from segviz.engine import capabilities, opening
from segviz.engine.capabilities import Measure
from segviz.engine.flow import finished
from segviz.engine.opening import Opened, opened
from segviz.engine.run import Engine
from segviz.engine.store import Store


class Made(nn.Module):
    """A classifier of 3 x 16 x 16 pixels in four classes, whose parts a test replaces."""

    def __init__(self, head=None):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.head = head or nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4))

    def forward(self, x):
        return self.head(self.conv(x).relu())


class Lambda(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.fixture
def examined(monkeypatch):
    """From a network to its badge, by the engine's own way."""

    def run(network, **facts):
        known = opened("lenet5").entry
        entry = dataclasses.replace(
            known,
            **{"input_size": (3, 16, 16), "class_count": 4, "class_list": tuple("abcd"), "title": "Made"} | facts,
        )
        torch.manual_seed(0)
        monkeypatch.setattr(
            opening, "OPENERS", {parse("lenet5").kind: lambda spec, trust: Opened(entry, network.eval())}
        )
        steps = Engine().run(ExamineRequest(Setup("lenet5", device=Device.CPU)))
        told = []
        while True:
            try:
                told.append(next(steps))
            except StopIteration as end:
                tried = [step for step in told if step.unit == "abilities"]  # behind those of opening the network
                assert tried == [Progress(n, len(Ability), "abilities") for n in range(len(Ability))]
                return end.value

    return run


def test_a_plain_classifier_can_do_everything(examined):
    badge = examined(Made())
    assert isinstance(badge, Badge)
    assert [found.ability for found in badge.capabilities] == list(Ability)
    assert {found.verdict for found in badge.capabilities} == {Verdict.YES}, badge.capabilities


def test_layers_are_counted_as_everywhere_else_and_blocks_besides(examined):
    """Of `summary` and the diagram the leaves are the layers; 75 of them were told for a network that has 60."""
    block = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU())
    flat = nn.Sequential(nn.Flatten(), nn.Linear(4 * 14 * 14, 4))
    assert examined(Made(nn.Sequential(block, flat))).of(Ability.FEATURES).reason == (
        "all 5 layers, and all 3 blocks that they form"
    )
    assert examined(Made(block)).of(Ability.FEATURES).reason == "all 3 layers, and the block that they form"


def test_a_dense_layer_takes_other_sizes_only_when_it_is_converted(examined):
    found = examined(Made(nn.Sequential(nn.Flatten(), nn.Linear(4 * 256, 4)))).of(Ability.SIZES)
    assert found.verdict is Verdict.PARTLY
    assert "made fully convolutional" in found.reason
    assert "'head.1'" in found.reason


def test_what_wants_a_multiple_says_which(examined):
    def halves(x):
        if x.shape[2] % 8 or x.shape[3] % 8:
            raise ValueError("only multiples of 8")
        return x.mean((2, 3))

    found = examined(Made(nn.Sequential(Lambda(halves), nn.Linear(4, 4)))).of(Ability.SIZES)
    assert found.verdict is Verdict.PARTLY
    assert "multiple=8" in found.reason


def test_a_number_of_answers_that_is_not_the_number_of_classes_is_told(examined):
    found = examined(Made(), class_count=5).of(Ability.RUNS)
    assert found.verdict is Verdict.PARTLY
    assert "4 numbers, and 5 classes" in found.reason


def test_an_answer_that_is_not_finite_is_told(examined):
    assert "not finite" in examined(Made(nn.Sequential(Made().head, Lambda(lambda x: x / 0)))).of(Ability.RUNS).reason


def test_gradients_that_are_cut_off_or_vanish(examined):
    cut = examined(Made(nn.Sequential(Made().head, Lambda(lambda x: x.detach())))).of(Ability.GRADIENTS)
    assert cut.verdict is Verdict.NO
    assert "cut off" in cut.reason
    flat = examined(Made(nn.Sequential(Made().head, Lambda(lambda x: x * 0)))).of(Ability.GRADIENTS)
    assert flat.verdict is Verdict.NO
    assert "zero at every pixel" in flat.reason


def attention(causal):
    def attend(x):
        tokens = x.flatten(2).transpose(1, 2)
        return F.scaled_dot_product_attention(tokens, tokens, tokens, is_causal=causal).mean(1)

    return nn.Sequential(Lambda(attend), nn.Linear(4, 4))


def test_attention_to_all_positions_sees_the_whole_image(examined):
    badge = examined(Made(attention(causal=False)))
    assert badge.of(Ability.FIELD).verdict is Verdict.YES
    assert badge.of(Ability.CONVERTS).verdict is Verdict.NO
    assert badge.of(Ability.FEATURES).verdict is Verdict.YES


def test_attention_to_some_is_exact_up_to_the_layer_before_it(examined):
    badge = examined(Made(attention(causal=True)))
    assert badge.of(Ability.FIELD).verdict is Verdict.PARTLY
    assert "exact up to layer 'conv'" in badge.of(Ability.FIELD).reason


def test_maps_that_are_written_to_in_pieces_are_what_the_module_makes(examined):
    def blanked(x):
        x[:, :2] = 0
        return x.mean((2, 3))

    assert examined(Made(nn.Sequential(Lambda(blanked), nn.Linear(4, 4)))).of(Ability.FEATURES).verdict is Verdict.YES


def test_the_same_values_in_other_places_are_found_out():
    """Mean and size are those of the right maps: only a comparison value by value sees the difference."""
    maps = torch.rand(1, 4, 6, 5)
    assert Measure.of(maps).fits(Measure.of(maps + 1e-6))
    assert not Measure.of(maps).fits(Measure.of(maps.flip(3)))
    assert not Measure.of(maps).fits(Measure.of(maps[:, [1, 0, 2, 3]]))


def test_a_field_that_is_too_small_is_found_out_by_its_gradient(monkeypatch):
    """The graph is told that a convolution of 5 pixels sees 3: the measurement must contradict it."""
    loaded = Store().network("mtcnn_pnet", Pooling.AUTO, Device.CPU)
    assert capabilities._field(loaded)[0] is Verdict.YES
    right = capabilities._middle

    def wrong(traced, call):
        found = right(traced, call)
        box = found.box
        return dataclasses.replace(found, box=type(box)(box.left + 1, box.top, box.right, box.bottom))

    monkeypatch.setattr(capabilities, "_middle", wrong)
    verdict, reason = capabilities._field(loaded)
    assert verdict is Verdict.NO
    assert "measured" in reason


def test_a_network_that_breaks_is_answered_and_not_raised(examined):
    def fragile(x):
        if not x.is_meta:
            raise KeyError("fragile")
        return x.mean((2, 3))

    badge = examined(Made(nn.Sequential(Lambda(fragile), nn.Linear(4, 4))), task=Task.SEGMENTATION)
    assert badge.of(Ability.RUNS).verdict is Verdict.NO
    assert "fragile" in badge.of(Ability.RUNS).reason


def test_the_catalogue_s_own_networks():
    engine = Engine()
    for name in ("lenet5", "mtcnn_pnet", "selfie_general"):
        badge = finished(engine.run(ExamineRequest(Setup(name, device=Device.CPU))))
        assert all(badge.of(a).verdict is Verdict.YES for a in Ability if a is not Ability.SIZES), badge


def test_an_examination_can_be_cancelled_between_two_steps():
    steps = Engine().run(ExamineRequest(Setup("lenet5", device=Device.CPU)))
    next(steps)
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)


def test_a_plan_asks_for_the_network_alone():
    assert plan_badge(State()) is None
    one = plan_badge(State(model="lenet5", image="a.png", scale=0.5))
    assert one == plan_badge(State(model="lenet5"))
    assert one is not None
    with pytest.raises(SegvizError, match="no network"):
        list(Engine().run(ExamineRequest(Setup("nothing"))))
