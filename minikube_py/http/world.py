"""The cluster behind the server: one request at a time, and the engine between them.

Everything happens on the event loop's thread, which opened the file. `World.lock` keeps the order: a request takes it for
its few milliseconds, and the engine takes it for a run, in slices that let watchers be told in between.

What time does (`--clock`):

    virtual   after each write, and where somebody watches, it jumps from event to event until the cluster has settled
    manual    only while somebody watches, one instant at a time; and when the clock is told to
    xN, wall  virtual time follows the wall clock, N times as fast (wall: once)
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from minikube_py.base.errors import KpyError, UsageError
from minikube_py.http.asking import Asking
from minikube_py.http.watches import Hub

if TYPE_CHECKING:
    from minikube_py.cluster import Cluster
    from minikube_py.engine.report import Report

SLICE_S = 0.02  # real seconds of the engine's work before others are let in
SETTLE_S = 600  # virtual seconds that a settling cluster may take, as in `kpy reconcile`
TICK_S = 0.25  # real seconds between two moves of a clock that follows the wall
LOOK_S = 0.2  # real seconds between two looks at what other processes have written
REST_S = 0.02  # manual: real seconds for a watcher to act on what it was told before the next instant comes
MANUAL, VIRTUAL, WALL = "manual", "virtual", "wall"
FASTEST = 100_000


def pace_of(mode: str) -> float:
    """Virtual seconds for each real one: 1 for 'wall', 10 for 'x10', 0 where time does not follow the wall clock.

    Raises UsageError for a mode that there is not.
    """
    if mode in (MANUAL, VIRTUAL):
        return 0
    if mode == WALL:
        return 1
    try:
        pace = float(mode[1:]) if mode.startswith("x") else 0
    except ValueError:
        pace = 0
    if not 0 < pace <= FASTEST:
        raise UsageError(
            f'unknown clock "{mode}": use virtual, manual, wall, or x and a number ("x60": a minute each second)'
        )
    return pace


class World:
    """A cluster, its watchers, and its time."""

    def __init__(self, cluster: Cluster, *, clock: str = VIRTUAL) -> None:
        self.cluster = cluster
        self.hub = Hub(cluster)
        self.lock = asyncio.Lock()
        self._turn = (
            asyncio.Lock()
        )  # one run of the engine at a time, also while it waits for a webhook and lets others in
        self.mode = clock
        self.pace = pace_of(clock)
        self.problem = ""  # why the engine could not run the last time
        self._settling = False  # a settling is waiting for its turn or under way
        self._followed: tuple[float, int] | None = None  # where a paced clock began: (real, virtual seconds)
        self._tasks: list[asyncio.Task[None]] = []

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to look at the file and at the time. Called with the event loop running."""
        self._tasks = [asyncio.create_task(self._look()), asyncio.create_task(self._follow())]

    async def stop(self) -> None:
        self.hub.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- time ----------------------------------------------------------------------------------------------------

    def set_mode(self, mode: str) -> None:
        """Change what time does. Raises UsageError."""
        self.pace, self.mode = pace_of(mode), mode
        self._followed = None
        self.wrote()

    def wrote(self) -> None:
        """Something was written, or somebody has begun to wait: watchers hear of it, and the engine takes its turn."""
        self.hub.pump()
        if not self._settling and (self.mode != MANUAL or self.hub.watchers):
            self._settling = True
            task = asyncio.create_task(self._settle())
            self._tasks = [one for one in self._tasks if not one.done()] + [task]

    async def _settle(self) -> None:
        try:
            async with self._turn, self.lock:
                self._settling = False  # who writes from now on, waits for the lock and asks again
                if self.pace:
                    await self.run(for_s=0)
                elif self.mode == VIRTUAL:
                    await self.run()
            if self.mode == MANUAL:
                await self._drive()
        except KpyError as error:
            self.problem = str(error)
        finally:
            self._settling = False

    async def run(self, *, for_s: int | None = None) -> Report:
        """Let time pass, until the cluster has settled or for so many virtual seconds. The lock is held by the caller."""
        limit_s = self.cluster.clock.now_s + (SETTLE_S if for_s is None else for_s)
        while True:
            report, budget = await Asking().repeated(
                lambda: self._slice(limit_s, to_the_end=for_s is not None), self.lock
            )
            self.problem = ""
            self.hub.pump()
            if not budget.spent:
                return report
            await asyncio.sleep(0)

    async def _slice(self, limit_s: int, *, to_the_end: bool, seconds: float = SLICE_S) -> tuple[Report, _Slice]:
        """A share of the engine's work, up to virtual second `limit_s`. Raises Pending where a webhook must be asked first."""
        self.cluster.store.refresh()  # after an attempt that was undone, the clock is where the file has it
        budget, left_s = _Slice(seconds), limit_s - self.cluster.clock.now_s
        if to_the_end:
            return self.cluster.reconcile(for_s=left_s, until=budget.is_spent, brief=True), budget
        return self.cluster.reconcile(timeout_s=left_s, until=budget.is_spent, brief=True), budget

    async def _instant(self) -> Report:
        """Let the next instant come. The lock is held by the caller."""
        limit_s = self.cluster.clock.now_s + SETTLE_S
        report, _ = await Asking().repeated(lambda: self._slice(limit_s, to_the_end=False, seconds=0), self.lock)
        return report

    async def _drive(self) -> None:
        """Manual: as long as somebody watches and has nothing to read, one instant after the other."""
        while self.hub.watchers and self.mode == MANUAL:
            async with self._turn, self.lock:
                report = await self._instant()
                told = self.hub.pump()
            if report.settled:
                return
            await asyncio.sleep(REST_S if told else 0)

    async def _follow(self) -> None:
        """Where virtual time follows the wall clock: move it."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(TICK_S, 1 / self.pace) if 0 < self.pace < 1 else TICK_S)
            if not self.pace:
                continue
            async with self._turn, self.lock:
                now_s = self.cluster.clock.now_s
                if self._followed is None or now_s < self._followed[1]:
                    self._followed = (loop.time(), now_s)
                began, first_s = self._followed
                due_s = first_s + int((loop.time() - began) * self.pace)
                if due_s > now_s:
                    await self._moved(due_s - now_s)

    async def _moved(self, for_s: int) -> None:
        try:
            await self.run(for_s=for_s)
        except KpyError as error:
            self.problem = str(error)

    async def _look(self) -> None:
        """Notice what other processes write into the file."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self.lock.locked():
                continue
            try:
                if self.cluster.store.revision != self.hub.revision:
                    self.wrote()
            except KpyError as error:
                self.problem = str(error)


class _Slice:
    """A share of the engine's work: at least one instant after the present one, and then until the time is up."""

    def __init__(self, seconds: float = SLICE_S) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + seconds
        self._instants = 0
        self.spent = False

    def is_spent(self) -> bool:
        self._instants += 1
        self.spent = self._instants > 1 and self._loop.time() >= self._end
        return self.spent
