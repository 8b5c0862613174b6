"""Calico's own code as a program: `MESHCHECK_CALICO` names it.

It reads JSON lines and answers each with one:

`{"selector": TEXT, "labels": [{…}, …]}` with `{"holds": [BOOL, …]}`, or `{"refused": WHY}`: libcalico-go/lib/selector.

`{"objects": […], "questions": [{"source": IP, "destination": IP, "protocol": NUMBER, "port": NUMBER}, …]}` with
`{"answers": [{"Egress": BOOL, "Ingress": BOOL}, …]}`, a direction for each end that is a pod, or `{"error": WHY}`. The objects go through
libcalico-go/lib/backend/k8s/conversion and lib/backend/syncersv1/updateprocessors into felix/calc.CalcGraph, as they do in Felix; what
that makes of them, policies in tiers of endpoints and the members of sets of addresses, is asked by app-policy/checker.Evaluate.

That checker does not know names of ports, versions of the internet protocol and types of ICMP, so worlds have none of them.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from typing import Any

import pytest

VARIABLE = "MESHCHECK_CALICO"


def ask_calico(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers of Calico's code; skips the test, loudly, where there is no such program."""
    program = os.environ.get(VARIABLE)
    if not program:
        pytest.skip(f"NOT COMPARED WITH CALICO: {VARIABLE} names no program (see tests/differential/calico/program.py)")
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=True, timeout=600)
    return [json.loads(line) for line in done.stdout.splitlines()]
