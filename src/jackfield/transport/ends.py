"""The three ways in which an exchange over a connection ends other than well; whoever drives it says them in our words."""


class Lost(Exception):
    """The connection ended before the answer did; its cause is the socket's error, none for a close."""


class Malformed(Exception):
    """What came is no HTTP, or more of it than anybody means."""


class TimeUp(Exception):
    """A timer, its one argument, ran out before anything came."""
