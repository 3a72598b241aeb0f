"""What an edit of the image changes is computed again, and nothing else; the result is the same to the last bit."""

import pytest
import torch
from PIL import Image, ImageDraw

from segviz.core import assets
from segviz.core.regions import Region
from segviz.core.requests import SegmentRequest, Setup
from segviz.core.steps import Interval
from segviz.engine.architectures import build
from segviz.engine.cached import Cached, Redraws, edited
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import trace
from segviz.engine.run import Engine
from segviz.engine.surgery import convert


def filled(traced, weights, image):
    cached = Cached(traced, weights, image)
    finished(cached.fill())
    return cached


@pytest.mark.parametrize("spec", ["lenet5", "mtcnn_pnet", "selfie_general", "efficientnet_lite0"])
def test_an_edit_gives_what_a_whole_pass_gives(spec):
    entry, network = build(spec)
    shape = (entry.input_size[0], 96, 128)
    traced = trace(network, shape, convert(network, entry.input_size).head)
    weights = NetworkWeights(network)
    image = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
    cached = filled(traced, weights, image)
    other = image.clone()
    other[:, :, 40:56, 60:70] = 1.0
    region = edited(image, other)
    assert region == Region(Interval(40, 55), Interval(60, 69))
    changed = finished(cached.update(other, region))
    wanted = finished(run(traced, weights, other, rows=10**6)).output
    assert (cached.logits - wanted).abs().max() <= 1e-5 * wanted.abs().max()
    assert changed is not None
    assert torch.equal(cached.image, other)


def test_an_edit_of_a_digit_page_is_equal_to_the_last_bit():
    """Performance table, row 10: the redraw after an edit of 16 pixels against all maps computed again."""
    entry, network = build("lenet5")
    traced = trace(network, (1, 256, 256), convert(network, entry.input_size).head)
    weights = NetworkWeights(network)
    image = torch.rand(1, 1, 256, 256, generator=torch.Generator().manual_seed(1))
    other = image.clone()
    other[:, :, 120:136, 100:116] = 1.0
    cached = filled(traced, weights, image)
    finished(cached.update(other, Region(Interval(120, 135), Interval(100, 115))))
    assert torch.equal(cached.logits, filled(traced, weights, other).logits)


def test_the_same_image_was_not_edited():
    image = torch.rand(1, 1, 5, 5)
    assert edited(image, image.clone()) is None


def drawn(path, lines):
    image = Image.new("L", (300, 200))
    draw = ImageDraw.Draw(image)
    for line in lines:
        draw.line(line, 255, 3)
    image.save(path)


def test_a_drawing_is_followed_stroke_by_stroke(tmp_path, monkeypatch):
    """The engine finds by itself that an image differs little from the one before; labels are those of a whole run."""
    engine, path = Engine(), tmp_path / "board.png"
    request = SegmentRequest(Setup("lenet5", str(path), 1.0))
    strokes, answers = [], []
    calls = []
    monkeypatch.setattr("segviz.engine.inference.run", lambda *a, **k: calls.append(1) or run(*a, **k))
    for line in ((50, 40, 60, 90), (52, 42, 80, 44), (200, 100, 205, 140)):
        strokes.append(line)
        drawn(path, strokes)
        answers.append(finished(engine.run(request)))
    assert len(calls) == 1  # the first image; the others are edits of it
    fresh = finished(Engine().run(request))
    assert abs(answers[-1].logits - fresh.logits).max() < 1e-5
    assert (answers[-1].labels == fresh.labels).mean() > 0.999  # ties on bare paper go by the last bit


def test_another_photograph_is_no_edit(tmp_path):
    engine = Engine()
    for name in ("coffee.png", "chelsea.png"):
        with Image.open(assets.sample(name)) as image:
            image.convert("RGB").resize((200, 150)).save(tmp_path / "same.png")
        found = finished(engine.run(SegmentRequest(Setup("mtcnn_pnet", str(tmp_path / "same.png"), 1.0))))
    fresh = finished(Engine().run(SegmentRequest(Setup("mtcnn_pnet", str(tmp_path / "same.png"), 1.0))))
    assert abs(found.logits - fresh.logits).max() < 1e-5


