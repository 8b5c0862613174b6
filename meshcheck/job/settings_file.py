"""Reads the job's configuration file, and says of everything that is wrong in it where it stands."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from meshcheck.decode.fields import Wrong
from meshcheck.errors import MeshcheckError, UnreadableError
from meshcheck.job.settings import AssertionCheck, ReadQuestion, Settings, decode_settings
from meshcheck.load import exact_yaml
from meshcheck.load.lines import read_text
from meshcheck.load.places import Nodes
from meshcheck.model.record import replace


class SettingsError(MeshcheckError):
    """A configuration file that cannot be obeyed: the message has a line for each thing that is wrong."""


class SettingsFile:
    """A configuration file and the files that it names, which may change while the job runs."""

    def __init__(self, path: str, read_question: ReadQuestion) -> None:
        self.path = path
        self._read_question = read_question
        self._named: set[str] = set()

    def read(self) -> Settings:
        """The settings. Paths in the file are taken from its folder. Raises SettingsError or UnreadableError."""
        text = read_text(self.path)
        try:
            content = exact_yaml.read(text)
        except UnreadableError as error:
            raise SettingsError(f"{self.path}: {error}") from None
        self._named = set()
        settings, wrong = decode_settings(content, self._read_question, self._questions)
        if wrong:
            nodes = Nodes(self.path, 1, text)
            raise SettingsError("\n".join(_line(nodes, item) for item in wrong))
        checks = tuple(
            replace(check, paths=tuple(self._beside(path) for path in check.paths)) if isinstance(check, AssertionCheck) else check
            for check in settings.checks
        )
        for check in checks:
            if isinstance(check, AssertionCheck):
                self._named.update(check.paths)
        return replace(settings, checks=checks)

    def digest(self) -> str:
        """Changes when the content of the file, or of a file that it names, does."""
        total = hashlib.sha256()
        for path in (self.path, *sorted(self._named)):
            for file in sorted(p for p in Path(path).rglob("*") if p.is_file()) if Path(path).is_dir() else [Path(path)]:
                try:
                    total.update(file.read_bytes())
                except OSError as error:
                    total.update(str(error.errno).encode())
        return total.hexdigest()

    def _beside(self, path: str) -> str:
        return str(Path(self.path).parent / path)

    def _questions(self, path: str) -> Any:
        path = self._beside(path)
        self._named.add(path)
        if Path(path).is_dir():
            return [item for file in sorted(_questions_in(Path(path))) for item in _listed(str(file))]
        return _listed(path)


def _questions_in(folder: Path) -> list[Path]:
    """The files of a folder; a mounted ConfigMap has hidden folders beside them, which hold the same once more."""
    return [file for file in folder.iterdir() if file.suffix in (".yaml", ".yml", ".json") and not file.name.startswith(".")]


def _listed(path: str) -> list[Any]:
    """The questions of one file: a list, or a mapping with `questions`."""
    try:
        content = exact_yaml.read(read_text(path))
    except UnreadableError as error:
        message = str(error)
        raise UnreadableError(message if message.startswith("`") else f"`{path}`: {message}") from None
    listed = content.get("questions") if isinstance(content, dict) else content
    if not isinstance(listed, list):
        raise UnreadableError(f"`{path}`: neither a list of questions nor a mapping with `questions`")
    return listed


def _line(nodes: Nodes, item: Wrong) -> str:
    place = nodes.place(item.path)
    return f"{place.file}:{place.line}:{place.column}: {item.message}"
