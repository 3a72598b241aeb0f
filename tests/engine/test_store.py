"""How networks come into the store, step by step, and what goes with those that have to leave it."""

import gc
import os
import weakref

import pytest
import torch
from torch import nn

from segviz.core import assets
from segviz.core.choices import Device, Method, Pooling
from segviz.core.requests import ClassifyRequest, DescribeRequest, Progress, SegmentRequest, Setup
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import trace
from segviz.engine.patches import Weight
from segviz.engine.run import Engine
from segviz.engine.store import Store, _channels_last

LENET = ("lenet5", Pooling.AUTO, Device.CPU)


def test_a_network_is_loaded_step_by_step(monkeypatch):
    """Before it is read, before it is placed, before it is converted, and layer by layer of the proof."""
    begun = []
    monkeypatch.setattr("segviz.engine.store.opened", noted("opened", begun))
    monkeypatch.setattr("segviz.engine.store.converting", noted("converting", begun))
    store = Store()
    steps, seen = store.loading(*LENET), []
    for step in steps:
        assert isinstance(step, Progress)
        assert not torch.is_inference_mode_enabled()
        seen.append((tuple(begun), step.unit))
    before = [unit for done, unit in seen if done == ()]
    between = [unit for done, unit in seen if done == ("opened",)]
    assert (len(before), len(between)) == (1, 2)
    assert [unit for _, unit in seen].count("layers") >= 7  # C1 to F6 and the output
    assert list(store.loading(*LENET)) == []  # it is there


def noted(name, begun):
    from segviz.engine import store

    real = getattr(store, name)

    def call(*args):
        begun.append(name)
        return real(*args)

    return call


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_a_load_that_is_closed_leaves_nothing_behind(steps):
    store = Store()
    loading = store.loading(*LENET)
    for _ in range(steps):
        next(loading)
    loading.close()
    assert not store._networks._values
    assert finished(store.loading(*LENET)).convertible


@pytest.mark.parametrize("request_", [DescribeRequest(Setup("lenet5")), SegmentRequest(Setup("lenet5", "none.png"))])
def test_a_request_can_be_stopped_before_its_network_is_read(request_, monkeypatch):
    monkeypatch.setattr("segviz.engine.store.opened", lambda *_: pytest.fail("was read"))
    run = Engine().run(request_)
    assert isinstance(next(run), Progress)
    run.close()


def test_networks_that_had_to_leave_the_store_are_gone():
    """A window was dragged over the image and a stroke was drawn: nothing of these holds on to the network."""
    engine, image = Engine(), str(assets.sample("digits-256x256.png"))
    setup = Setup("lenet5", image, 1.0)
    finished(engine.run(ClassifyRequest(setup, 10, 10)))
    finished(engine.run(SegmentRequest(setup, Method.COARSE)))
    loaded = engine.store.network("lenet5", Pooling.AUTO, Device.AUTO)
    traced = trace(loaded.network, (1, 32, 32), loaded.conversion.head)
    for top in (0, 8):  # the second is an edit of the first
        paper = torch.zeros(1, 1, 32, 32)
        paper[:, :, top : top + 4, :4] = 1.0
        finished(engine._redraws.logits("paper", traced, loaded.weights, paper))
    left = [weakref.ref(loaded.network), weakref.ref(loaded.weights[Weight("c5.weight")])]
    del loaded, traced
    engine.store._networks.make_room(10**12)
    gc.collect()
    assert [ref() is None for ref in left] == [True, True]


def test_what_is_prepared_of_weights_is_weighed():
    """Winograd's transforms of a 3x3 convolution are four times its weight; another view of a weight is none."""
    network = nn.Sequential(nn.Conv2d(128, 8, 3)).to(memory_format=torch.channels_last)
    weights, bytes_ = NetworkWeights(network, fast=True), 4 * network[0].weight.numel()
    image = torch.zeros(1, 128, 10, 10)
    for fast, more in ((False, 0), (True, 4 * bytes_)):
        finished(run(trace(network, (128, 10, 10)), weights.allowing(fast), image))
        assert weights.prepared_bytes == more


def test_the_store_weighs_a_network_with_all_that_was_prepared_of_it():
    store = Store()
    loaded = store.network(*LENET)
    before = loaded.size
    loaded.weights.prepared(("transformed", Weight("c3.weight")), lambda: torch.zeros(1000))
    assert loaded.size == before + 4000
    assert store._networks._weigh(loaded) == loaded.size


def test_weights_beside_a_python_file_are_read_again_when_they_change(tmp_path):
    code = "from torch import nn\n\ndef net():\n    return nn.Sequential(nn.Conv2d(3, 2, 1))\n"
    (tmp_path / "net.py").write_text(code)
    weights, store = tmp_path / "w.pth", Store()
    spec = f"{tmp_path / 'net.py'}?weights={weights}&input=3x8x8"
    found = []
    for value in (1.0, 2.0, 2.0):
        if value not in found:
            torch.save({"0.weight": torch.full((2, 3, 1, 1), value), "0.bias": torch.full((2,), value)}, weights)
            os.utime(weights, ns=(0, int(value) * 10**9))
        loaded = store.network(spec, Pooling.AUTO, Device.CPU, trust=True)
        found.append(float(loaded.network[0].bias.detach()[0]))
    assert found == [1.0, 2.0, 2.0]
    assert store.network(spec, Pooling.AUTO, Device.CPU, trust=True).network is loaded.network


def test_kernels_of_three_axes_are_no_images():
    """`Module.to(memory_format=channels_last)` wants four axes of whatever has more than three."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    network.register_parameter("lambdas", nn.Parameter(torch.zeros(1, 2, 3, 4, 5)))
    _channels_last(network)
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert network.lambdas.is_contiguous()
