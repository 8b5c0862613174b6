"""An API server in trouble: what passes is waited for, what stays is named, and nothing is taken for absent."""

from __future__ import annotations

import json
import stat
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from meshcheck.cli.main import main
from meshcheck.load.cluster import Api, Login, Wanted, connect, discover, list_objects, read_cluster
from meshcheck.load.read import Reading
from meshcheck.model.cluster_kinds import cluster_kinds
from tests.cluster.conftest import why_not
from tests.cluster.contents import put_text
from tests.cluster.faulty import Faulty
from tests.cluster.test_restricted_users import CALL_WORDS, WORLD
from tests.support.apiserver import ApiServer

CONFIG_MAP = next(kind for kind in cluster_kinds() if kind.kind == "ConfigMap")
POD = next(kind for kind in cluster_kinds() if kind.kind == "Pod")


@pytest.fixture(scope="module")
def own() -> Iterator[ApiServer]:
    """A server that may be hurt."""
    if missing := why_not():
        pytest.skip(f"LOUD: no API server: {missing}")
    with ApiServer() as server:
        put_text(server, WORLD)
        fill(server, "configmaps", 40, lambda n: {"metadata": {"name": f"c-{n:04}"}, "data": {"n": str(n)}})
        yield server


def fill(server: ApiServer, plural: str, number: int, make: Callable[[int], Any], namespace: str = "shop") -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: server.request("POST", f"/api/v1/namespaces/{namespace}/{plural}", make(n)), range(number)))


def api_of(config: str) -> Api:
    return connect(Login(kubeconfig=config, timeout=20))


def trace(config: str, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any], str]:
    status = main(["trace", "--kubeconfig", config, *CALL_WORDS, "-o", "json", *more])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else {}, err


def test_pages_of_a_list_are_of_one_moment(own: ApiServer) -> None:
    """What is created and deleted while the pages are read is not seen."""
    api = api_of(own.kubeconfig())
    served = discover(api).served(CONFIG_MAP)
    assert served is not None
    seen: list[int] = []

    def change(number: int) -> None:
        seen.append(number)
        if len(seen) == 1:
            own.request("POST", "/api/v1/namespaces/shop/configmaps", {"metadata": {"name": "c-zzz"}})
            own.request("DELETE", "/api/v1/namespaces/shop/configmaps/c-0039")

    listed = list_objects(api, served, "shop", page=10, on_page=change)
    names = [item["metadata"]["name"] for item in listed.items]
    assert "c-0039" in names
    assert "c-zzz" not in names
    assert len(seen) == 4
    assert not listed.torn
    own.request("DELETE", "/api/v1/namespaces/shop/configmaps/c-zzz")
    own.request("POST", "/api/v1/namespaces/shop/configmaps", {"metadata": {"name": "c-0039"}})


def test_kinds_are_of_one_moment(own: ApiServer) -> None:
    """Kinds that are read later are read as of the moment of the first."""
    reading, seen = Reading(), []

    def change(kind: str, _: int) -> None:
        if not seen:
            own.request("POST", "/api/v1/namespaces/shop/services", {"metadata": {"name": "late"}, "spec": {"ports": [{"port": 1}]}})
        seen.append(kind)

    read_cluster(api_of(own.kubeconfig()), reading, Wanted(), change)
    own.request("DELETE", "/api/v1/namespaces/shop/services/late")
    names = [d.value["metadata"]["name"] for d in reading.documents if d.value["kind"] == "Service"]
    assert "cart" in names
    assert "late" not in names
    assert not reading.torn


def compact(server: ApiServer, revision: str) -> None:
    """Make etcd forget what was before a revision, as it does by itself every five minutes."""
    body = json.dumps({"revision": revision, "physical": True}).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(urllib.request.Request(f"{server.etcd_url}/v3/kv/compaction", body), timeout=10).read()


