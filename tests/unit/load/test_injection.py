"""What is kept of webhooks and of the injector's settings: what is read, no certificates, nothing that looks like a secret."""

from __future__ import annotations

from typing import Any

from meshcheck.load.cluster.lists import whole
from meshcheck.load.injection import settings_text
from meshcheck.load.snapshot.compact import compact
from meshcheck.load.snapshot.redact import Redaction
from meshcheck.load.snapshot.secrets import without_secrets
from tests.support.injectors import injector

CONFIG = """\
# a comment
defaultTemplates: [sidecar]
policy: disabled
alwaysInjectSelector:
  - matchLabels: {team: payments}
neverInjectSelector:
- matchExpressions:
  - {key: job-name, operator: Exists}
injectedAnnotations:
  policy: enabled
template: "{{ Old }}"
templates:
  sidecar: |
    {{- if .x }}
    policy: enabled
    token: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl
"""
READ = """\
defaultTemplates: [sidecar]
policy: disabled
alwaysInjectSelector:
  - matchLabels: {team: payments}
neverInjectSelector:
- matchExpressions:
  - {key: job-name, operator: Exists}
"""


def config_map() -> dict[str, Any]:
    meta = {"name": "istio-sidecar-injector-canary", "namespace": "istio-system"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": meta,
        "data": {"config": CONFIG, "values": '{"password": "hunter2hunter2"}'},
    }


def test_settings_are_read_without_templates() -> None:
    assert settings_text(CONFIG) == READ
    as_json = '{"policy": "enabled", "templates": {}}'
    assert settings_text(as_json) == as_json


def test_a_snapshot_keeps_the_settings() -> None:
    """And not because nobody looked: the templates hold what looks like a token."""
    kept, taken = without_secrets(compact(config_map()))
    assert kept["data"] == {"config": READ}
    assert taken == []
    redacted = Redaction([kept]).done()[0]
    assert redacted["data"].keys() == {"config"}
    assert "policy: disabled" in redacted["data"]["config"]


def test_certificates_are_left_out() -> None:
    """Somebody renews them, and nothing has changed then."""
    webhooks = injector()
    for item in webhooks["webhooks"]:
        item["clientConfig"]["caBundle"] = "Zm9v"
    for kept in (whole(webhooks, webhooks["kind"], webhooks["apiVersion"]), compact(webhooks)):
        assert "caBundle" not in str(kept)
        assert kept["webhooks"][0]["clientConfig"]["service"]["name"] == "istiod"
    assert "caBundle" in str(webhooks), "what was given stays as it was"
