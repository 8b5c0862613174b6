"""A redacted World answers as the real one: each scenario, with the question in the redacted words; and none of the names is left."""

from __future__ import annotations

import ipaddress
import json
import shlex
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from meshcheck.cli import trace as command
from meshcheck.cli.main import main
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.load.snapshot.compact import compact
from meshcheck.load.snapshot.pseudonyms import Pseudonyms
from meshcheck.load.snapshot.redact import Redaction
from meshcheck.load.snapshot.reserved import RESERVED
from meshcheck.model.cluster_kinds import cluster_kinds
from meshcheck.model.coverage import whole
from meshcheck.model.trace import UNKNOWN, Trace
from meshcheck.semantics.tracing.trace import trace
from tests.property.test_gaps import ALL, FOLDER
from tests.support import injectors

KEY = bytes(range(32))
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir() and "--jwt" not in (path / "question.txt").read_text())
"""Tokens are left out: what they say is signed, and cannot be redacted."""
CLUSTER_WIDE = {kind.kind for kind in cluster_kinds() if not kind.namespaced}
NEEDS_SECRETS = {name for name in NAMES if "kind: Secret" in (FOLDER / name / "manifests.yaml").read_text()}


def _asked(objects: list[dict[str, object]], redaction: Redaction | None, words: list[str], folder: Path) -> Trace:
    reading = Reading()
    reading.add_objects(objects)  # type: ignore[arg-type]
    reading.coverage = whole(ALL)
    if redaction is not None:
        reading.coverage = redaction.coverage(reading.coverage)
        words = [redaction.text(word) if not word.startswith("-") else word for word in words]
    options = command.parser().parse_args(words)
    mesh = (folder / options.mesh_config).read_text() if options.mesh_config else None
    sidecars = frozenset(name for name in options.sidecars.split(",") if name)
    world = build_world(reading, namespace=options.namespace, mesh_text=mesh, sidecars=sidecars)
    return trace(world, command._question(options), explain=False)


def _objects(folder: Path) -> list[dict[str, object]]:
    reading = Reading()
    reading.add_path(str(folder / "manifests.yaml"))
    out = []
    for document in reading.documents:
        value = json.loads(json.dumps(document.value, default=str))
        if value["kind"] not in CLUSTER_WIDE:
            value["metadata"].setdefault("namespace", "default")
        out.append(compact(value))
    return [*out, compact(injectors.injector())]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NEEDS_SECRETS])
def test_answers_stay(name: str) -> None:
    folder = FOLDER / name
    objects = _objects(folder)
    words = [w for w in shlex.split((folder / "question.txt").read_text()) if w not in ("-f", "manifests.yaml", "--closed-world")]
    redaction = Redaction(objects, KEY)
    real, hidden = _asked(objects, None, words, folder), _asked(redaction.done(), redaction, words, folder)
    if hidden.verdict == UNKNOWN != real.verdict:
        assert any("redaction" in missing.fact for missing in hidden.missing), hidden.missing
    else:
        assert (hidden.verdict, hidden.symptom.kind, hidden.symptom.status) == (real.verdict, real.symptom.kind, real.symptom.status)


def test_few_answers_are_lost() -> None:
    lost = []
    for name in NAMES:
        if name not in NEEDS_SECRETS:
            redaction = Redaction(_objects(FOLDER / name), KEY)
            redaction.done()
            lost += [name] if redaction.unkept else []
    assert len(lost) <= 6, lost


@pytest.mark.parametrize("name", NAMES)
def test_no_name_is_left(name: str) -> None:
    """Names of objects, namespaces and hosts, but for words that mean something to Kubernetes or Istio."""
    objects = _objects(FOLDER / name)
    redaction = Redaction(objects, KEY)
    text = json.dumps(redaction.done())
    for value in objects:
        for word in str(value["metadata"]["name"]).replace(".", "-").split("-"):  # type: ignore[index]
            if len(word) >= 3 and not word.isdigit() and word not in RESERVED:
                assert word in redaction.words
                assert f'"{word}"' not in text
                assert f"-{word}" not in text
    assert len(redaction.names) == len(redaction.words), "every pseudonym leads back to one word"
    assert {redaction.text(word): word for word in redaction.words} == redaction.names


@given(st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True), st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True))
def test_words_keep_length_and_beginnings(a: str, b: str) -> None:
    made = Pseudonyms(KEY)
    x, y = made.word(a), made.word(b)
    assert len(x) == len(a)
    assert (a == b) == (x == y)
    common = next((n for n, (c, d) in enumerate(zip(a, b)) if c != d), min(len(a), len(b)))
    assert x[:common] == y[:common]
    assert x[common : common + 1] != y[common : common + 1] or common == len(a) == len(b) or common in (len(a), len(b))


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_blocks_hold_what_they_held(address: ipaddress.IPv4Address, length: int) -> None:
    made = Pseudonyms(KEY)
    block = ipaddress.ip_network(f"{address}/{length}", strict=False)
    new, holds = ipaddress.ip_address(made.address(str(address))), ipaddress.ip_network(made.address(str(block)), strict=False)
    stays = address.is_loopback or str(address) in ("255.255.255.255", "169.254.169.254")
    if not stays and not str(block.network_address).startswith(("127.", "0.", "255.", "169.254.")):
        assert new in holds


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same key makes the same file; the key file leads back."""
    source = str(FOLDER / "deny-goes-first" / "manifests.yaml")
    one, two, key = tmp_path / "one", tmp_path / "two", tmp_path / "key"
    assert main(["snapshot", "-f", source, "-o", str(one), "--redact", str(key)]) == 0
    assert main(["snapshot", "-f", source, "-o", str(two), "--redact", str(key)]) == 0
    assert one.read_bytes() == two.read_bytes()
    names = json.loads(key.read_text())["names"]
    assert {"shop", "cart", "frontend"} <= set(names.values())
    assert key.stat().st_mode & 0o077 == 0
    capsys.readouterr()
    (tmp_path / "other").write_text(yaml.safe_dump({"a": 1}))
    assert main(["snapshot", "-f", source, "-o", str(one), "--redact", str(tmp_path / "other")]) == 2
    assert "not a key" in capsys.readouterr().err
