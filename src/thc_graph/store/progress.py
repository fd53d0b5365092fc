"""Progress: who wants to know is told each stage as it begins, and how far it is."""

from dataclasses import dataclass
from typing import Protocol

EVERY = 500  # steps between two tellings


class Progress(Protocol):
    """Told the name of a stage: "reading", "comparing"…; `total` is 0 where it is not known."""

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None: ...


def silent(stage: str, done: int = 0, total: int = 0) -> None:
    """Tell nobody."""


@dataclass
class Steps:
    """The steps of one stage, told now and then."""

    progress: Progress
    stage: str
    total: int
    done: int = 0

    def step(self) -> None:
        self.done += 1
        if self.done % EVERY == 0:
            self.progress(self.stage, self.done, self.total)
