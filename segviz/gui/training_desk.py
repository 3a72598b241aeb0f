"""The desk of the training laboratory: a second engine process, beside the one that inspects.

It is started when training is first asked for. To pause is to stop, which leaves a checkpoint; to go on is
the same request with that checkpoint, which gives the same numbers. What is said of the runs is one frozen
value (`runs.Training`), which the desk shows as a part of the Scene.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from segviz.core.choices import TrainingPage
from segviz.core.errors import SegvizError
from segviz.core.learning import TrainingProgress, TrainingSamples, TrainRequest
from segviz.core.requests import Progress
from segviz.gui import run_files, training_words
from segviz.gui.pace import Pace
from segviz.gui.partners import Worker
from segviz.gui.run_files import RunFile
from segviz.gui.runs import ACTIVE, ENDING, HALTED, Left, Phase, Run, Training, with_point
from segviz.gui.scene import Kind, Scene
from segviz.worker.messages import Answered, Cancelled, EngineDied, Refused, Updated

if TYPE_CHECKING:
    from segviz.gui.desk import Desk

WRITTEN_EVERY = 2.0  # seconds between two records of where a run is
WAITING = {Phase.WAITING: Phase.STARTING, Phase.STOPPED: Phase.FINISHING}  # what follows a race


class TrainingDesk(QObject):
    """Starts, pauses, goes on and forgets runs. Only the newest can be at work."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self._make: Callable[[], Worker] | None = None
        self._worker: Worker | None = None
        self._file: RunFile | None = None  # of the newest run, while it is not over
        self._ticket: int | None = None
        self._then: Callable[[], None] | None = None  # what waits for training to make way
        self._returns = True  # whether training goes on after that: not if a person had paused it
        self._pace = Pace()
        self._written = self._until = 0.0
        self._halted = 0.0  # when the run was last asked to stop, in seconds since 1970
        self._in_vain = False  # whether the newest run was stopped and its test failed
        self._made = 0  # runs so far
        self._kept = 0  # the step that the checkpoint of the newest run is of
        self._quick: set[str] = set()  # weights that nobody wants once the window is closed
        desk.shown.connect(lambda _, new: self._follow(new))

    def use(self, make: Callable[[], Worker]) -> None:
        """Let `make` start the process once training is asked for."""
        self._make = make

    @property
    def training(self) -> Training:
        return self._desk.scene.training

    def _show(self, training: Training) -> None:
        self._desk.show_training(training)

    # ------------------------------------------------------------------------------ commands

    def look(self) -> None:
        """Find what earlier windows left unfinished."""
        self._show(replace(self.training, left=run_files.left()))

    def start(self, request: TrainRequest) -> None:
        """Begin a run from its first step, in the place of one that is under way."""
        if self._make is None or self.training.phase in ACTIVE:
            return
        self._let_go()
        try:
            file = run_files.fresh(request.recipe)
        except SegvizError as error:
            self._desk.say(str(error), error.details)
            return
        asked = replace(request, checkpoint=str(file.checkpoint), out=str(file.weights))
        if request.quick:
            self._quick.add(str(file.weights))
        self._begin(file, training_words.run_name(request, [run.name for run in self.training.runs]), asked)

    def resume(self, left: Left) -> None:
        """Go on with what an earlier window left."""
        file = RunFile(left.record)
        if self._make is None or self.training.phase in ACTIVE:
            return
        if not file.checkpoint.is_file() or not file.claim(run_files.READING):
            self._desk.say(f"{left.name}: another window trains it, or its checkpoint is gone. Start it anew.")
            self.look()
            return
        self._let_go()
        self._begin(file, left.name, left.request, left.step)

    def _begin(self, file: RunFile, name: str, request: TrainRequest, step: int = 0) -> None:
        self._made += 1
        self._file, self._kept = file, step
        runs = (*self.training.runs, Run(self._made, name, request))
        left = tuple(other for other in self.training.left if other.record != file.record)
        self._show(replace(self.training, runs=runs, left=left))
        self._desk.session.update(training_page=TrainingPage.CURVES, train=request.chosen)
        self._ask()

    def _ask(self, phase: Phase = Phase.STARTING) -> None:
        """Have the newest run done, from its checkpoint where there is one; a race that runs ends first."""
        run = self.training.run
        assert run is not None
        finish, self._in_vain = phase is Phase.FINISHING, False
        if self._desk.scene.job(Kind.RACE) is not None:
            phase = Phase.STOPPED if finish else Phase.WAITING
        else:
            self._ticket, self._pace = self._ready().ask(replace(run.request, finish=finish)), Pace()
        self._show(replace(self.training.with_run(trouble=""), phase=phase, rate=None, remaining=None))

    def _ready(self) -> Worker:
        if self._worker is None:
            assert self._make is not None
            self._worker = self._make()
            self._worker.told.connect(self._on_event)
            self._worker.start()
        return self._worker

    def pause(self) -> None:
        """Stop, so that the same run can go on."""
        if self.training.phase not in ENDING:
            self._halt(Phase.PAUSING)

    def stop(self) -> None:
        """End the newest run for good: what it has learned is tested and can be opened, its checkpoint goes.

        Once more: without that.
        """
        if self.training.phase is Phase.STOPPED or (self.training.phase is Phase.PAUSED and self._in_vain):
            self._end_run(forget=True)
        elif self.training.phase in HALTED:
            self._finish()
        else:
            self._halt(Phase.FINISHING if self.training.phase is Phase.FINISHING else Phase.STOPPING)

    def _finish(self) -> None:
        """Make weights of what a run has learned; of one that has learned nothing, nothing is left."""
        run = self.training.run
        learned = max(self._kept, run.step if run is not None else 0)  # a process that has just begun told nothing yet
        if learned and self._can_go_on():
            self._ask(Phase.FINISHING)
        else:
            self._end_run(forget=True)

    def _can_go_on(self) -> bool:
        return self._file is not None and self._file.checkpoint.is_file()

    def _halt(self, phase: Phase) -> None:
        if self.training.phase in ACTIVE and self._worker is not None:
            self._halted = time.time()
            self._worker.cancel(TrainRequest)
            self._show(replace(self.training, phase=phase, rate=None, remaining=None))

    def go_on(self) -> None:
        """Go on where the newest run was paused; the numbers are those of a run without a pause."""
        if self.training.phase in HALTED - ENDING:
            self._ask()

    def toggle(self) -> None:
        """Pause what runs, or go on with it; nothing where there is no run."""
        if self.training.phase in HALTED:
            self.go_on()
        else:
            self.pause()

    def drop(self, number: int) -> None:
        """Take a run that is over out of the curves."""
        runs = tuple(run for run in self.training.runs if run.number != number or self._is_current(run))
        self._show(replace(self.training, runs=runs))

    def _is_current(self, run: Run) -> bool:
        return self._file is not None and run is self.training.run

    def forget(self, left: Left) -> None:
        """Nobody wants to go on with what an earlier window left, unless another window does."""
        file = RunFile(left.record)
        if not file.claim(run_files.READING):
            self._desk.say(f"{left.name}: another window trains it.")
            self.look()
            return
        file.forget(weights=True)
        file.release()
        self._show(replace(self.training, left=tuple(other for other in self.training.left if other is not left)))

    def keep(self, run: Run) -> None:
        """The weights of a run are in use: they stay when the window is closed."""
        self._quick.discard(str(run.request.out))

    # ------------------------------------------------------------------------------ races

    def makes_way(self, then: Callable[[], None]) -> bool:
        """Whether `then` has to wait until training has paused; it is called as soon as that is so.

        For a race, whose clocks must not run beside another computation. Training goes on after it.
        """
        if self.training.phase not in ACTIVE:
            return False
        self._then, self._returns = then, self.training.phase is not Phase.PAUSING
        self.pause()
        return True

    def _follow(self, scene: Scene) -> None:
        """Go on after a race, or test what was stopped beside it."""
        if scene.training.phase in WAITING and scene.job(Kind.RACE) is None:
            self._ask(WAITING[scene.training.phase])

    # ------------------------------------------------------------------------------ events

    def _on_event(self, event: object) -> None:
        handler = _HANDLERS.get(type(event))
        if handler is not None and getattr(event, "ticket", None) == self._ticket:
            handler(self, event)

    def _updated(self, event: Updated) -> None:
        _UPDATES[type(event.update)](self, event.update)

    def _progress(self, at: TrainingProgress) -> None:
        run = self.training.run
        assert run is not None
        rate, remaining = self._pace.at(at.seconds, Progress(at.step, at.steps, "steps"))
        changed = self.training.with_run(points=with_point(run.points, at))
        self._show(replace(changed, phase=self._at_work(), rate=rate, remaining=remaining))
        if time.monotonic() - self._written >= WRITTEN_EVERY:
            self._write()

    def _samples(self, samples: TrainingSamples) -> None:
        self._kept = samples.step  # with them the trainer leaves a checkpoint, or has begun from one
        self._show(replace(self.training.with_run(samples=samples), phase=self._at_work()))

    def _at_work(self) -> Phase:
        return Phase.RUNNING if self.training.phase is Phase.STARTING else self.training.phase

    def _answered(self, event: Answered) -> None:
        self._show(self.training.with_run(result=event.answer))
        self._end_run(forget=True)
        run = self.training.run
        assert run is not None
        self._desk.said.emit(f"{run.name}: {training_words.ended(run)}")

    def _refused(self, event: Refused) -> None:
        self._fail(event.message)
        self._desk.say(event.message, event.details)

    def _died(self, event: EngineDied) -> None:
        """Nothing starts again by itself: the person says whether it goes on."""
        then = "Go on takes its newest checkpoint" if self._can_go_on() else "It left no checkpoint: start it anew"
        text = f"{event.message.partition('; it ')[0]}. {then}."
        self._fail(text)
        self._desk.say(text)

    def _fail(self, why: str) -> None:
        """The run ended early; it goes on where there is a checkpoint, and only when a person says so."""
        self._ticket, self._returns = None, False
        self._in_vain = self.training.phase is Phase.FINISHING
        self._show(self.training.with_run(trouble=why))
        self._write()
        if self._can_go_on():
            self._rest()
        else:
            self._end_run(forget=True)

    def _cancelled(self, _: Cancelled) -> None:
        self._ticket = None
        if self.training.phase is Phase.STOPPING:
            self._finish()
        elif self.training.phase is Phase.FINISHING:
            self._end_run(forget=True)
        else:
            self._write(stopped=self._has_saved())  # not where the step was given up
            self._rest()

    def _has_saved(self) -> bool:
        """Whether the run that was asked to stop has left a checkpoint."""
        return self._file is not None and self._file.saved_since(self._halted)

    def _rest(self) -> None:
        """The run can go on; what waited for it to make way has its turn."""
        then, self._then = self._then, None
        phase = Phase.WAITING if then is not None and self._returns else Phase.PAUSED
        self._show(replace(self.training, phase=phase, rate=None, remaining=None))
        if then is not None:
            self._race(then)

    def _race(self, then: Callable[[], None]) -> None:
        then()
        self._follow(self._desk.scene)  # where there is no race after all

    def _end_run(self, forget: bool) -> None:
        self._ticket = None
        if self._file is not None:
            if forget:
                self._file.forget()
            self._file.release()
            self._file = None
        self._show(replace(self.training, phase=Phase.IDLE, rate=None, remaining=None))
        then, self._then = self._then, None
        if then is not None:
            then()

    def _let_go(self) -> None:
        """Another run begins: the paused one stays on the disk and is offered."""
        if self._file is not None:
            self._file.release()
            self._file = None
            self._show(replace(self.training, left=run_files.left()))

    def _write(self, stopped: bool = False) -> None:
        """Say on the disk where the run can go on: where it was `stopped`, else where its checkpoint is of.

        A disk that refuses must not end the run.
        """
        run = self.training.run
        if self._file is None or run is None:
            return
        self._written = time.monotonic()
        at = run.newest
        if stopped:
            self._kept = max(self._kept, run.step)
        try:
            self._file.write(run.name, run.request, self._kept, at.steps if at is not None else 0)
        except SegvizError as error:
            self._desk.said.emit(str(error))

    # ------------------------------------------------------------------------------ the end

    def hang_up(self, patience: float) -> None:
        """The window closes in `patience` seconds: ask the run to stop, which leaves a checkpoint; waits for nothing.

        The process has that time for it; `close` waits for what is left of it.
        """
        self._until = time.monotonic() + patience
        if self.training.phase not in (Phase.PAUSING, Phase.STOPPING):  # else it was asked before, and may have saved
            self._halted = time.time()
        if self._worker is not None:
            self._worker.told.disconnect(self._on_event)
            self._worker.cancel()

    def close(self) -> None:
        """End the process; what is not finished can go on in another window."""
        if self._worker is not None:
            self._worker.close(max(0.0, self._until - time.monotonic()))
            self._worker = None
        if self._file is not None:
            if self._can_go_on():
                self._write(stopped=self._has_saved())
            else:  # it has ended meanwhile, or never saved
                self._file.forget()
            self._file.release()
            self._file = None
        for weights in self._quick:
            Path(weights).unlink(missing_ok=True)


_UPDATES: dict[type, Callable[[TrainingDesk, Any], None]] = {
    TrainingProgress: TrainingDesk._progress,
    TrainingSamples: TrainingDesk._samples,
}
_HANDLERS: dict[type, Callable[[TrainingDesk, Any], None]] = {
    Updated: TrainingDesk._updated,
    Answered: TrainingDesk._answered,
    Refused: TrainingDesk._refused,
    Cancelled: TrainingDesk._cancelled,
    EngineDied: TrainingDesk._died,
}
