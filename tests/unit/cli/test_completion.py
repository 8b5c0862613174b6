"""What may stand at the cursor, asked as the shells ask it."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import pytest

from meshcheck.cli.complete import run
from meshcheck.cli.completing import values
from meshcheck.cli.completing.offers import parser_of
from meshcheck.cli.main import COMMANDS
from meshcheck.cli.outputs import FormAction

WORLD = str(Path(__file__).resolve().parents[3] / "manifests/scenarios/method-not-allowed/manifests.yaml")
FREE = {
    "'K: V'", "TOKEN", "JSON", "IP", "URL", "NAME", "TD", "TEXT", "GROUP", "DURATION", "[NS/]NAME", "ADDR", "PORT", "N",
    "UID", "KEY=VALUE", "PASSWORD",
}  # fmt: skip
"""Kinds of values that nobody can guess: whoever adds one says so here, or teaches values.py what it can be."""


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    found = list(parser._actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                found += _actions(below)
    return found


def _offered(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[list[str], int]:
    assert run(list(words)) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    return [line.partition("\t")[0] for line in lines], int(last[1:])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_parser(command: str) -> None:
    """Completion reads parsers; a command that hides its own would have no completion."""
    assert parser_of(command) is not None


@pytest.mark.parametrize("command", COMMANDS)
def test_every_kind_of_value_is_known(command: str) -> None:
    """Each option that takes a value has choices, or a metavar that values.py knows or FREE lists."""
    parser = parser_of(command)
    assert parser is not None
    for action in _actions(parser):
        if action.nargs == 0 or action.choices is not None or isinstance(action, FormAction):
            continue
        metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        assert metavar in values.MAKERS or metavar in values.FILES or metavar in FREE, f"{command} {action.option_strings}: {metavar}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_offered(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All long options of the real parser, hidden ones left out."""
    parser = parser_of(command)
    assert parser is not None
    shown = [a for a in parser._actions if a.help != argparse.SUPPRESS or hasattr(a, "about")]
    long = {n for a in shown for n in a.option_strings if n.startswith("--")}
    assert set(_offered(capsys, command, "--")[0]) == long


@pytest.mark.parametrize(
    ("words", "offered", "directive"),
    [
        (["tr"], ["trace"], 4),
        (["trace", "-f", ""], [], 0),
        (["trace", "-f", WORLD, "--from", "shop/"], ["shop/cart", "shop/frontend"], 4),
        (["trace", "--from", "", "-f", WORLD, "--from", "ext"], ["external"], 4),
        (["trace", "-f", WORLD, "--from", "deploy/"], ["deploy/shop/cart", "deploy/shop/frontend"], 4),
        (["trace", f"--filename={WORLD}", "--from", "sa/"], ["sa/shop/cart", "sa/shop/frontend"], 4),
        (["trace", "-f", WORLD, "--to", ""], ["shop/cart:80"], 4),
        (["trace", "-f", WORLD, "--to=http"], ["--to=http://cart.shop/"], 6),
        (["trace", "-f", WORLD, "-X", "D"], ["DELETE"], 4),
        (["trace", "-f", WORLD, "--sidecars", "shop,sh"], ["shop,shop"], 4),
        (["graph", "-o", "m"], ["mermaid"], 4),
        (["lint", "-o", "s"], ["sarif"], 4),
        (["test", "-o", "junit="], [], 0),
        (["can", "get", "deploy"], ["deployments.apps"], 4),
        (["can", "lis"], ["list"], 4),
        (["completion", "fi"], ["fish"], 4),
        (["trace", "-f", "no-such-file", "--from", ""], [], 4),
        (["no-such-command", ""], [], 4),
        ([], list(COMMANDS), 4),
    ],
)
def test_offers(words: list[str], offered: list[str], directive: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The last word is the one at the cursor."""
    assert _offered(capsys, *words) == (offered, directive)


def test_an_option_that_stands_there_is_not_offered_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it may be given many times."""
    found, _ = _offered(capsys, "trace", "--from", "a/b", "-f", "x", "-H", "a: b", "--")
    assert "--from" not in found
    assert {"--filename", "--header"} <= set(found)


def test_silence_on_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A source that cannot be read gives no names and no words of complaint."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    assert _offered(capsys, "trace", "-f", str(broken), "--from", "") == (["external"], 4)
    assert capsys.readouterr().err == ""


def test_kubeconfigs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Contexts, clusters and users of the files that the line or $KUBECONFIG names, without kubectl."""
    for name in ("one", "two"):
        entries = {kind: [{"name": f"{kind[0]}-{name}"}] for kind in ("contexts", "clusters", "users")}
        (tmp_path / name).write_text(json.dumps(entries))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/one{os.pathsep}{tmp_path}/two")
    monkeypatch.setenv("PATH", "")
    for option in ("--context", "--cluster", "--user"):
        kind = option[2]
        assert _offered(capsys, "trace", option, "") == ([f"{kind}-one", f"{kind}-two"], 4)
        assert _offered(capsys, "lint", "--kubeconfig", str(tmp_path / "two"), f"{option}=") == ([f"{option}={kind}-two"], 4)
    assert _offered(capsys, "can", "--kubeconfig", str(tmp_path / "none"), "--user", "") == ([], 4)


def test_who_is_asked_about_is_not_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Names come from kubectl with the line's own options for it; `--as` of `can` is none of them, that of `trace` is one."""
    program = tmp_path / "kubectl"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    _offered(capsys, "can", "--as", "sa/shop/web", "--context", "c", "--insecure-skip-tls-verify", "-n", "")
    asked = (tmp_path / "asked").read_text()
    assert "--context c" in asked
    assert "--insecure-skip-tls-verify" in asked
    assert "--as" not in asked
    _offered(capsys, "trace", "--as", "ann", "-s", "https://x", "-n", "")
    assert "-s https://x --as ann" in (tmp_path / "asked").read_text()
