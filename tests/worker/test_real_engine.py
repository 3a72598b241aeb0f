"""The real engine behind the real pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from segviz.core import assets
from segviz.core.races import RaceRequest
from segviz.core.requests import (
    DescribeRequest,
    FeatureRequest,
    Network,
    Prediction,
    SegmentRequest,
    Setup,
)
from segviz.worker.messages import Answered, Cancelled, EngineReady, Refused, Updated

ROOT = Path(__file__).resolve().parents[2]
FACE = str(assets.sample("astronaut.png"))


def test_it_says_what_it_computes_on_with_the_threads_that_it_was_given(engine_client) -> None:
    client, heard = engine_client
    client.start()
    device = heard.a(EngineReady).device
    assert device == "CPU, 2 threads" or "CPU" not in device


def test_a_network_is_described(engine_client) -> None:
    client, heard = engine_client
    answered = heard.end(client.ask(DescribeRequest(Setup("mtcnn_pnet"))))
    assert isinstance(answered, Answered), answered
    network = answered.answer
    assert isinstance(network, Network)
    assert network.layers
    assert network.geometry.field(network.geometry.last, 0, 0).box == (0, 0, 12, 12)


def test_a_prediction_arrives_with_read_only_arrays_of_the_images_size(engine_client) -> None:
    client, heard = engine_client
    request = SegmentRequest(Setup("selfie_general", FACE))
    answered = heard.end(client.ask(request))
    assert isinstance(answered, Answered), answered
    prediction = answered.answer
    assert isinstance(prediction, Prediction)
    assert prediction.request == request
    assert prediction.labels.shape == prediction.confidence.shape == (512, 512)
    assert prediction.logits.shape[0] == len(prediction.classes) == 2
    arrays = (prediction.labels, prediction.confidence, prediction.logits)
    assert not any(array.flags.writeable for array in arrays)


def test_feature_maps_arrive(engine_client) -> None:
    client, heard = engine_client
    network = heard.end(client.ask(DescribeRequest(Setup("mtcnn_pnet", FACE, 0.25)))).answer
    layer = next(layer for layer in network.layers if layer.leaf)
    answered = heard.end(client.ask(FeatureRequest(Setup("mtcnn_pnet", FACE, 0.25), layer.name)))
    assert isinstance(answered, Answered), answered
    assert answered.answer.values.shape == layer.output_shape
    assert not answered.answer.values.flags.writeable


@pytest.mark.parametrize(
    ("setup", "word"),
    [(Setup("no_such_network"), "no_such_network"), (Setup("mtcnn_pnet", "nowhere.png"), "nowhere.png")],
    ids=["network", "image"],
)
def test_what_cannot_be_done_is_refused_by_name(engine_client, setup, word) -> None:
    client, heard = engine_client
    refused = heard.end(client.ask(SegmentRequest(setup)))
    assert isinstance(refused, Refused)
    assert word in refused.message
    assert "internal error" not in refused.message


def test_a_race_is_stopped_and_the_same_engine_answers_the_next_ask(engine_client) -> None:
    client, heard = engine_client
    ticket = client.ask(RaceRequest(Setup("mtcnn_onet?pooling=floor", FACE), budget=600.0))
    heard.a(Updated, ticket)
    pid = client.pid
    client.cancel(RaceRequest)
    assert isinstance(heard.end(ticket), Cancelled)
    assert isinstance(heard.end(client.ask(DescribeRequest(Setup("mtcnn_onet?pooling=floor")))), Answered)
    assert client.pid == pid


WINDOW = """
import sys
from segviz.core.requests import SegmentRequest, Setup
from segviz.worker.client import Client
from tests.worker.listening import Heard

if __name__ == "__main__":
    heard = Heard()
    client = Client(heard)
    end = heard.end(client.ask(SegmentRequest(Setup("mtcnn_pnet", sys.argv[1], 0.25))))
    client.close()
    print(type(end).__name__, [name for name in ("torch", "PySide6") if name in sys.modules])
"""


def test_who_asks_never_loads_torch(tmp_path) -> None:
    program = tmp_path / "window.py"
    program.write_text(WINDOW, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, str(program), FACE], capture_output=True, text=True, env=environment)
    assert (done.stdout.strip(), done.stderr) == ("Answered []", "")
