"""The job of a setup: its network on its image, kept for the next ask, and the one key of what is kept of both."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from torch import Tensor

from segviz.core.errors import SegvizError
from segviz.core.frames import Frame
from segviz.core.requests import Setup
from segviz.engine.job import Job
from segviz.engine.prepare import check_channels, tensor_of
from segviz.engine.store import Kept, Loaded, Store, version

KEPT = 2  # jobs: of the image as it is and squeezed
LARGEST_KEPT = 2**28  # bytes of the images of all kept jobs; the newest stays, whatever it takes


class Jobs:
    """Makes the jobs of an engine's networks and pictures. A job is never the only one: a click follows a click."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._made: Kept[Job] = Kept(KEPT, LARGEST_KEPT, lambda job: job.image.nbytes)

    def forget(self) -> None:
        """Let go of what holds on to networks."""
        self._made.clear()

    def loaded(self, setup: Setup) -> Loaded:
        """The network of a setup, which is opened for it. Raises SegvizError where it cannot be."""
        return self._store.network(setup.model, setup.pooling, setup.device, setup.trust)

    def of(self, setup: Setup, squeeze: bool = False) -> Job:
        """The network on the setup's image; `squeeze` makes that as large as the native input, whatever its shape.

        Raises SegvizError without an image, and where one of both cannot be read or the image is too small.
        """
        if setup.image is None:
            raise SegvizError("there is no image to look at: open one, or name one")
        loaded = self.loaded(setup)
        seen = version(setup.image)  # before it is read: a change in between is then found by the next ask
        key = (*key_of(setup, loaded), seen, squeeze)
        return self._made.get(key, lambda: self._job(setup, setup.image or "", loaded, squeeze, key))

    def at_once(self, setup: Setup) -> Job:
        """The job whose trace, `Job.traced`, takes the image at once: squeezed where there is no convolutional form."""
        return self.of(setup, squeeze=not self.loaded(setup).convertible)

    def _job(self, setup: Setup, path: str, loaded: Loaded, squeeze: bool, key: Hashable) -> Job:
        check_channels(loaded.entry)
        picture = self._store.picture(path)
        frame, native = frame_of(loaded, (picture.height, picture.width), setup.scale, squeeze), loaded.entry.input_size
        image = self.pixels(path, loaded, frame)
        as_published = loaded.traced(False, native, image=image if frame.outer == native[1:] else None)
        return Job(loaded, image, key, frame, as_published, notes=picture.notes, fast=setup.fast)

    def pixels(self, path: str, loaded: Loaded, frame: Frame) -> Tensor:
        """An image file as the network takes it (1, C, H, W)."""
        return tensor_of(self._store.picture(path).pixels, loaded.entry.preprocessing, frame).to(loaded.device)


def key_of(setup: Setup, loaded: Loaded) -> tuple[Hashable, ...]:
    """What tells a setup from another, but for the contents of its image: not its revision, and the network's files.

    The entry is in it for a list of class names, which is a file too.
    """
    return replace(setup, revision=0), loaded.files, loaded.entry


def frame_at_once(loaded: Loaded, image: tuple[int, int], scale: float | None) -> Frame:
    """How an image of (height, width) lies in the input of the trace that takes it at once: see `Jobs.at_once`."""
    return frame_of(loaded, image, scale, squeeze=not loaded.convertible)


def frame_of(loaded: Loaded, image: tuple[int, int], scale: float | None, squeeze: bool) -> Frame:
    """How an image of (height, width) lies in an input; `squeeze`: in the native one, all that some networks take."""
    native = loaded.entry.input_size[1:]
    return Frame(image, native, native) if squeeze else loaded.frame(image, scale)
