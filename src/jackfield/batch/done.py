"""Which rows an output holds: eight bytes for each line of the input, whatever the answers' length."""

from __future__ import annotations

from array import array

from jackfield.batch.row import Place

MOST_LINES = 2**31  # of an input; a greater number in an output is no number of ours


class Done:
    """The lines that are done with, by number."""

    def __init__(self) -> None:
        self._digests = array("Q")  # at each line's number; 0: nothing is known of it
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, place: Place) -> bool:
        """Note a row; `False` when its line is there already, or can be none."""
        if not 0 < place.line < MOST_LINES or self.digest(place.line):
            return False
        if (missing := place.line + 1 - len(self._digests)) > 0:
            self._digests.frombytes(bytes(8 * missing))
        self._digests[place.line] = place.digest
        self._count += 1
        return True

    def digest(self, line: int) -> int:
        """Return what is known to stand at a line, 0 where it is not done."""
        return self._digests[line] if line < len(self._digests) else 0
