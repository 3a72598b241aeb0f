"""Training, readable aloud: draw a batch, compare the answers with the labels, take a step, report."""

from __future__ import annotations

import hashlib
import math
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from segviz.core import catalogue
from segviz.core.errors import SegvizError, named
from segviz.core.learning import TrainingProgress, TrainingResult, TrainingSamples, TrainingUpdate, TrainRequest
from segviz.core.metrics import IGNORED
from segviz.training import checkpoints, losses, weights
from segviz.training.batches import Batch, Dealing, Fingerprinted
from segviz.training.fields import grid_of
from segviz.training.networks import beginning, groups, learning
from segviz.training.recipes import Recipe, entry_for, recipe, source_of
from segviz.training.scoring import Tally, Test, outputs_of, result_of, samples_of

MEANS_OVER = 20  # steps
CHANGED = {"recipe": "the recipe has changed", "data": "the images or masks of the folder have changed"}

Training = Generator[TrainingUpdate, None, TrainingResult]


def train(request: TrainRequest) -> Training:
    """Train as `request` says and write the weights to its `out`, a safetensors file.

    Yields a report after every step; returns the result. Closing the generator stops, and leaves a checkpoint
    where the request names one; the same request goes on from it with the same numbers, and takes it away at the
    end. One that is to `finish` takes no more steps. Another processor or version of torch may round differently.
    Raises UsageError for a recipe that there is not and SegvizError where data cannot be read or files not be written.
    """
    run = Run(request)
    for file in (request.out, request.checkpoint):  # said before the work, not after it
        if file is not None and not Path(file).parent.is_dir():
            raise SegvizError(f"{named(file)}: there is no folder {Path(file).parent}; make it first")
    place = None if request.checkpoint is None else Path(request.checkpoint)
    if place is not None and place.exists():
        run.go_on(checkpoints.read(place, request), place)
    began, updates = run.step, run.test() if request.finish else run.learn()
    try:
        for update in updates:
            # Tested: a crash later on costs little.
            if place is not None and isinstance(update, TrainingSamples) and run.step > began:
                checkpoints.write(place, request, run.state())
            yield update
    except GeneratorExit:
        updates.close()  # a step under way is taken back first
        if place is not None:
            checkpoints.write(place, request, run.state())
        raise
    result = result_of(request, run.plan, run.step, run.entry, run.network, run.tally, run.seconds)
    if request.out is not None:
        weights.write(run.network, Path(request.out), run.plan, run.entry, result)
    if place is not None:
        place.unlink(missing_ok=True)
    return result


