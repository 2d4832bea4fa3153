"""Threads that refresh views, each over a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, TypeVar

from django.db import connections

K = TypeVar("K")
R = TypeVar("R")


class Crew(Generic[K, R]):
    """`count` threads that call `do` for the keys they are given. As a context manager it ends with them: what runs
    is finished, what waits isn't begun.

    `told` is called in the thread after each outcome has become ready, `last` at the thread's end.
    """

    def __init__(
        self,
        using: str,
        count: int,
        do: Callable[[K], R],
        told: Callable[[], None] = lambda: None,
        last: Callable[[], None] = lambda: None,
    ) -> None:
        self._using = using
        self._do = do
        self._told = told
        self._last = last
        self._given: SimpleQueue[tuple[K] | None] = SimpleQueue()
        self._ready: SimpleQueue[tuple[K, R | Exception]] = SimpleQueue()
        self._ending = False
        self._threads = [threading.Thread(target=self._work, name=f"ivm-refresh-{i}") for i in range(count)]

    def __enter__(self) -> Crew[K, R]:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        for _ in self._threads:
            self._given.put(None)
        for thread in self._threads:
            thread.join()

    def give(self, key: K) -> None:
        """Have a thread call `do(key)` as soon as one is free."""
        self._given.put((key,))

    def outcome(self) -> tuple[K, R | Exception]:
        """The next (key, what `do` returned or raised); waits for one."""
        return self._ready.get()

    def outcomes(self) -> Iterator[tuple[K, R | Exception]]:
        """Those that are ready now."""
        while not self._ready.empty():
            yield self._ready.get()

    def _work(self) -> None:
        try:
            while (given := self._given.get()) is not None and not self._ending:
                (key,) = given
                try:
                    found: R | Exception = self._do(key)
                except Exception as error:  # noqa: BLE001 -- handed to the thread that asked
                    found = error
                self._ready.put((key, found))
                self._told()
        finally:
            # This thread's own; nobody else could close it.
            connections[self._using].close()
            self._last()


def in_turn(
    graph: Mapping[K, set[K]], using: str, count: int, do: Callable[[K], R]
) -> Iterator[tuple[K, R | Exception]]:
    """Call `do` for every node of a graph (node → what comes before it), `count` at a time, and yield the outcomes.

    One at a time is done by the caller's own thread and connection, hence inside its transaction. Whoever stops
    iterating stops the rest: what runs is finished, nothing more is begun.
    """
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    if count == 1:
        while sorter.is_active():
            for key in sorter.get_ready():
                try:
                    found: R | Exception = do(key)
                except Exception as error:  # noqa: BLE001 -- an outcome like any other
                    found = error
                yield key, found
                sorter.done(key)
        return
    with Crew(using, min(count, len(graph) or 1), do) as crew:
        while sorter.is_active():
            for key in sorter.get_ready():
                crew.give(key)
            key, found = crew.outcome()
            yield key, found
            sorter.done(key)
