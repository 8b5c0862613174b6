"""meshcheck gives the answers of a real kube-apiserver about RBAC (see k8s-rbac/README.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from meshcheck.cli.api_requests import request_of_json
from meshcheck.decode.rbac import collect_rbac
from meshcheck.load.read import Reading
from meshcheck.semantics.kubernetes_rbac.message import forbidden, refused
from meshcheck.semantics.kubernetes_rbac.permissions import Permissions
from tests.support.batch import read_lines

SUITE = Path(__file__).parent / "k8s-rbac"
EXPECTED = {(row["id"], row["question"]): row for row in read_lines(SUITE / "expected.jsonl.gz")}


def _worlds(closed: bool = True) -> Iterator[tuple[dict[str, Any], Permissions]]:
    for world in read_lines(SUITE / "worlds.jsonl.gz"):
        reading = Reading()
        reading.add_values(world["id"], world["manifests"])
        yield world, Permissions(collect_rbac(reading.documents, closed=closed), closed=closed)


def test_every_answer_and_its_reason_agree() -> None:
    """Each question is allowed or denied as the API server says, through a binding that it names, or names as well."""
    wrong = []
    for world, permissions in _worlds():
        for asked in world["questions"]:
            want = EXPECTED[world["id"], asked["id"]]
            request = request_of_json(asked)
            decision = permissions.decide(request)
            said, reason = decision.said, want["reason"].removeprefix("rbac: ")  # 1.37 names the authorizer
            # Cluster-wide bindings are asked first; among them, the API server has no order.
            alike = said.split('"')[0] == reason.split('"')[0] if decision.grant and reason else said == reason or decision.allowed
            if decision.allowed is not want["allowed"] or not alike:
                wrong.append((world["id"], asked, said, reason))
    assert not wrong, (len(wrong), wrong[:5])


def test_sums_of_roles_agree() -> None:
    """Aggregated ClusterRoles have the rules that the controller gave them, in its order."""
    written = {row["name"]: row["rules"] for row in read_lines(SUITE / "aggregated.jsonl")}
    names = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
    checked = 0
    for _, permissions in _worlds():
        for role in permissions.objects.roles:
            if role.sums is not None and role.meta.name in written:
                rules = [granted.rule for granted in permissions.rules[role.key]]
                got = [(r.verbs, r.groups, r.resources, r.names, r.urls) for r in rules]
                assert got == [tuple(tuple(rule.get(name) or ()) for name in names) for rule in written[role.meta.name] or ()], (
                    role.meta.ref
                )
                checked += 1
    assert checked == len(written)


def test_an_open_world_never_says_otherwise() -> None:
    """Without the word that the input is complete, answers are the same or unknown."""
    for world, permissions in _worlds(closed=False):
        for asked in world["questions"]:
            allowed = permissions.decide(request_of_json(asked)).allowed
            assert allowed is None or allowed is EXPECTED[world["id"], asked["id"]]["allowed"]


def test_refusals_are_read_as_they_are_written() -> None:
    """The request is found again in the message of its 403."""
    for world, _ in _worlds():
        for asked in world["questions"]:
            request = request_of_json(asked)
            assert refused(f"Error from server (Forbidden): {forbidden(request, 'RBAC: x')}", request.groups) == request
