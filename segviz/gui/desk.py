"""The desk: where State, engine and window meet. It asks for what the State describes and composes the Scene.

Work goes in one order, each step waiting for the one before it, so that one broken file or network
makes one message: picture, description, prediction, feature maps. A race runs on command. Answers
that belong to another State than the one that is wanted by now are dropped; what fails leaves the
last good answer on the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from segviz.core import planning, refinement
from segviz.core.races import RaceResult
from segviz.core.requests import DescribeRequest, KeptRequest, Request, SegmentRequest
from segviz.core.session import Session, State
from segviz.gui import comparing, gestures, painting, plan, sighting
from segviz.gui.ledger import Ledger
from segviz.gui.names import title_of
from segviz.gui.outlet import Outlet
from segviz.gui.partners import Worker
from segviz.gui.pinning import Pinning
from segviz.gui.retreat import Retreat
from segviz.gui.scene import EngineStatus, Job, Kind, Message, Scene
from segviz.gui.training_desk import TrainingDesk
from segviz.worker.messages import Answered, Cancelled, EngineDied, EngineReady, EngineStarting, Refused, Updated

if TYPE_CHECKING:
    from segviz.core.images import Picture
    from segviz.gui.runs import Training

CLOSING = 2.0  # seconds that a closing window may take for everything that still works for it
DEBOUNCE = 150  # ms that a slider must rest before the engine is asked
AGAIN = {Kind.RACE: "Choose Run > Race (Ctrl+R) to race again"}  # where Run > Run again would not do it


class Desk(Outlet):
    """Holds the Session and the engine's answers; `shown(old, new)` tells of a new Scene, once an event-loop turn."""

    shown = Signal(object, object)
    pointed = Signal(object)  # (x, y) of the image: where the mouse is in a panel; None: nowhere
    untrusted = Signal(object)  # Refused: a program that waits for the person's word; what was shown stays

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.pinning = Pinning(session)
        self.scene = Scene(session.state)
        self._jobs: Worker | None = None
        self._told: Scene | None = None
        self.examines = False
        self._raced: RaceResult | None = None  # the last race that ended, while another runs
        self._retreat = Retreat(session)
        self._obituary: Message | None = None  # that the engine stopped, until it answers again
        self._said_of = plan.subject(session.state)  # network and image that the message is about
        self._opened: tuple[str, int] | None = None  # path and revision
        self._opening: tuple[str, int] | None = None
        self.errands = 0  # work beside the engine that `idle` waits for
        self._ledger = Ledger()
        self._tell = self._timer(self._emit)
        self._asking = self._timer(self._plan)
        self._ends_listening = session.listen(self._state_changed)
        self.training = TrainingDesk(self)

    def _timer(self, then: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(then)
        return timer

    # ------------------------------------------------------------------------------ life

    def start(self, jobs: Worker) -> None:
        """Begin to ask: `jobs` delivers its events in this thread."""
        self._jobs = jobs
        jobs.told.connect(self._on_event)
        jobs.start()
        self._asking.start(0)

    def close(self, patience: float = CLOSING) -> None:
        """Forget everybody and end the engine, within `patience` seconds; nothing is told any more."""
        self._ends_listening()
        self._tell.stop()
        self._asking.stop()
        self.training.hang_up(patience)
        if self._jobs is not None:
            self._jobs.told.disconnect(self._on_event)
            self._jobs.close(patience)
            self._jobs = None
        self.training.close()

    @property
    def idle(self) -> bool:
        """Whether all that was planned is there and told: what a screenshot waits for."""
        waiting = (
            self._ledger.kinds or self._opening or self.errands or self._asking.isActive() or self._tell.isActive()
        )
        return self._jobs is not None and not waiting

    # ------------------------------------------------------------------------------ scene

    def _show(self, **changes: Any) -> None:
        self.scene = comparing.shelved(replace(self.scene, **changes))
        if not self._tell.isActive():
            self._tell.start(0)

    def show_training(self, training: Training) -> None:
        """Show what the training laboratory has to say."""
        self._show(training=training)

    def _emit(self) -> None:
        old, self._told = self._told, self.scene
        if old is not self.scene:
            self.shown.emit(old, self.scene)

    def _state_changed(self, old: State, new: State) -> None:
        self._retreat.follow(self.scene, old, new)
        if new.window != old.window and new.window is None:
            self._ledger.forget(Kind.WINDOW)
            self._show(window=None)
        stale = self.scene.message is not None and self.scene.message.about and plan.subject(new) != self._said_of
        gone: dict[str, Any] = {"message": None} if stale else {}
        if plan.subject(new) != plan.subject(old):
            gone["unanswered"] = ""
        self._show(state=new, before=plan.before(self.scene, old, new), **gone)
        slider = any(getattr(old, name) != getattr(new, name) for name in plan.SLIDERS)
        if slider or not self._asking.isActive():
            self._asking.start(DEBOUNCE if slider and old.model == new.model else 0)

    def _foreign(self, state: State) -> dict[str, Any]:
        """What is to go off the screen; it counts as not there, and is asked for again when it is wanted."""
        gone = plan.foreign(self.scene, state)
        for name in gone.keys() & plan.ANSWERS.keys():
            self._ledger.forget(plan.ANSWERS[name])
        return gone

    # ------------------------------------------------------------------------------ planning

    def _plan(self) -> None:
        """Ask for what the State describes and is not there, in order."""
        if self._jobs is None:
            return
        self._plan_picture(self.scene.state)
        described = self._ledger.have(Kind.DESCRIPTION)
        for kind, wanted in plan.wanted(self.scene, self._opening is not None, described).items():
            self._toggle(kind, wanted)
            asked = self._ledger.asked(kind)
            if asked is not None and wanted is not None and (asked == wanted or plan.waits(kind, asked, wanted)):
                continue
            if wanted is not None and not self._ledger.settled(kind, wanted) and kind is not Kind.RACE:
                self._ask(kind, wanted)
            elif asked is not None:
                self._drop(kind)
        self._plan_badge(described)
        self._show_jobs()

    def _toggle(self, kind: Kind, wanted: Request | None) -> None:
        """Refined labels and those before come with one answer: going from one to the other asks nobody.

        A kept result that was there and has left the shelf with its image is asked for again.
        """
        if kind is Kind.KEPT and wanted is not None and wanted == self._ledger.have(kind):
            self._ledger.forget(kind)
        twin = refinement.at_hand(self.scene.answer, wanted) if isinstance(wanted, SegmentRequest) else None
        if twin is not None and kind is Kind.PREDICTION:
            self._ledger.hold(kind, twin.request)
            self._show(prediction=twin)

    def _plan_badge(self, described: Request | None) -> None:
        """While somebody looks and nothing else is to be done, try what the network can do."""
        wanted = plan.badge(self.scene.state) if self.examines and described is not None else None
        others = self._opening is not None or any(kind is not Kind.BADGE for kind in self._ledger.kinds)
        asked = self._ledger.asked(Kind.BADGE)
        if wanted is not None and not others and asked is None and not self._ledger.settled(Kind.BADGE, wanted):
            self._ask(Kind.BADGE, wanted)
        elif asked is not None and (others or asked != wanted):
            self._drop(Kind.BADGE)

    def examine(self, wanted: bool) -> None:
        """Whether anybody looks at what the network can do."""
        if wanted is not self.examines:
            self.examines = wanted
            self._asking.start(0)

    def _plan_picture(self, state: State) -> None:
        if state.image is None:
            self._opening = self._opened = None
            self._retreat.image_is_good()
            if self.scene.picture is not None:
                self._show(picture=None, **self._foreign(state))
        elif (self._opening or self._opened) != (state.image, state.revision):
            self._open(state.image)

    def _open(self, path: str) -> None:
        assert self._jobs is not None
        self._opening = path, self.scene.state.revision
        self._jobs.open_picture(path)

    def _ask(self, kind: Kind, request: Request) -> None:
        """Ask; the client ends an older request of this kind for the newer one, with more patience than a stop has."""
        assert self._jobs is not None
        if kind is Kind.PREDICTION:
            self._show(unanswered="", **({"partial": None} if self._ledger.asked(kind) is not None else {}))
        self._ledger.ask(kind, request, self._jobs.ask(request))

    def _drop(self, kind: Kind) -> None:
        """Stop work whose answer nobody waits for any more."""
        self._ledger.drop(kind)
        self._cancel(kind)

    def _cancel(self, kind: Kind) -> None:
        assert self._jobs is not None
        self._jobs.cancel(plan.REQUESTS[kind])
        if kind is Kind.PREDICTION:
            self._show(partial=None)

    def _show_jobs(self) -> None:
        shown = [kind for kind in Kind if self._ledger.asked(kind) is not None and not self._ledger.is_quiet(kind)]
        jobs = [self.scene.job(kind) or Job(kind) for kind in shown]
        if self._opening is not None:
            jobs.insert(0, Job(Kind.IMAGE))
        engine = self.scene.engine
        if engine in (EngineStatus.READY, EngineStatus.BUSY):
            engine = EngineStatus.BUSY if shown else EngineStatus.READY
        now = {"jobs": tuple(jobs), "engine": engine, "given_up": self._ledger.given_up}
        if any(getattr(self.scene, name) != value for name, value in now.items()):
            self._show(**now)

    # ------------------------------------------------------------------------------ events

    def _on_event(self, event: object) -> None:
        handler = _HANDLERS.get(type(event).__name__)
        if handler is None:
            raise TypeError(f"the desk knows no event {type(event).__name__}")
        handler(self, event)
        self._show_jobs()

    def _picture_opened(self, event: Any) -> None:
        if self._opening is None or event.path != self._opening[0]:
            return
        self._opened, self._opening = self._opening, None
        self._retreat.image_is_good()
        self._show(picture=event.picture, **self._foreign(self.session.state), **self.cleared(Kind.IMAGE))
        self._asking.start(0)

    def _picture_refused(self, event: Any) -> None:
        if self._opening is None or event.path != self._opening[0]:
            return
        self._opening = None
        self._retreat.from_image()
        self.say(event.message, event.details, Kind.IMAGE)
        self._asking.start(0)

    def _engine_starting(self, _: EngineStarting) -> None:
        self._show(engine=EngineStatus.STARTING)

    def _engine_ready(self, event: EngineReady) -> None:
        self._show(engine=EngineStatus.READY, device=event.device)

    def _engine_died(self, event: EngineDied) -> None:
        kind = self._end(event.ticket) if event.request is not None else None
        again = AGAIN.get(kind, "Choose Run > Run again (F9) to try again") if kind is not None else ""
        killer = self.session.state.model
        if kind is Kind.DESCRIPTION and self.scene.known is None and self._retreat.from_network():
            again = f"{title_of(killer)} is not open: choose it again to try once more"
        self._show(engine=EngineStatus.OFF)
        self.say(f"{event.message}. {again}." if again else event.message, about=kind)
        self._obituary = self.scene.message

    def _updated(self, event: Updated) -> None:
        kind = self._ledger.kind_of(event.ticket)
        if kind is not None:
            self._show(**painting.updated(self.scene, self._ledger, kind, event.update))

    def _answered(self, event: Answered) -> None:
        kind = self._end(event.ticket, answered=True)
        self._show(**self._revived())
        if kind is None:
            return
        self._show(**painting.changes(self.scene, self._ledger, event.answer), **self.cleared(kind))
        if kind is Kind.DESCRIPTION:
            self._show(**self._foreign(self.session.state))
            self.pinning.described(self.scene)
            self.session.update(**gestures.suited(self.scene))
        if kind is Kind.PREDICTION:
            self.pinning.predicted(self.scene)
        if kind is Kind.CAMS:
            self._retreat.heatmaps_are_good()
        self._asking.start(0)

    def _refused(self, event: Refused) -> None:
        kind = self._end(event.ticket)
        if kind is None:
            return
        if kind is Kind.WINDOW:
            self.session.update(window=None)
        if kind is Kind.OCCLUSION:
            self.session.update(**sighting.change(self.session.state, square=None))
        if isinstance(event.request, DescribeRequest):
            known = self.scene.known  # with the same request, it is what was drawn that is refused
            if known is None or not planning.same_but_drawn(known.request, event.request):
                self._retreat.from_network()
        if kind is Kind.PREDICTION:
            self._as_made()
        if kind is Kind.CAMS:
            self._as_seen()
        if isinstance(event.request, KeptRequest):  # others go on
            self._show(refused=(*self.scene.refused, (event.request, event.message)))
            self._asking.start(0)
        if event.trust:
            self.untrusted.emit(event)
        else:
            self.say(event.message, event.details, kind)

    def _as_made(self) -> bool:
        """Choose again what the picture was made with, if there is one; what led away from it may be chosen anew."""
        there = self.scene.answer is not None
        if self._retreat.from_picture(self.scene):
            self._ledger.forgive(Kind.PREDICTION)
        return there

    def _as_seen(self) -> None:
        """Choose the heatmaps again that were there before those that ended without an answer."""
        self._show_jobs()  # which gives up
        if self._retreat.from_heatmaps(self.scene):
            self._ledger.forgive(Kind.CAMS)  # what could not be had may be chosen again

    def _cancelled(self, event: Cancelled) -> None:
        self._end(event.ticket)

    def _end(self, ticket: int, answered: bool = False) -> Kind | None:
        """The kind of work that ended; None when it is not waited for. It is not asked again by itself."""
        kind = self._ledger.kind_of(ticket)
        if kind is not None:
            end = self._ledger.keep if answered else self._ledger.give_up
            end(kind)
            if kind is Kind.PREDICTION:
                self._show(partial=None)
            if kind is Kind.RACE:
                self._show(race_updates=())
        return kind

    def take(self, **found: Any) -> None:
        """Show what was found without the engine: fields of the Scene."""
        self._show(**found)

    def cleared(self, kind: Kind) -> dict[str, Any]:
        message = self.scene.message
        return {"message": None} if message is not None and message.about is kind else {}

    def _revived(self) -> dict[str, Any]:
        """The engine answers again: that it had stopped is said no longer, only what is to be done by hand."""
        message, self._obituary = self._obituary, None
        return {"message": plan.revived(message)} if message is not None and message is self.scene.message else {}

    # ------------------------------------------------------------------------------ commands

    def dismiss(self) -> None:
        """The person has read the message."""
        self._show(message=None)

    def say(self, text: str, details: str = "", about: Kind | None = None) -> None:
        """Show a message that needs attention, until it is dismissed or what it is about works again or is gone."""
        self._said_of = plan.subject(self.session.state)
        self._show(message=Message(text, details, about), **plan.lacking(self.scene, text, about))

    def run(self) -> None:
        """Ask for everything that the State describes again, the file read anew."""
        if self._jobs is None:
            return
        self._ledger.clear()
        self._show(refused=())
        if self.scene.state.image is not None:
            self._open(self.scene.state.image)
        self._asking.start(0)
        self._show_jobs()

    def retry(self) -> None:
        """What failed may not fail any more: ask for it again if it is still wanted."""
        self._ledger.forgive()
        self._show(refused=())
        self._asking.start(0)

    def show_drawn(self, picture: Picture, revision: int, **changes: Any) -> None:
        """Show a picture that was drawn here: its file holds the same already, and is not read again."""
        self._opened, self._opening = (picture.path, revision), None
        self.session.update(**{"image": picture.path, "revision": revision} | changes)
        self._retreat.image_is_good()  # a drawing can be opened
        self._show(picture=picture, **self._foreign(self.session.state), **self.cleared(Kind.IMAGE))
        self._asking.start(0)

    def stop(self, kind: Kind | None = None) -> None:
        """Stop work of one kind, or all that takes long; what is on the screen stays, and says what it is of.

        What was chosen for a run that is stopped goes back to what the picture was made with.
        """
        if self._jobs is None:
            return
        stopped = [other for other in self._ledger.kinds if other is kind or (kind is None and other in plan.LONG)]
        for other in stopped:
            self._ledger.give_up(other)
            self._cancel(other)
        if Kind.RACE in stopped:
            self._show(race_updates=(), race=self._raced)
            self._show(**self._foreign(self.session.state))
        if Kind.CAMS in stopped:
            self._as_seen()
        if Kind.PREDICTION in stopped and self._as_made():
            self.said.emit("Stopped: the picture is the one of before")
        elif Kind.PREDICTION in stopped or Kind.DESCRIPTION in stopped:
            self._show(**plan.lacking(self.scene, "Stopped: choose Run > Run again (F9)", Kind.PREDICTION))
        self._show_jobs()

    def race(self) -> None:
        """Start the race on the current image and network."""
        request = planning.plan_race(self.scene.state)
        if self._jobs is None or request is None:
            self.say("A race needs an image and a network: choose both first.", about=Kind.RACE)
            return
        if self.training.makes_way(self.race):
            return
        if self._ledger.asked(Kind.RACE) is not None:
            self._drop(Kind.RACE)
        self._raced = self.scene.race or self._raced
        self._show(race=None, race_updates=(), **self.cleared(Kind.RACE))
        self._ask(Kind.RACE, request)
        self._show_jobs()

    def point_at(self, point: tuple[float, float] | None) -> None:
        self.pointed.emit(point)


# By name, since the picture events live beside the engine's client, which is loaded after the first paint.
_HANDLERS: dict[str, Callable[[Desk, Any], None]] = {
    "PictureOpened": Desk._picture_opened,
    "PictureRefused": Desk._picture_refused,
    "EngineStarting": Desk._engine_starting,
    "EngineReady": Desk._engine_ready,
    "EngineDied": Desk._engine_died,
    "Updated": Desk._updated,
    "Answered": Desk._answered,
    "Refused": Desk._refused,
    "Cancelled": Desk._cancelled,
}
