"""A training in a process of its own, as the window starts it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from segviz.core.learning import TrainingResult, TrainingSamples, TrainRequest
from segviz.worker.messages import Answered, Cancelled, Refused, Updated

TRAINER = "segviz.training.run:Trainer"


def test_a_training_is_stopped_leaves_a_checkpoint_and_goes_on(make_client, tmp_path: Path) -> None:
    client, heard = make_client(TRAINER, patience=60.0)
    place, out = tmp_path / "run.checkpoint", tmp_path / "lenet5.safetensors"
    request = TrainRequest("lenet5", quick=True, steps=200, out=str(out), checkpoint=str(place))
    ticket = client.ask(request)
    first = heard.a(Updated, ticket)
    assert isinstance(first.update, TrainingSamples)  # what the network says before it has learned anything
    assert first.update.step == 0
    client.cancel(TrainRequest)
    assert isinstance(heard.end(ticket), Cancelled)
    assert place.is_file()
    assert not out.exists()
    ended = heard.end(client.ask(request))
    assert isinstance(ended, Answered), ended
    assert isinstance(ended.answer, TrainingResult)
    assert out.is_file()
    assert not place.exists()
    refused = heard.end(client.ask(replace(request, recipe="vgg16")))
    assert isinstance(refused, Refused)
    assert "no training recipe 'vgg16'" in refused.message