@pytest.fixture
def lenet():
    """A trace of LeNet-5 on 96 x 128, its weights and an image."""
    entry, network = build("lenet5")
    traced = trace(network, (1, 96, 128), convert(network, entry.input_size).head)
    image = torch.rand(1, 1, 96, 128, generator=torch.Generator().manual_seed(2))
    return traced, NetworkWeights(network), image


def inked(image, top, left):
    other = image.clone()
    other[:, :, top : top + 8, left : left + 8] = 1.0
    return other


def assert_whole(found, lenet, image):
    wanted = finished(run(*lenet[:2], image, rows=10**6)).output
    assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def layers_computed(monkeypatch):
    """The nodes that a cache computes, in order."""
    layers, original = [], Cached._computed

    def computed(self, index, wanted):
        layers.append(index)
        return original(self, index, wanted)

    monkeypatch.setattr(Cached, "_computed", computed)
    return layers


def counts_of(steps, layers):
    """How many layers were computed before each step, and the end of the steps."""
    counts = [len(layers)]
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return counts, end.value
        counts.append(len(layers))


def test_a_first_edit_is_computed_layer_by_layer_and_can_be_stopped_between_two(lenet, monkeypatch):
    traced, weights, image = lenet
    redraws, layers = Redraws(), layers_computed(monkeypatch)
    assert finished(redraws.logits("key", traced, weights, image)) is None
    stopped = redraws.logits("key", traced, weights, inked(image, 5, 5))
    for _ in range(3):
        next(stopped)
        assert not torch.is_inference_mode_enabled()
    stopped.close()
    assert len(layers) == 3
    layers.clear()
    again = inked(image, 40, 40)
    counts, found = counts_of(redraws.logits("key", traced, weights, again), layers)
    assert counts == list(range(len(traced.operations)))
    assert_whole(found, lenet, again)


def test_a_large_edit_is_computed_layer_by_layer_and_a_small_one_at_once(lenet, monkeypatch):
    traced, weights, image = lenet
    cached, layers = filled(traced, weights, image), layers_computed(monkeypatch)
    other = inked(image, 40, 40)
    counts, _ = counts_of(cached.update(other, edited(image, other)), layers)
    assert counts == [0]
    monkeypatch.setattr("segviz.engine.cached.SMALL", 0)
    layers.clear()
    counts, _ = counts_of(cached.update(image, edited(image, other)), layers)
    assert counts == list(range(len(traced.operations)))
    assert_whole(cached.logits, lenet, image)


@pytest.mark.parametrize("stop", ["fails", "is closed"])
def test_an_edit_that_ends_half_way_spoils_no_later_one(lenet, monkeypatch, stop):
    """A stroke whose redraw did not come to its end is undone, and another is drawn."""
    traced, weights, image = lenet
    monkeypatch.setattr("segviz.engine.cached.SMALL", 0)
    original = Cached._computed
    for index in range(2, len(traced.operations)):
        redraws = Redraws()
        for state in (image, inked(image, 5, 5)):
            finished(redraws.logits("key", traced, weights, state))

        def fail(self, number, wanted, at=index):
            if number == at:
                raise MemoryError
            return original(self, number, wanted)

        steps = redraws.logits("key", traced, weights, inked(inked(image, 5, 5), 40, 40))
        if stop == "fails":
            monkeypatch.setattr(Cached, "_computed", fail)
            with pytest.raises(MemoryError):
                finished(steps)
            monkeypatch.setattr(Cached, "_computed", original)
        else:
            for _ in range(index - 1):
                next(steps)
            steps.close()
        after = inked(inked(image, 5, 5), 70, 100)
        assert_whole(finished(redraws.logits("key", traced, weights, after)), lenet, after)


def test_maps_for_which_there_is_no_memory_are_not_kept(lenet, monkeypatch):
    """The image is then computed in strips, which take less: None says so."""
    traced, weights, image = lenet
    redraws = Redraws()
    assert finished(redraws.logits("key", traced, weights, image)) is None
    needs = 4 * sum(operation.elements for operation in traced.operations)
    monkeypatch.setattr("segviz.engine.devices.available_bytes", lambda: needs)
    assert finished(redraws.logits("key", traced, weights, inked(image, 5, 5))) is None
    monkeypatch.setattr("segviz.engine.devices.available_bytes", lambda: 2 * needs)
    assert finished(redraws.logits("key", traced, weights, inked(image, 9, 9))) is not None
