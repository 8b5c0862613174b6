"""`meshcheck trace` as a user meets it: exit statuses, wrong use, hostile input, what it imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from meshcheck.cli.main import main

SCENARIOS = Path(__file__).resolve().parents[3] / "manifests" / "scenarios"
SHOP = str(SCENARIOS / "method-not-allowed" / "manifests.yaml")
CALL = ["--from", "shop/frontend", "--to", "http://cart.shop/api/items"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "`--from` is missing"),
        (["--from", "a/b"], 2, "`--to` is missing"),
        (CALL, 2, "no source given"),
        (["-f", "/nowhere", *CALL], 2, "no such file or folder"),
        (["-f", SHOP, "--from", "shop/frontent", "--to", "shop/cart:80"], 2, "did you mean `shop/frontend`?"),
        (["-f", SHOP, "--from", "shop/frontend", "--to", "ftp://x"], 2, "not a URL that can be traced"),
        (["-f", SHOP, "--from", "shop/frontend", "--to", "shop/cart:http"], 2, "is not a port"),
        (["-f", SHOP, "--from", "a/b/c/d", "--to", "shop/cart:80"], 2, "names no caller"),
        (["-f", SHOP, *CALL, "-H", "nonsense"], 2, "is no header"),
        (["-f", SHOP, *CALL, "--claims", "{"], 2, "is not JSON"),
        (["-f", SHOP, *CALL, "--claims", "[]"], 2, "must be a JSON object"),
        (["--batch", "/nowhere", "-o", "jsonl"], 2, "no such file"),
        (["-f", SHOP, *CALL, "-X", "DE LETE"], 2, "is no HTTP method"),
        (["-f", SHOP, *CALL, "--source-ip", "999.1.1.1"], 2, "is no IP address"),
        (["-f", SHOP, *CALL, "--origin", "shop.example.com"], 2, "is no origin"),
    ],
)
def test_wrong_use_says_what_to_do(words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", *words]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("http://carrt.shop/", "did you mean `cart.shop`?"),
        ("http://cart.shopp/", "did you mean `cart.shop`?"),
        ("shop/crat:80", "did you mean `cart.shop`?"),
        ("http://api.stripe.com/", "it is outside the input\n"),
    ],
)
def test_a_name_that_is_nearly_a_service(target: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer stays unknown, and its first line says which Service may be meant."""
    assert main(["trace", "-f", SHOP, "--from", "shop/frontend", "--to", target]) == 3
    assert said in capsys.readouterr().out.partition("\n\n")[0] + "\n"


def test_a_bare_name_is_that_of_the_caller_s_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    """As the resolver of the caller's pod reads it; `-n` goes before."""
    assert main(["trace", "-f", SHOP, "--from", "shop/frontend", "--to", "cart:80"]) == 0
    assert main(["trace", "-f", SHOP, "--from", "shop/frontend", "--to", "cart:80", "-n", "other"]) == 3
    assert "cart.other" in capsys.readouterr().out


def test_brief_is_the_answer_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "-f", SHOP, *CALL, "-X", "DELETE", "--brief"]) == 1
    assert capsys.readouterr().out == "✗ 403 RBAC: access denied — sidecar of shop/cart: no ALLOW policy matches\n"


def test_a_method_in_the_wrong_case_says_whose_proxy_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "-f", SHOP, *CALL, "-X", "get", "--brief"]) == 1
    out = capsys.readouterr().out
    assert "sidecar of shop/cart: `get`" in out
    assert "write `GET`" in out


def test_exit_status_never_depends_on_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    for output in ("text", "json", "markdown"):
        assert main(["trace", "-f", SHOP, *CALL, "-o", output]) == 0
        assert main(["trace", "-f", SHOP, *CALL, "-X", "DELETE", "-o", output]) == 1
        assert main(["why", "-f", SHOP, "--from", "shop/frontend", "--to", "http://elsewhere.example.com/", "-o", output]) == 3
    assert "Traceback" not in capsys.readouterr().err


def test_a_refused_policy_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(SHOP).read_text().replace('methods: ["GET", "HEAD"]', "methods: GET")
    (tmp_path / "shop.yaml").write_text(text)
    assert main(["trace", "-f", str(tmp_path), *CALL, "-X", "DELETE"]) == 0
    err = capsys.readouterr().err
    assert "AuthorizationPolicy shop/cart-viewer" in err
    assert "the API server refuses it" in err


def test_batch_goes_on_behind_lines_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = {"id": "q", "from": {"namespace": "shop", "workload": "frontend"}, "to": {"url": "http://cart.shop/"}}
    lines = [
        "not json",
        "[]",
        json.dumps({"id": "no manifests"}),
        json.dumps({"id": "broken", "manifests": "a: [1", "questions": [question]}),
        json.dumps(
            {"id": "odd", "manifests": [SHOP], "questions": [{"id": "x"}, {"id": "y", "from": {}, "to": {"port": "x"}}, 3, question]}
        ),
    ]
    batch = tmp_path / "batch.jsonl"
    batch.write_text("\n".join(lines) + "\n")
    assert main(["trace", "--batch", str(batch), "-o", "jsonl", "--brief"]) == 2
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [("error" in row, row["id"]) for row in rows] == [
        (True, None), (True, None), (True, "no manifests"), (True, "broken"), (True, "odd"), (True, "odd"), (True, "odd"), (False, "odd"),
    ]  # fmt: skip
    assert rows[-1]["trace"]["verdict"] == "allowed"


HEAVY = ["networkx", "kubernetes", "cryptography", "dataclasses", "inspect", "yaml", "pathlib", "urllib.parse", "ipaddress", "shutil"]
ONLY_OF_REFUSALS = ["json", "difflib", "decimal", "base64", "meshcheck.explain.causes", "meshcheck.patch"]


@pytest.mark.parametrize(("more", "without"), [([], HEAVY + ONLY_OF_REFUSALS), (["-X", "DELETE"], HEAVY)])
def test_trace_loads_what_it_needs(more: list[str], without: list[str]) -> None:
    """A small trace is mostly loading, so what it does not use it does not load: an allowed call still less than a refused one."""
    code = (
        "import sys\nold = {*sys.modules}\nfrom meshcheck.cli.main import main\n"
        f"main({['trace', '-f', SHOP, *CALL, *more]!r})\n"
        f"print([name for name in {without!r} if name in sys.modules and name not in old])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_tokens_are_never_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    main(["trace", "-f", SHOP, *CALL, "--jwt", "aaaa.bbbb.secretsignature", "-o", "json"])
    assert "secretsignature" not in capsys.readouterr().out
