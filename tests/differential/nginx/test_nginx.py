"""meshcheck and a real nginx answer random requests to random configurations with the same status."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.differential.nginx import server
from tests.differential.nginx.configs import Call, Writer, calls
from tests.support.batch import ask

CONFIGS, CALLS, SEED = 200, 30, 20_000
FILES = {
    "a.txt": "a",
    "users": "ann:{PLAIN}secret\nbob:{SHA}"
    + base64.b64encode(hashlib.sha1(b"hash").digest()).decode()
    + "\ncarl:$apr1$saltsalt$HCAR9kCj7VYFjBvL2nLAU/\n",
}

needs_nginx = pytest.mark.skipif(server.PROGRAM is None, reason=server.ABSENT)


@pytest.fixture(scope="module")
def up() -> Iterator[int]:
    with server.upstream() as port:
        yield port


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may enter, as nginx's workers are."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        (path / "tmp").mkdir()
        yield path


def world(identity: str, text: str, www: str, port: int, asked: list[Call], files: dict[str, str]) -> dict[str, Any]:
    """A pod with that nginx.conf and those files, and the calls as questions to its port."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}, "data": {"nginx.conf": text}}
    pages = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pages", "namespace": "shop"}, "data": files}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {
            "containers": [
                {
                    "name": "nginx",
                    "image": "nginx",
                    "ports": [{"containerPort": port}],
                    "volumeMounts": [
                        {"name": "config", "mountPath": "/etc/nginx/nginx.conf", "subPath": "nginx.conf"},
                        {"name": "pages", "mountPath": www},
                        {"name": "static", "mountPath": f"{www}/static"},
                    ],
                }
            ],
            "volumes": [
                {"name": "config", "configMap": {"name": "web"}},
                {"name": "pages", "configMap": {"name": "pages"}},
                {"name": "static", "configMap": {"name": "pages"}},
            ],
        },
    }
    questions = [
        {
            "id": str(n),
            "from": {"ip": call.source},
            "to": {"namespace": "shop", "workload": "web", "port": port},
            "method": call.method,
            "path": call.path,
            "host": call.headers["host"],
            "headers": {name: [value] for name, value in call.headers.items() if name != "host"},
        }
        for n, call in enumerate(asked)
    ]
    manifests = "\n---\n".join(json.dumps(item) for item in (config, pages, pod))
    return {"id": identity, "manifests": manifests, "closed_world": True, "questions": questions}


def differs(trace: dict[str, Any], real: int) -> str | None:
    """What meshcheck says other than nginx; None when both agree."""
    said = trace["symptom"]
    if trace["verdict"] == "allowed":
        return None if 0 < real < 400 else "allowed"
    if said["kind"] == "reset":
        return None if real == 0 else "reset"
    return None if said["status"] == real else f"denied {said['status']}"


@needs_nginx
def test_random_configurations(up: int) -> None:
    """No answer is wrong, and few are unknown: only those that need what a file says that is not mounted."""
    draw = random.Random(SEED)
    worlds, reals, texts = [], {}, {}
    for n in range(CONFIGS):
        with tempfile.TemporaryDirectory() as name:
            path = Path(name)
            path.chmod(0o755)
            (path / "tmp").mkdir()
            www = path / "www"
            (www / "static").mkdir(parents=True)
            for file, content in FILES.items():
                (www / file).write_text(content)
                (www / "static" / file).write_text(content)
            port = server.free_port()
            text = server.main_text(Writer(draw, port, up, str(www)).http(), path)
            asked = calls(draw, CALLS)
            with server.nginx(text, path, port):
                for i, call in enumerate(asked):
                    reals[str(n), str(i)] = (server.status(port, *call), call)
            worlds.append(world(str(n), text, str(www), port, asked, FILES))
            texts[str(n)] = text
    answers = ask(worlds)
    wrong, unknown = [], 0
    for key, (real, call) in reals.items():
        if answers[key]["verdict"] == "unknown":
            unknown += 1
        elif (what := differs(answers[key], real)) is not None:
            wrong.append(f"{key} {call}: nginx {real}, meshcheck {what} {answers[key]['decided_by']}\n{texts[key[0]]}")
    assert not wrong, f"{len(wrong)} of {len(reals)} differ (unknown {unknown}), the first: {wrong[0]}"
    assert unknown < len(reals) * 0.08


@needs_nginx
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start nginx with workers of another user: file permissions are not compared")
@pytest.mark.parametrize("mode", [0o644, 0o600, 0o640, 0o604])
@pytest.mark.parametrize("user", ["", "user root;\n", "user nobody nogroup;\n"])
def test_files_that_workers_may_not_read(folder: Path, mode: int, user: str) -> None:
    """A page, an index page and a password file with the mode of their volume; files belong to root, as in a pod."""
    www = folder / "www"
    www.mkdir()
    names = {"page.txt": "x", "index.html": "x", "users": "ann:{PLAIN}secret\n"}
    for name, content in names.items():
        (www / name).write_text(content)
        (www / name).chmod(mode)
    port = server.free_port()
    locked = f"location /locked {{ auth_basic x; auth_basic_user_file {www}/users; try_files /page.txt =404; }}"
    text = server.main_text(f"server {{ listen {port}; root {www}; {locked} }}\n", folder)
    text = user + text.removeprefix("user root;\n")
    ann = {"authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}
    asked = [Call("127.0.0.1", "GET", path, {"host": "h", **headers}) for path, headers in (("/page.txt", {}), ("/", {}), ("/locked", ann))]
    with server.nginx(text, folder, port):
        real = [server.status(port, *call) for call in asked]
    described = world("w", text, str(www), port, asked, names)
    pod = described["manifests"].replace('"configMap": {"name": "pages"}', f'"configMap": {{"name": "pages", "defaultMode": {mode}}}')
    answers = ask([{**described, "manifests": pod}])
    said = [answers["w", str(n)] for n in range(len(asked))]
    if user == "user nobody nogroup;\n" and mode != 0o644:
        assert [trace["verdict"] for trace in said] == ["unknown"] * 3, "which account that is in the image nobody knows here"
    else:
        assert [differs(trace, status) for trace, status in zip(said, real)] == [None] * 3, (real, said)
