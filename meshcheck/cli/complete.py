"""`meshcheck __complete`: what may stand at the cursor, for the shells' scripts and for kubectl. Never fails, never complains."""

from __future__ import annotations

import sys


def run(words: list[str]) -> int:
    """Print what may stand for the last word."""
    from meshcheck.cli.completing.offers import NO_FILES, Offers, offers

    try:
        with _in_time():
            found = offers(words)
    except (Exception, SystemExit):  # whatever is wrong with the line or its sources is said when the command runs, not at the Tab key
        found = Offers((), NO_FILES)
    lines = [f"{text}\t{about}" if about else text for text, about in found.items]
    sys.stdout.write("".join(f"{line}\n" for line in (*lines, f":{found.directive}")).encode("utf-8", "replace").decode())
    return 0


def kubectl() -> int:
    """`kubectl_complete-meshcheck WORD…`: kubectl asks this for `kubectl meshcheck …`."""
    return run(sys.argv[1:])


class _in_time:
    """Gives up after a while, where the system has a clock for that: sources may be large, or a network away."""

    def __enter__(self) -> None:
        import signal

        from meshcheck.cli.completing.names import SECONDS

        def stop(*_: object) -> None:
            raise TimeoutError

        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, stop)
            signal.setitimer(signal.ITIMER_REAL, SECONDS + 0.5)

    def __exit__(self, *_: object) -> None:
        import signal

        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