def test_410_starts_the_list_again() -> None:
    """A real 410: etcd is compacted between two pages, and the server keeps nothing of the past itself."""
    if missing := why_not():
        pytest.skip(f"LOUD: no API server: {missing}")
    with ApiServer(arguments=["--watch-cache=false"]) as server, Faulty(server) as faulty:
        server.request("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
        fill(server, "configmaps", 40, lambda n: {"metadata": {"name": f"c-{n:04}"}})
        api = api_of(faulty.kubeconfig())
        served = discover(api).served(CONFIG_MAP)
        assert served is not None
        pages: list[int] = []

        def forget(number: int) -> None:
            pages.append(number)
            if len(pages) == 1:
                made = server.request("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"generateName": "x-"}})
                compact(server, made["metadata"]["resourceVersion"])

        listed = list_objects(api, served, "shop", page=10, on_page=forget)
        assert [item["metadata"]["name"] for item in listed.items] == [f"c-{n:04}" for n in range(40)]
        assert len(pages) == 5, "one page, and the four of the list that was read again from its start"
        assert faulty.answered.count(410) == 1
        assert not listed.torn

        pages = []

        def always(number: int) -> None:
            pages.append(number)
            made = server.request("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"generateName": "x-"}})
            compact(server, made["metadata"]["resourceVersion"])

        listed = list_objects(api, served, "shop", page=10, on_page=always)
        assert {item["metadata"]["name"] for item in listed.items} == {f"c-{n:04}" for n in range(40)}
        assert listed.torn, "read to its end at any price, and said so"


def test_429_is_obeyed(own: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Each list is first answered with 429 and Retry-After: the answer is the same, and the user is told why it takes longer."""
    told: set[str] = set()

    def busy(path: str) -> tuple[int, dict[str, str]] | None:
        if "/pods" in path and path not in told:
            told.add(path)
            return 429, {"Retry-After": "1"}
        return None

    with Faulty(own, busy) as faulty:
        start = time.monotonic()
        status, found, err = trace(faulty.kubeconfig(), capsys)
    assert (status, found["verdict"]) == (0, "allowed")
    assert time.monotonic() - start >= 1
    assert "429 for /api/v1/pods" in err


def test_a_kind_whose_server_is_down_is_a_gap(own: ApiServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """503 for one kind only, for ever."""
    monkeypatch.setattr("meshcheck.load.cluster.api.PATIENCE_OF_ONE", 2.0)
    with Faulty(own, lambda path: (503, {}) if "/networkpolicies" in path else None) as faulty:
        status, found, _ = trace(faulty.kubeconfig(), capsys)
    assert (status, found["verdict"]) == (3, "unknown")
    assert any(m["fact"].startswith("NetworkPolicies of namespace shop could not be listed: 503") for m in found["missing"])


def test_resets_are_tried_again(own: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    cut: list[str] = []

    def reset(path: str) -> tuple[int, dict[str, str]] | None:
        if "/services" in path and len(cut) < 2:
            cut.append(path)
            return 0, {}
        return None

    with Faulty(own, reset) as faulty:
        status, found, err = trace(faulty.kubeconfig(), capsys)
    assert (status, found["verdict"]) == (0, "allowed"), err
    assert len(cut) == 2


def test_server_killed_and_started_again_in_the_middle_of_a_list(own: ApiServer) -> None:
    """Nothing is lost: the list goes on where it was."""
    api = api_of(own.kubeconfig())
    served = discover(api).served(CONFIG_MAP)
    assert served is not None
    threads: list[threading.Thread] = []

    def crash(_: int) -> None:
        if not threads:
            own.kill("kube-apiserver")
            threads.append(threading.Thread(target=lambda: (time.sleep(1), own.restart("kube-apiserver"))))
            threads[0].start()

    said: list[str] = []
    api.on_wait = said.append
    listed = list_objects(api, served, "shop", page=10, on_page=crash)
    threads[0].join()
    assert [item["metadata"]["name"] for item in listed.items] == [f"c-{n:04}" for n in range(40)]
    assert api.retries > 0
    assert "no answer for /api/v1/namespaces/shop/configmaps" in said[0]


def test_server_that_does_not_come_back(own: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, no verdict, exit status 2."""
    config = own.kubeconfig()
    own.kill("kube-apiserver")
    try:
        start = time.monotonic()
        status, found, err = trace(config, capsys)
        assert (status, found) == (2, {})
        assert f"the API server at {own.url} does not answer" in err
        assert "connection refused" in err
        assert time.monotonic() - start < 15
    finally:
        own.restart("kube-apiserver")


def test_etcd_stopped(own: ApiServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server answers, and cannot say what there is: everything is unknown, with its words; after etcd's return all is well."""
    monkeypatch.setattr("meshcheck.load.cluster.api.PATIENCE", 3.0)
    monkeypatch.setattr("meshcheck.load.cluster.api.PATIENCE_OF_ONE", 2.0)
    own.kill("etcd")
    try:
        status, found, err = trace(own.kubeconfig(), capsys, "--request-timeout", "3s")
        assert status in (2, 3), err
        assert found.get("verdict") in (None, "unknown")
        if status == 2:
            assert "stopped answering" in err or "does not answer" in err
        else:
            assert any("could not be listed" in m["fact"] for m in found["missing"])
    finally:
        own.restart("etcd")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status, found, _ = trace(own.kubeconfig(), capsys)
        if status == 0:
            break
        time.sleep(0.5)
    assert found["verdict"] == "allowed"


def test_a_token_that_has_run_out(own: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """A service account's token that the server accepts no more."""
    token = own.service_account_token("shop", "robot")
    own.request("DELETE", "/api/v1/namespaces/shop/serviceaccounts/robot")
    deadline = time.monotonic() + 30  # the server keeps what it found of a token for a moment
    while (got := trace(own.kubeconfig(token=token), capsys))[0] != 2 and time.monotonic() < deadline:
        time.sleep(0.5)
    status, found, err = got
    assert (status, found) == (2, {})
    assert "the API server does not accept the credentials (401 Unauthorized): log in again" in err


def test_an_exec_plugin_gives_a_new_token(own: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first token is refused: the plugin is asked again."""
    config = json.loads(Path(own.kubeconfig()).read_text())
    good = config["users"][0]["user"]["token"]
    plugin = tmp_path / "login"
    plugin.write_text(
        f"#!{sys.executable}\nimport json, pathlib\nseen = pathlib.Path({str(tmp_path / 'seen')!r})\n"
        f"token = {good!r} if seen.exists() else 'old'\nseen.touch()\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential', 'status': {'token': token}}))\n"
    )
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    config["users"][0]["user"] = {"exec": command}
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    status, found, err = trace(str(path), capsys)
    assert (status, found.get("verdict")) == (0, "allowed"), err


def test_five_thousand_pods_in_pages(own: ApiServer) -> None:
    def pod(n: int) -> dict[str, Any]:
        return {"metadata": {"name": f"p-{n:04}"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}

    own.request("POST", "/api/v1/namespaces", {"metadata": {"name": "crowd"}})
    fill(own, "pods", 5000, pod, "crowd")
    with Faulty(own) as faulty:
        api = api_of(faulty.kubeconfig())
        served = discover(api).served(POD)
        assert served is not None
        listed = list_objects(api, served)
    assert len({item["metadata"]["name"] for item in listed.items if item["metadata"]["namespace"] == "crowd"}) == 5000
    assert sum("/pods" in path for path in faulty.asked) == 10, "pages of 500, and not one more"
