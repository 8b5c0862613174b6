"""A snapshot gives the answers of the cluster, byte for byte the same file, and nothing secret."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshcheck.cli.main import main
from tests.cluster.contents import put, put_text
from tests.cluster.test_restricted_users import CALL_WORDS, DENY, EVERYTHING, WORLD, role
from tests.cluster.test_same_answers import FOLDER, question_of
from tests.support.apiserver import ApiServer

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlc2lnbmF0dXJl"
HIDDEN = ("hunter2hunter2", "s3cr3tvalue", JWT, "AKIAIOSFODNN7EXAMPLE", "c2VjcmV0LW9mLWEtc2VjcmV0")
SECRETS = f"""
apiVersion: v1
kind: Secret
metadata: {{name: keys, namespace: shop}}
data: {{password: {HIDDEN[4]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: shop}}
data:
  app.properties: "db.user=app\\ndb.password={HIDDEN[0]}\\n"
  plain: "colour=blue\\n"
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: leaky
  namespace: shop
  annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{{"password": "{HIDDEN[1]}"}}', note: 'token: {HIDDEN[1]}'}}
spec:
  selector: {{matchLabels: {{app: leaky}}}}
  template:
    metadata: {{labels: {{app: leaky}}}}
    spec:
      containers:
      - name: a
        image: b
        args: ["--db-password={HIDDEN[0]}", "--verbose"]
        env:
        - {{name: AWS_ACCESS_KEY_ID, value: {HIDDEN[3]}}}
        - {{name: SESSION, value: {JWT}}}
        - {{name: DB_PASSWORD, value: {HIDDEN[1]}}}
        - {{name: COLOUR, value: blue}}
"""


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    main(["trace", *words, "-o", "json"])
    out, err = capsys.readouterr()
    assert out, err
    return json.loads(out)


def take(path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["snapshot", "-o", str(path), *words]) == 0
    return capsys.readouterr().out


def test_same_bytes_and_the_answers_of_the_cluster(server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("deny-goes-first", "dns-forgotten", "grant-missing", "namespace-label", "nginx-default-server", "subset-without-pods")
    asked = 0
    for scenario in (FOLDER / name for name in names if (FOLDER / name).is_dir()):
        put_text(server, (scenario / "manifests.yaml").read_text())
        first, second = tmp_path / "a", tmp_path / "b"
        take(first, capsys)
        take(second, capsys)
        assert first.read_bytes() == second.read_bytes()
        _, live = question_of(scenario)
        assert answer(capsys, *live) == answer(capsys, *live, "--snapshot", str(first))
        asked += 1
    assert asked >= 4


def test_gaps_travel_along(server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_text(server, WORLD + "---\n" + DENY + "---\n" + role("bob", [k for k in EVERYTHING if k[1] != "authorizationpolicies"]))
    config = ("--kubeconfig", server.kubeconfig(user="bob"))
    file = tmp_path / "s"
    said = take(file, capsys, *config)
    assert "AuthorizationPolicies" in said
    live = answer(capsys, *config, *CALL_WORDS)
    assert live["verdict"] == "unknown"
    assert answer(capsys, "--snapshot", str(file), *CALL_WORDS) == live


def test_nothing_secret_is_in_it(server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_text(server, WORLD)
    put(server, [d for d in yaml.safe_load_all(SECRETS) if d])
    file = tmp_path / "s"
    said = take(file, capsys, "--read-secrets", "shop/keys")
    text = gzip.decompress(file.read_bytes()).decode()
    for hidden in HIDDEN:
        assert hidden not in text
    assert '"colour=blue\\n"' in text
    assert '{"name":"COLOUR","value":"blue"}' in text
    assert "--verbose" in text
    assert '"kind":"Secret"' not in text
    assert "held what looks like a secret" in said


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "not"),
        (b"no gzip", "is no snapshot"),
        (gzip.compress(b'{"schema": "meshcheck/snapshot/v9"}\n'), "another version"),
        (gzip.compress(b'{"schema": "meshcheck/trace/v1"}\n'), "not a snapshot of meshcheck"),
        (gzip.compress(b'{"schema": "meshcheck/snapshot/v1", "objects": 2, "coverage": null}\n'), "0 of 2 objects"),
        (gzip.compress(b'{"schema": "meshcheck/snapshot/v1", "objects": 1, "coverage": null}\n{"kind": 1}\n'), "damaged"),
        (gzip.compress(b"x" * 1000)[:-9], "not"),
    ],
)
def test_a_file_that_is_no_snapshot(tmp_path: Path, capsys: pytest.CaptureFixture[str], raw: bytes, word: str) -> None:
    file = tmp_path / "s"
    file.write_bytes(raw)
    assert main(["trace", "--snapshot", str(file), *CALL_WORDS]) == 2
    err = capsys.readouterr().err
    assert word in err
    assert "Traceback" not in err
