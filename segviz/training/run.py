"""Request to result in a process of its own: the runner that `worker/server` starts for training."""

from __future__ import annotations

from segviz.core.learning import TrainRequest
from segviz.training.loop import Training, train


class Trainer:
    """Runs trainings. Recipes train on the processor, where anybody gets the same weights."""

    @property
    def device_text(self) -> str:
        return "CPU, threads as the recipe says"

    def run(self, request: TrainRequest) -> Training:
        """Train; closing the generator pauses, and leaves a checkpoint where the request names one."""
        return train(request)
