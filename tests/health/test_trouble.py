"""Files and servers that cannot be used: the call goes on, the user is told once, nothing is thrown away."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jackfield import errors
from jackfield.config.paths import locate
from jackfield.config.schema import Config
from jackfield.errors import ConfigError
from jackfield.health.file import CHECK_MS, StateFile
from jackfield.health.kept import PAUSE_MS, KeptHealth
from jackfield.health.record import Place
from jackfield.health.server import open_server
from jackfield.health.store import DAY_MS, HealthStore, open_health
from jackfield.state import open_state
from tests.health.clock import Clock
from tests.health.conftest import Server
from tests.patience import PATIENCE_S
from tests.servers import free_port

M = ("venice", "key", "m")
N = ("venice", "key", "n")
FileOpener = Callable[[Path], KeptHealth]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.sqlite"


@pytest.fixture
def open_file(clock: Clock) -> Iterator[FileOpener]:
    opened: list[KeptHealth] = []

    def open_one(path: Path) -> KeptHealth:
        opened.append(KeptHealth(StateFile(path, clock), clock, DAY_MS))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


def fail(store: HealthStore, candidate: tuple[str, str, str] = M) -> None:
    store.note_failure(*candidate, errors.ServerError("boom"))


def rests(store: HealthStore, clock: Clock, candidate: tuple[str, str, str] = M) -> bool:
    return store.view().rest_of(*candidate, clock()) is not None


def test_reading_makes_no_file(path: Path, clock: Clock, open_file: FileOpener) -> None:
    store = open_file(path)
    assert store.view().rests == ()
    store.note_success(*M)
    store.note_failure(*M, errors.InvalidRequest("no"))
    store.note_quotas("venice", "key", [])
    assert not path.parent.exists()


def test_the_file_is_its_owners_alone(path: Path, clock: Clock, open_file: FileOpener) -> None:
    store = open_file(path)
    fail(store)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()


def test_a_success_without_a_failure_writes_nothing(path: Path, clock: Clock, open_file: FileOpener) -> None:
    store = open_file(path)
    fail(store)
    with closing(open_state(path)) as other:
        (before,) = other.execute("PRAGMA data_version").fetchone()
        store.note_success(*N)
        (after,) = other.execute("PRAGMA data_version").fetchone()
    assert before == after
    store.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_corrupt_file_is_set_aside_and_a_new_one_made(
    path: Path, clock: Clock, open_file: FileOpener, content: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = open_file(path)
    fail(store)
    assert rests(store, clock)
    assert path.with_name("state.sqlite.corrupt-1").read_bytes() == content
    assert len(store.problems) == 1
    assert "state.sqlite.corrupt-1" in store.problems[0]
    assert rests(open_file(path), clock)
    store.close()


def test_a_file_that_breaks_under_way_is_set_aside_and_nothing_known_is_lost(
    path: Path, clock: Clock, open_file: FileOpener
) -> None:
    store = open_file(path)
    for number in range(200):
        fail(store, ("venice", "key", f"model {number}"))
    assert len(store.view().rests) == 200
    store.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xee" * (len(data) - 4096)
    path.write_bytes(data)
    fail(store)
    assert len(store.view().rests) == 201
    assert [file.name for file in path.parent.glob("*corrupt*")] == ["state.sqlite.corrupt-1"]
    assert len(store.problems) == 1
    again = open_file(path)
    assert len(again.view().rests) == 201
    store.close()
    again.close()


def test_another_programs_database_is_kept_as_it_is_under_another_name(
    path: Path, clock: Clock, open_file: FileOpener
) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA application_id=77")
        other.execute("CREATE TABLE theirs (a)")
    store = open_file(path)
    fail(store)
    store.close()
    with closing(sqlite3.connect(path.with_name("state.sqlite.corrupt-1"))) as other:
        assert other.execute("SELECT count(*) FROM theirs").fetchone() == (0,)


def test_tables_of_other_rooms_and_rows_of_other_releases_stay(path: Path, clock: Clock, open_file: FileOpener) -> None:
    with closing(open_state(path, "CREATE TABLE IF NOT EXISTS budget_1 (a); INSERT INTO budget_1 VALUES (1)")):
        pass
    store = open_file(path)
    fail(store)
    with closing(open_state(path)) as other:
        assert other.execute("SELECT a FROM budget_1").fetchone() == (1,)
        other.execute("INSERT INTO health_rest_1 VALUES ('x', '', '', 'no json')")
        other.execute("""UPDATE health_rest_1 SET value = json_set(value, '$.later', 1) WHERE provider = 'venice'""")
    assert [rest.place for rest in store.view().rests] == [Place(*M)]
    store.close()


def test_a_home_that_cannot_be_written_costs_the_memory_of_other_processes_only(
    tmp_path: Path, clock: Clock, open_file: FileOpener
) -> None:
    (tmp_path / "state").write_text("a file where a folder should be", encoding="utf-8")
    store = open_file(tmp_path / "state" / "state.sqlite")
    assert not rests(store, clock)
    fail(store)
    assert rests(store, clock)
    clock.pass_s(6)
    assert [store.claim(*M), store.claim(*M)] == [True, False]
    assert len(store.problems) == 1
    assert "remembered in memory only" in store.problems[0]
    store.note_success(*M)
    assert store.view().rests == ()


def test_what_memory_learnt_is_written_when_the_file_can_be_used_again(
    tmp_path: Path, clock: Clock, open_file: FileOpener
) -> None:
    home = tmp_path / "state"
    home.write_text("in the way", encoding="utf-8")
    store = open_file(home / "state.sqlite")
    fail(store)
    home.unlink()
    fail(store, N)
    assert not home.exists()  # the pause is not over
    clock.pass_s(PAUSE_MS / 1000)
    store.note_failure("venice", "key", "o", errors.AuthError("no"))
    other = open_file(home / "state.sqlite")
    assert {rest.place.model for rest in other.view().rests} == {"m", "n", ""}
    assert len(store.problems) == 1
    store.close()
    other.close()


def test_a_writer_that_holds_the_file_delays_a_note_by_a_quarter_of_a_second_at_most(
    path: Path, clock: Clock, open_file: FileOpener
) -> None:
    store = open_file(path)
    fail(store)
    with closing(open_state(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        fail(store, N)
        other.execute("COMMIT")
    assert rests(store, clock, N)
    assert "locked" in store.problems[0]
    clock.pass_s(PAUSE_MS / 1000)
    again = open_file(path)
    store.view()
    assert {rest.place for rest in again.view().rests} == {Place(*M), Place(*N)}
    store.close()
    again.close()


def test_a_file_that_somebody_removes_is_forgotten_too(path: Path, clock: Clock, open_file: FileOpener) -> None:
    store = open_file(path)
    fail(store)
    for file in path.parent.iterdir():
        file.unlink()
    clock.pass_s(CHECK_MS / 1000)
    assert store.view().rests == ()
    fail(store)
    assert rests(open_file(path), clock)
    assert not store.problems
    store.close()


FULL = """
import resource, signal, sys
from pathlib import Path
from jackfield import errors
from jackfield.health.file import StateFile
from jackfield.health.kept import KeptHealth
from jackfield.health.store import DAY_MS
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
clock = lambda: 1_800_000_000_000
store = KeptHealth(StateFile(Path(sys.argv[1]), clock), clock, DAY_MS)
store.note_failure("a", "k", "m", errors.ServerError("no"))
print(len(store.view().rests), len(store.problems))
"""


def test_a_full_disk_costs_the_memory_of_other_processes_only(path: Path) -> None:
    pytest.importorskip("resource")
    ran = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1", "1"]


# -- servers -----------------------------------------------------------------------


@pytest.fixture
def own_server(redis_server: Server, tmp_path: Path) -> Iterator[Server]:
    server = Server(redis_server.binary, tmp_path)
    server.start()
    yield server
    server.stop()


def test_a_server_that_goes_away_and_comes_back(own_server: Server, clock: Clock) -> None:
    store = KeptHealth(open_server(own_server.url, clock, timeout_s=PATIENCE_S), clock, DAY_MS)
    fail(store)
    assert not store.problems
    own_server.stop()
    fail(store, N)
    assert rests(store, clock)
    assert rests(store, clock, N)
    assert len(store.problems) == 1
    assert "known to this process only" in store.problems[0]
    own_server.start()
    clock.pass_s(PAUSE_MS / 1000)
    assert {rest.place for rest in store.view().rests} == {Place(*M), Place(*N)}
    other = KeptHealth(open_server(own_server.url, clock, timeout_s=PATIENCE_S), clock, DAY_MS)
    assert {rest.place for rest in other.view().rests} == {Place(*M), Place(*N)}
    store.close()
    other.close()


def test_a_server_that_is_not_there_is_told_once(clock: Clock) -> None:
    store = KeptHealth(open_server(f"redis://user:secret@127.0.0.1:{free_port()}", clock), clock, DAY_MS)
    for _ in range(3):
        fail(store)
        clock.pass_s(PAUSE_MS / 1000)
    assert len(store.problems) == 1
    assert "secret" not in store.problems[0]
    store.close()


def test_a_url_that_is_none_is_an_error_of_the_config(tmp_path: Path, clock: Clock) -> None:
    config = Config(paths=locate({"JACKFIELD_HOME": str(tmp_path)}))
    with pytest.raises(ConfigError, match="sharedState"):
        open_health(config, clock, shared_url="http://127.0.0.1")


def test_a_users_store_is_in_his_home(tmp_path: Path, clock: Clock) -> None:
    store = open_health(Config(paths=locate({"JACKFIELD_HOME": str(tmp_path)})), clock)
    fail(store)
    assert (tmp_path / "state.sqlite").exists()
    store.close()
