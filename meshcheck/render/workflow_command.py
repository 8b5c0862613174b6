"""Workflow commands of GitHub: annotations on a change, one line each.

Source: actions/toolkit:packages/core/src/command.ts (escapes of data and of properties).
"""

from __future__ import annotations


def workflow_command(level: str, message: str, **properties: str) -> str:
    """`::error file=mesh.yaml,line=4::…`. `level`: error, warning or notice."""
    listed = ",".join(f"{key}={_data(text).replace(':', '%3A').replace(',', '%2C')}" for key, text in properties.items())
    return f"::{level} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