class Run:
    """One training under way: what it has learned so far, and what decides its next numbers."""

    def __init__(self, request: TrainRequest) -> None:
        self.request = request
        self.plan: Recipe = recipe(request)
        known = catalogue.entry(self.plan.network)
        self.source = source_of(self.plan, request, known)
        self.entry = entry_for(self.plan, self.source.classes, known, request)
        self.network = beginning(self.plan, self.entry)
        learned = groups(self.network, self.plan)
        self.optimiser = torch.optim.AdamW(learned, lr=self.plan.learning_rate, weight_decay=self.plan.weight_decay)
        self.chance = torch.Generator().manual_seed(self.plan.seed)  # draws batches and masks
        self.dropping = torch.Generator().manual_seed(self.plan.seed).get_state()  # of torch's own, for dropout
        self.class_weights = torch.tensor(self.plan.class_weights) if self.plan.class_weights else None
        self.samples = self.source.samples()
        on_units = self.plan.heatmap or self.plan.patches
        self.grid = grid_of(self.network, self.samples.images) if on_units else None
        self.tally = Tally(self.source.classes)
        self.step, self.seconds = 0, 0.0
        self.recent: deque[tuple[float, float]] = deque(maxlen=MEANS_OVER)  # loss and accuracy of the last steps
        self.at_first = (0.0, 0.0)  # the same of the samples, before there was a step
        self.frequencies = torch.zeros(len(self.source.classes), dtype=torch.int64)  # of labels that were learned from
        self.newest: Test | None = None

    # -------------------------------------------------------------------------------- learning

    def learn(self) -> Generator[TrainingUpdate]:
        """All steps that are left, with samples at once, a test every so often and one at the end."""
        every = max(1, self.plan.steps // self.plan.tests)
        first = True
        while True:
            last = self.step == self.plan.steps
            if last:
                weights.round_as_written(self.network, self.plan)
            if last or (self.step and self.step % every == 0):
                yield from self.test()
            elif first:
                yield from self.show()
            if last:
                return
            first = False
            yield from self._step()

    def _step(self) -> Generator[TrainingUpdate]:
        """One step, with a report between its parts and one after it."""
        with closing(self.take_step()) as parts:
            found = None
            while found is None:
                began = time.perf_counter()
                with self._computing():
                    found = next(parts)
                self.seconds += time.perf_counter() - began
                if found is None:
                    yield self.progress()
        if not math.isfinite(found[0]):
            raise SegvizError(
                f"the loss was {found[0]} in step {self.step + 1:,}: this training has diverged; begin anew with a "
                f"lower rate than {self.plan.learning_rate:g}"
            )
        self.recent.append(found)
        self.step += 1
        yield self.progress()

    def take_step(self) -> Generator[tuple[float, float] | None]:
        """One batch, one step: None between its parts, last its loss and the share of places that were named rightly.

        Closed between two parts, it leaves all as it was before the step.
        """
        learning(self.network, (*self.plan.frozen, *self.plan.steady))
        before = self._passing()
        try:
            batch = self.source.batch(self.plan.batch, self.chance)
            self.optimiser.zero_grad()
            loss, right = (yield from self._by_patches(batch)) if self.plan.patches else self._at_once(batch)
        except GeneratorExit:
            self._take_back(before)
            raise
        if batch.undecided is not None and self.plan.undecided:
            answered = self.network(batch.undecided)
            (self.plan.undecided * losses.to_uniform(answered)).backward()  # type: ignore[no-untyped-call]
        rate = self.plan.learning_rate * schedule(self.step, self.plan.steps, self.plan.warm_up)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        self.optimiser.step()
        yield loss, right

    def _at_once(self, batch: Batch) -> tuple[float, float]:
        """The gradient of whole images (T28)."""
        outputs = outputs_of(self.network, batch.images, self.plan.ladder)  # each (N, classes) or (N, classes, h, w)
        finest = outputs[-1]
        wanted = self._target(batch, _places(finest))
        each = torch.stack([losses.cross_entropy(logits, wanted) for logits in outputs])
        loss = (each * torch.tensor(self.plan.depth_weights)).mean() if self.plan.depth_weights else each.mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item(), share_right(finest.argmax(1), wanted.labels)

    def _by_patches(self, batch: Batch) -> Generator[None, None, tuple[float, float]]:
        """The same gradient, patch by patch (T27): it takes long, and can be stopped between any two parts."""
        assert self.grid is not None  # of every plan with patches
        wanted = self._target(batch, (len(batch.labels), *self.grid.shape(*batch.images.shape[2:])))
        loss, right, count = 0.0, 0.0, 0
        for part, logits, labels in losses.by_patches(self.network, batch.images, wanted, self.grid):
            part.backward()  # type: ignore[no-untyped-call]
            loss += part.item()
            right += share_right(logits.argmax(1), labels) * len(labels)
            count += len(labels)
            yield
        return loss, right / max(1, count)

    def _target(self, batch: Batch, shape: tuple[int, ...]) -> losses.Target:
        wanted = losses.target(batch, shape, self.grid, self.class_weights, self.plan.kept, self.chance)
        known = wanted.labels[wanted.labels != IGNORED]
        self.frequencies += torch.bincount(known, minlength=len(self.frequencies))
        return wanted

    # --------------------------------------------------------------------------------- testing

    def test(self) -> Generator[TrainingUpdate]:
        """Score all held-out data, batch by batch, and show what the network says of the samples."""
        self.network.eval()
        tally = Tally(self.source.classes)
        for batch in self.source.held_out():
            with self._computing(), torch.inference_mode():
                outputs = outputs_of(self.network, batch.images, self.plan.ladder)
                places = _places(outputs[-1])
                things = None if batch.instances is None else losses.on_grid(batch.instances, places, self.grid)
                tally.add(outputs, losses.on_grid(batch.labels, places, self.grid), things, batch.tiles)
            yield self.progress()  # so that a test can be stopped
        self.tally, self.newest = tally, tally.test(self.step)
        yield from self.show()

    def show(self) -> Generator[TrainingUpdate]:
        """What the network says of the samples by now."""
        self.network.eval()
        with self._computing(), torch.inference_mode():
            logits = outputs_of(self.network, self.samples.images, self.plan.ladder)[-1]
        masking = torch.Generator().manual_seed(
            self.plan.seed
        )  # another than that of the steps, which it must not move
        wanted = losses.target(self.samples, _places(logits), self.grid, self.class_weights, self.plan.kept, masking)
        if not self.recent:
            self.at_first = losses.cross_entropy(logits, wanted).item(), share_right(logits.argmax(1), wanted.labels)
        shown = samples_of(self.step, self.source.classes, self.samples.images, wanted, logits, self.entry)
        yield replace(shown, frequencies=tuple(self.frequencies.tolist()))
        yield self.progress()

    def progress(self) -> TrainingProgress:
        known = self.recent or (self.at_first,)
        loss, accuracy = (sum(values) / len(known) for values in zip(*known, strict=True))
        test = self.newest
        return TrainingProgress(
            step=self.step,
            steps=self.plan.steps,
            loss=loss,
            accuracy=accuracy,
            seconds=self.seconds,
            held_out=None if test is None else test.accuracy,
            mean_iou=None if test is None else test.mean_iou,
            tested_at=None if test is None else test.step,
        )

    # ------------------------------------------------------------------------ stopping, going on

    def state(self) -> checkpoints.State:
        """All that decides the next numbers."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "chance": self.chance.get_state(),
            "dropping": self.dropping,
            "remaining": self.source.remaining() if isinstance(self.source, Dealing) else None,
            "recent": [list(values) for values in self.recent],
            "newest": None if self.newest is None else [self.newest.step, self.newest.accuracy, self.newest.mean_iou],
            "frequencies": self.frequencies,
            "step": self.step,
            "seconds": self.seconds,
            "made by": self._made_by(),
        }

    def _made_by(self) -> dict[str, str]:
        """What a request alone does not say of a run: the recipe as it is by now, what lies in a person's folder."""
        data = self.source.fingerprint() if isinstance(self.source, Fingerprinted) else ""
        return {"recipe": hashlib.sha256(repr(self.plan).encode()).hexdigest(), "data": data}

    def _passing(self) -> checkpoints.State:
        """What a step changes before it moves the weights: chance, what is left of a round, statistics."""
        return {
            "chance": self.chance.get_state(),
            "dropping": self.dropping,
            "remaining": self.source.remaining() if isinstance(self.source, Dealing) else None,
            "buffers": {name: buffer.clone() for name, buffer in self.network.named_buffers()},
            "frequencies": self.frequencies.clone(),
        }

    def _take_back(self, before: checkpoints.State) -> None:
        self.chance.set_state(before["chance"])
        self.dropping, self.frequencies = before["dropping"], before["frequencies"]
        if isinstance(self.source, Dealing):
            self.source.deal_on(before["remaining"])
        self.network.load_state_dict(before["buffers"], strict=False)

    def go_on(self, state: checkpoints.State, place: Path) -> None:
        """Take over the state of a run of the same request, from the file `place`."""
        try:
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.chance.set_state(state["chance"])
            self.dropping = state["dropping"]
            if isinstance(self.source, Dealing):
                self.source.deal_on(state["remaining"])
            self.recent.extend((loss, accuracy) for loss, accuracy in state["recent"])
            self.newest = None if state["newest"] is None else Test(*state["newest"])
            self.frequencies = state["frequencies"]
            self.step, self.seconds = int(state["step"]), float(state["seconds"])
            made_by = dict(state["made by"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise SegvizError(
                f"{named(place)}: a checkpoint of another version of segviz; begin anew without it", str(error)
            ) from error
        for what, ours in self._made_by().items():
            if made_by.get(what) != ours:
                raise SegvizError(f"{named(place)}: {CHANGED[what]} since it was left; begin anew without it")

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Compute with the recipe's threads and random numbers of this run; those of the process stay as they were."""
        with threads(self.plan.threads), torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self.dropping)
            yield
            self.dropping = torch.get_rng_state()


def _places(logits: Tensor) -> tuple[int, ...]:
    """(N,) of logits (N, classes), (N, h, w) of logits (N, classes, h, w)."""
    return (len(logits), *logits.shape[2:])


def share_right(labels: Tensor, truth: Tensor) -> float:
    """The share of places that are named rightly, of those that are not ignored."""
    counted = truth != IGNORED
    return float((labels == truth)[counted].float().mean()) if counted.any() else 0.0


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads inside, and with as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def schedule(step: int, steps: int, warm_up: float) -> float:
    """The share of the full learning rate at `step`: up in a straight line, down along half a cosine."""
    first = max(1, int(warm_up * steps))
    if step < first:
        return (step + 1) / first
    return 0.5 * (1 + math.cos(math.pi * (step - first) / max(1, steps - first)))
