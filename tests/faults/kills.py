"""The server dies: by SIGKILL of all its processes or of one, or without a checkpoint; then it is started again."""

from __future__ import annotations

import os
import signal
import time

import psycopg
from django.db import connections

from django_ivm.engine import install, register

from .clients import a_view, refreshing
from .interruption import statements, whole_or_nothing
from .outcome import Outcome
from .workload import states, until, writing
from .world import ALIAS, World, modes

PAUSE = 0.25  # seconds at most between the first writes and the death


def while_writing(world: World) -> Outcome:
    """SIGKILL to everything, at a random moment of transactions in flight."""
    with writing(world.connect, world.rng) as writers:
        time.sleep(world.rng.random() * PAUSE)
        world.cluster.kill()
    world.cluster_is_up()
    return Outcome.of(states(writers))


def without_waiting_for_the_disk(world: World) -> Outcome:
    """The same where a commit doesn't wait for the log: the last of them are lost, with all that they did."""
    world.cluster.shut_down(signal.SIGINT)
    world.cluster.restart(synchronous_commit="off")
    try:
        return while_writing(world)
    finally:
        world.cluster.shut_down(signal.SIGINT)
        world.cluster.restart(synchronous_commit="on")
        world.recover()


def while_refreshing(world: World) -> Outcome:
    """SIGKILL while views are refreshed and drained beside the writes."""
    with writing(world.connect, world.rng, 2) as writers, refreshing(world) as refreshes:
        until(lambda: bool(sum(refreshes.states.values())))
        time.sleep(world.rng.random() * PAUSE)
        world.cluster.kill()
    world.cluster_is_up()
    return Outcome.of(states(writers) + refreshes.states)


def one_backend(world: World) -> Outcome:
    """SIGKILL to a single session's process: the server throws all others out and recovers by itself."""
    with writing(world.connect, world.rng) as writers:
        time.sleep(world.rng.random() * PAUSE)
        os.kill(world.rng.choice(writers).pid, signal.SIGKILL)
        until(lambda: not any(writer.is_alive() for writer in writers), why="sessions outlive the crash of one")
    world.cluster.wait()
    world.recover()
    return Outcome.of(states(writers))


def shut_down(world: World) -> Outcome:
    """An immediate or a fast shutdown while writing."""
    with writing(world.connect, world.rng) as writers:
        time.sleep(world.rng.random() * PAUSE)
        world.cluster.shut_down(world.rng.choice((signal.SIGQUIT, signal.SIGINT)))
    world.cluster_is_up()
    return Outcome.of(states(writers))


def prepared_transactions(world: World) -> Outcome:
    """Transactions prepared for a two-phase commit outlive the server; each is then committed or rolled back."""
    outcome = Outcome(1)
    prepared = []
    with world.connect() as session:
        session.execute("SET lock_timeout = '200ms'")
        for one in (
            "UPDATE sale SET v = v + 1, g = 2 WHERE id % 7 = 0", "INSERT INTO reading VALUES (0, 0, 9), (7, 7, 7)",
            "UPDATE person SET kind = 'kp' WHERE id = 3",
        ):  # fmt: skip
            name = f"p{len(prepared)}"
            try:
                session.execute(f"BEGIN; {one}; PREPARE TRANSACTION '{name}'")
                prepared.append(name)
            except psycopg.errors.LockNotAvailable:  # one that is prepared already has the locks until its end
                session.execute("ROLLBACK")
    world.cluster.kill()
    world.cluster_is_up()
    for name in world.rng.sample(prepared, len(prepared)):
        world.run(f"{world.rng.choice(('COMMIT', 'ROLLBACK'))} PREPARED '{name}'")
        outcome.hit += 1
    return outcome


def in_a_migration(world: World) -> Outcome:
    """The server dies between what a migration takes off and what puts it back: the views that it took off say that
    they are stale until a refresh installs them again."""
    outcome = Outcome(1)
    taken = []
    for name in world.rng.sample(sorted(world.queries), 3):
        with connections[ALIAS].cursor() as cursor:
            found = register.find(cursor, name)
        assert found is not None
        install.detach(found, connections[ALIAS])
        taken.append(name)
    world.run("UPDATE sale SET v = v + 3 WHERE id % 4 = 0; UPDATE person SET kind = 'km' WHERE id % 5 = 0")
    world.cluster.kill()
    world.cluster_is_up()
    said = [name for name in taken if world.get(name).is_fresh()]
    outcome.wrong += [f"{name} was taken off and says that it is fresh" for name in said]
    for name in [name for name in world.queries if name in taken]:
        world.get(name).refresh()  # also puts back those that read it
        outcome.hit += 1
    return outcome


def unlogged_source(world: World) -> Outcome:
    """A crash empties a source that isn't logged, which no trigger sees: its views say so, and a refresh mends them. A
    shutdown in good order empties nothing."""
    outcome = Outcome()
    world.run("CREATE UNLOGGED TABLE loose (k int, v int)")
    names = []
    for mode in modes():
        names.append(f"loose_{mode}_")
        world.declare(names[-1], "SELECT k, count(*) AS n, sum(v) AS s FROM loose GROUP BY k", mode)
    try:
        for kill in (False, True):
            world.run("INSERT INTO loose SELECT i % 5, i FROM generate_series(1, 40) i")
            outcome.add(world.judge())
            if kill:
                world.cluster.kill()
            else:
                world.cluster.shut_down(signal.SIGINT)
            world.cluster_is_up()
            claims = [name for name in names if world.get(name).is_fresh()]
            if kill and claims:
                outcome.wrong.append(f"{claims} claim to be fresh after their source was emptied")
            if not kill and not set(claims) >= {name for name in names if world.at_once(name)}:
                outcome.wrong.append(f"only {claims} are fresh after a shutdown that lost nothing")
            if kill:
                lost = [name for name in names if world.at_once(name)]
                for name in lost:
                    world.get(name).refresh()
            outcome.injected += kill
            outcome.hit += len(names) * kill
        outcome.add(world.judge())
    finally:
        for name in names:
            world.drop(name)
        world.run("DROP TABLE loose")
    return outcome


def an_operation(world: World) -> Outcome:
    """SIGKILL before a random statement of an installation, a change, a removal or a refresh, or at a random time."""
    kind, mode, prepare = a_view(world)
    name, work = prepare(world, kind, mode)
    begun = time.monotonic()
    count = statements(world, work)
    seconds = time.monotonic() - begun
    name, work = prepare(world, kind, mode)
    if world.rng.random() < 0.7:
        made = whole_or_nothing(world, name, work, world.cluster.kill, world.rng.randint(1, count))
    else:
        made = whole_or_nothing(world, name, work, world.cluster.kill, None, world.rng.random() * seconds)
    return Outcome(1, int(made.error is not None), told=name)
