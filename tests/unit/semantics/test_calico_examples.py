"""Worked examples of Calico's policies, asked as anybody would ask them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.batch import ask
from tests.unit.semantics.test_network_policy_examples import VERDICTS, flows, manifests, said

TEXT = (Path(__file__).parent / "calico_examples.yaml").read_text()
EXAMPLES = list(yaml.safe_load_all(TEXT))
NAMES = [line.removeprefix("# EX ") for line in TEXT.splitlines() if line.startswith("# EX ")]
KINDS = {"gnp": "GlobalNetworkPolicy", "cnp3": "NetworkPolicy", "tiers": "Tier", "gns": "GlobalNetworkSet", "ns": "NetworkSet"}


def objects(example: dict[str, Any]) -> list[dict[str, Any]]:
    """Calico's objects of an example."""
    out = list(example.get("others", ()))
    for key, kind in KINDS.items():
        for full, spec in example.get(key, {}).items():
            namespace, _, name = full.rpartition("/")
            meta: dict[str, Any] = {"name": name, **({"namespace": namespace} if namespace else {})}
            if "labels" in spec:
                meta["labels"], spec = spec["labels"], {k: v for k, v in spec.items() if k != "labels"}
            out.append({"apiVersion": "projectcalico.org/v3", "kind": kind, "metadata": meta, "spec": spec})
    return out


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_example(example: dict[str, Any]) -> None:
    """Each flow of an example has the verdict that stands behind it."""
    asked = flows(example)
    plain = {key: value for key, value in example.items() if key not in (*KINDS, "others")}
    text = manifests(plain) + "".join(f"---\n{json.dumps(item)}\n" for item in objects(example))
    traces = ask([{"id": "w", "manifests": text, "closed_world": True, "questions": [q for q, _, _ in asked]}], brief=False)
    wrong = [f"{line}: got {got}" for q, verdict, line in asked if (got := said(traces["w", q["id"]])) != VERDICTS[verdict]]
    assert not wrong
