"""What an edit of the image changes is computed again, and nothing else; the result is the same to the last bit."""

import pytest
import torch
from PIL import Image, ImageDraw

from segviz.core import assets
from segviz.core.regions import Region
from segviz.core.requests import SegmentRequest, Setup
from segviz.core.steps import Interval
from segviz.engine.architectures import build
from segviz.engine.cached import Cached, edited
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import trace
from segviz.engine.run import Engine
from segviz.engine.surgery import convert


@pytest.mark.parametrize("spec", ["lenet5", "mtcnn_pnet", "selfie_general", "efficientnet_lite0"])
def test_an_edit_gives_what_a_whole_pass_gives(spec):
    entry, network = build(spec)
    shape = (entry.input_size[0], 96, 128)
    traced = trace(network, shape, convert(network, entry.input_size).head)
    weights = NetworkWeights(network)
    image = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
    cached = Cached(traced, weights, image)
    other = image.clone()
    other[:, :, 40:56, 60:70] = 1.0
    region = edited(image, other)
    assert region == Region(Interval(40, 55), Interval(60, 69))
    changed = cached.update(other, region)
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
    cached = Cached(traced, weights, image)
    cached.update(other, Region(Interval(120, 135), Interval(100, 115)))
    assert torch.equal(cached.logits, Cached(traced, weights, other).logits)


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
