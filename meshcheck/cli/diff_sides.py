"""The two sides of a comparison: folders, snapshots, revisions, the cluster, or files laid over something."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from meshcheck.cli.sources import read_sources, source_words
from meshcheck.errors import UsageError
from meshcheck.load.read import Reading
from meshcheck.model.record import NamedTuple


class Side(NamedTuple):
    """One side, and how it was named."""

    name: str
    reading: Reading
    options: tuple[str, ...] = ()
    """The options that make it again for other commands; empty for a revision."""


def sides_of(options: argparse.Namespace, exact: bool) -> tuple[Side, Side]:
    """What the options compare. Raises UsageError where that is not clear."""
    sources = list(getattr(options, "sources", None) or ())
    if options.over:
        if options.old or not sources:
            raise UsageError("`--over BASE` wants the files that are laid over it, with `-f`, and no OLD and NEW")
        return _side(options, options.over, exact), _over(options, options.over, sources, exact)
    if options.old and ".." in options.old and not Path(options.old).exists():
        if options.new:
            raise UsageError(f"`{options.old}` names both sides: give the files with `-f`, and no `{options.new}`")
        return _revisions(options, options.old, sources, exact)
    if not options.old or not options.new:
        raise UsageError(
            "two sides are needed: `meshcheck diff OLD NEW`, `meshcheck diff REV.. -f PATH`, or `meshcheck diff --over BASE -f PATH`"
        )
    if sources:
        raise UsageError("`-f` goes with `REV..` or `--over BASE`; OLD and NEW name their files themselves")
    return _side(options, options.old, exact), _side(options, options.new, exact)


def _side(options: argparse.Namespace, word: str, exact: bool) -> Side:
    own = _with(options, _sources(word))
    return Side(word, read_sources(own, exact), source_words(own))


def _over(options: argparse.Namespace, base: str, sources: list[tuple[str, str]], exact: bool) -> Side:
    own = _with(options, [*_sources(base), *sources], live=not _sources(base))
    reading = read_sources(own, exact)
    last = {_identity(document.value): document for document in reading.documents}
    reading.documents = [document for document in reading.documents if last[_identity(document.value)] is document]
    return Side(f"{base} + {' '.join(value for _, value in sources)}", reading, source_words(own))


def _identity(value: dict[str, Any]) -> tuple[object, ...]:
    """What makes two documents one object, in whichever version of its API."""
    meta = value.get("metadata")
    names = (meta.get("namespace"), meta.get("name")) if isinstance(meta, dict) else (None, id(value))
    return value["apiVersion"].rpartition("/")[0], value["kind"], *map(str, names)


def _sources(word: str) -> list[tuple[str, str]]:
    """A side as the options of sources would name it."""
    if word == "cluster" and not Path(word).exists():
        return []
    return [("FILE" if word.endswith((".jsonl.gz", ".jsonl", ".snapshot")) else "PATH", word)]


def _with(options: argparse.Namespace, sources: list[tuple[str, str]], live: bool = False) -> argparse.Namespace:
    """The options with other sources."""
    return argparse.Namespace(**{**vars(options), "sources": sources, "live": live})


def _revisions(options: argparse.Namespace, words: str, sources: list[tuple[str, str]], exact: bool) -> tuple[Side, Side]:
    """`REV..REV` and `REV..` (the work tree) of the files that `-f` names."""
    from meshcheck.load.git import add_revision

    old, _, new = words.partition("..")
    new = new.removeprefix(".")
    paths = [value for kind, value in sources if kind == "PATH"]
    if not paths or len(paths) != len(sources):
        raise UsageError(f"`{words}` compares files of git: name them with `-f PATH`, and nothing else")
    sides = []
    for revision in (old or "HEAD", new):
        if revision:
            reading = Reading(exact=exact)
            add_revision(reading, revision, paths)
            sides.append(Side(revision, reading))
        else:
            own = _with(options, sources)
            sides.append(Side("the work tree", read_sources(own, exact), source_words(own)))
    return sides[0], sides[1]
