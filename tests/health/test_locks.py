"""Another connection of this process must not cost the first one its locks.

A process that closes any descriptor of a file loses all its locks on it (POSIX, fcntl(2)). Another
process then takes itself for the last user of the database, and removes the log under our hands.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from jackfield.state import NAME, open_state

VISIT = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT count(*) FROM t').fetchone(); c.close()"
)


def test_what_is_written_after_another_process_has_looked_is_there_for_all(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with closing(open_state(path, "CREATE TABLE IF NOT EXISTS t (x)")) as writer:
        writer.execute("INSERT INTO t VALUES (1)")
        with closing(open_state(path)) as second:
            second.execute("SELECT count(*) FROM t").fetchone()
        subprocess.run([sys.executable, "-c", VISIT, str(path)], check=True)
        writer.execute("INSERT INTO t VALUES (2)")
        with closing(sqlite3.connect(path)) as reader:
            assert reader.execute("SELECT count(*) FROM t").fetchone() == (2,)
    with closing(sqlite3.connect(path)) as later:
        assert later.execute("SELECT count(*) FROM t").fetchone() == (2,)
