"""The table of worked examples says what Istio's code and Envoy say, for the calls whose answer the workload's side gives."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.oracle import run_sidecar
from tests.support.compare import difference
from tests.support.istio_examples import Row, rows

Json = dict[str, Any]

ACCOUNTS = {"b/cli": "cli", "a/mate": "web", "team-x-prod/app": "app"}  # `bare` has no sidecar, so no identity


def as_it_arrives(row: Row) -> Json:
    """The row's world, with its call as the workload's sidecar sees it."""
    world, question = row.world(), dict(row.question)
    url = re.fullmatch(r"(\w+)://([^:/]+)(?::(\d+))?(/.*)?", question["to"]["url"])
    assert url, question["to"]["url"]
    scheme, host, port, path = url.groups()
    caller = question["from"]
    account = ACCOUNTS.get(f"{caller['namespace']}/{caller['workload']}")
    identity = {"service_account": account, "mtls": True} if account else {"plaintext": True}
    tcp = scheme == "tcp" or any(p["name"].startswith("tcp") for p in row.ports)
    question |= {
        "from": {"namespace": caller["namespace"], **identity},
        "to": {"namespace": "a", "workload": "web", "port": {80: 8080}.get(int(port or 80), int(port or 80))},
        "path": path or "/",
        "host": question.get("host", host),
        **({"protocol": "tcp"} if tcp else {}),
    }
    return {**world, "questions": [question]}


@pytest.mark.oracle
def test_the_table_agrees_with_real_programs(istiod: str) -> None:
    """Every row that the oracle can be asked: the real answer is the one in the table."""
    asked = {row.id: row for row in rows() if row.real}
    answers, lost = run_sidecar.run([as_it_arrives(row) for row in asked.values()], istiod)
    assert not lost
    assert len(answers) == len(asked)
    wrong = []
    for answer in answers:
        real = {**answer, "decided_by": {"policy_id": answer.get("policy_id")}}
        said = [difference(real, want) for want in asked[answer["id"]].wants]
        if "" not in said:
            wrong.append(f"{answer['id']}: {said[0]} (got: the program; want: the table)")
    assert not wrong, "\n".join(wrong)
