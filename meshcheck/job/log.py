"""What the job does, one line each on standard error: as text, or as JSON for those who collect logs."""

from __future__ import annotations

import json
import sys
from typing import Literal, TextIO

from meshcheck.job.examine import now

Level = Literal["info", "warning", "error"]


class Log:
    """Writes lines: a message in words, and fields beside it. Nobody puts tokens or contents of objects into them."""

    def __init__(self, form: Literal["json", "text"] = "text", stream: TextIO | None = None) -> None:
        self.form, self._stream = form, stream

    def info(self, message: str, **fields: object) -> None:
        self._write("info", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        self._write("warning", message, fields)

    def error(self, message: str, **fields: object) -> None:
        self._write("error", message, fields)

    def _write(self, level: Level, message: str, fields: dict[str, object]) -> None:
        stream = self._stream or sys.stderr
        if self.form == "json":
            line = json.dumps({"time": now(), "level": level, "message": message, **fields}, ensure_ascii=False, default=str)
        else:
            told = "".join(f"  {name}={_shown(value)}" for name, value in fields.items())
            line = f"{now()} {level:<7} {' '.join(message.split())}{told}"
        stream.write(line + "\n")
        stream.flush()


def _shown(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(" \t\n\"'=") else text
