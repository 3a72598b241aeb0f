"""Networks that are not the catalogue's: what is known of them, and what is left where one does not convert."""

import pytest
import torch
from PIL import Image
from torch import nn

from segviz.core import assets
from segviz.core.choices import Method, Task
from segviz.core.entries import Entry, Preprocessing
from segviz.core.errors import SegvizError
from segviz.core.races import RaceRequest
from segviz.core.requests import (
    ClassifyRequest,
    DescribeRequest,
    FeatureRequest,
    SegmentRequest,
    Setup,
)
from segviz.core.specs import Kind
from segviz.engine import opening
from segviz.engine.flow import finished
from segviz.engine.run import Engine


class Mixer(nn.Module):
    """Patches of 4 pixels that are mixed over the whole image, as a transformer does: it has no convolutional form."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 4, 4)
        self.mixing = nn.Linear(49, 49)
        self.head = nn.Linear(6, 3)

    def forward(self, x):  # (N, 3, 28, 28)
        tokens = self.patches(x).flatten(2)  # (N, 6, 49)
        mixed = tokens + self.mixing(tokens).relu()
        return self.head(mixed.mean(2))


def known(network, **more):
    facts = {
        "name": "own", "title": "Own", "task": Task.CLASSIFICATION, "builder": "", "parameters": 0,
        "input_size": (3, 28, 28), "class_count": 3, "stride": 1, "receptive_field": 0, "weights": "own",
        "licence": "", "preprocessing": Preprocessing(), "summary": "", "class_list": ("a", "b", "c"),
    }  # fmt: skip
    return opening.Opened(Entry(**(facts | more)), network.eval(), ("it was made up",))


@pytest.fixture
def mixer(monkeypatch):
    torch.manual_seed(0)
    asked = []

    def opener(spec, trust):
        asked.append((str(spec), trust))
        return known(Mixer())

    monkeypatch.setitem(opening.OPENERS, Kind.PYTHON, opener)
    return asked


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "cat.png"
    with Image.open(assets.sample("chelsea.png")) as image:
        image.resize((90, 60)).save(path)
    return str(path)


def answer(request, engine=None):
    return finished((engine or Engine()).run(request))


class TestANetworkThatDoesNotConvert:
    SPEC = "python:own.nets:Mixer"

    def test_it_is_described_as_published_and_says_why(self, mixer, photograph):
        found = answer(DescribeRequest(Setup(self.SPEC, photograph), True))
        assert "mixing" in found.refusal
        assert found.input_shape == (3, 28, 28)
        assert found.conversion == ()
        assert found.notes == ("it was made up",)
        assert found.frame.inner == (28, 28)  # the whole image, squeezed
        assert found.total_parameters == sum(p.numel() for p in Mixer().parameters())

    def test_windows_answer_for_it(self, mixer, photograph):
        found = answer(SegmentRequest(Setup(self.SPEC, photograph, 1.0)))
        assert found.method is Method.SLIDING_WINDOW
        assert "has no fully convolutional form" in found.reason
        assert found.logits.shape == (3, (60 - 28) // 4 + 1, (90 - 28) // 4 + 1)
        assert found.labels.shape == (60, 90)

    def test_its_feature_maps_are_those_of_the_image_squeezed_into_its_input(self, mixer, photograph):
        found = answer(FeatureRequest(Setup(self.SPEC, photograph), "patches"))
        assert found.values.shape == (6, 7, 7)

    def test_a_window_can_be_dragged(self, mixer, photograph):
        found = answer(ClassifyRequest(Setup(self.SPEC, photograph, 1.0), 5.0, 5.0))
        assert sum(share for _, _, share in found.classes) == pytest.approx(1, abs=1e-4)

    @pytest.mark.parametrize("method", [Method.COARSE, Method.DENSE, Method.SHIFT_AND_STITCH])
    def test_other_methods_say_which_layer_is_in_the_way(self, mixer, photograph, method):
        with pytest.raises(SegvizError, match="mixing"):
            answer(SegmentRequest(Setup(self.SPEC, photograph, 1.0), method))

    def test_a_race_says_so_too(self, mixer, photograph):
        with pytest.raises(SegvizError, match="mixing"):
            answer(RaceRequest(Setup(self.SPEC, photograph, 1.0)))


def test_what_is_only_viewed_otherwise_is_not_opened_again(mixer, photograph):
    engine, spec = Engine(), "python:own.nets:Mixer"
    first = answer(DescribeRequest(Setup(spec)), engine)
    other = answer(DescribeRequest(Setup(f"{spec}?mean=1,2,3", trust=True)), engine)
    again = answer(DescribeRequest(Setup(spec)), engine)
    assert mixer == [(spec, False)]
    assert other.entry.preprocessing.mean == (1.0, 2.0, 3.0)
    assert again.entry == first.entry


def test_a_spec_without_an_opener_is_refused(monkeypatch):
    monkeypatch.delitem(opening.OPENERS, Kind.PYTHON, raising=False)
    with pytest.raises(SegvizError, match="cannot be opened yet"):
        opening.opened("python:a.b:c")
