"""One followed kind against the real server: the answers that a watch has to live with."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from meshcheck.load.cluster import Login, connect, discover, follow
from meshcheck.load.cluster.follow import CONNECTED, Follower, Told
from meshcheck.model.cluster_kinds import CALL, kinds_for
from tests.cluster.contents import put_text
from tests.support.apiserver import ApiServer
from tests.support.manifests import space, thing


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def policy(name: str) -> str:
    return thing("security.istio.io/v1", "AuthorizationPolicy", "shop", name, "{}")


def test_a_version_that_is_too_old_means_a_new_list(server: ApiServer) -> None:
    """A real 410: the watch begins before anything the server remembers. Nothing is lost, and what comes later is followed."""
    assert put_text(server, f"{space('shop')}---\n{policy('one')}") == []
    api, told = connect(Login()), list[Told]()
    kind = next(kind for kind in kinds_for(CALL) if kind.kind == "AuthorizationPolicy")
    served = discover(api).served(kind)
    assert served is not None
    follower = Follower(api, served, None, lambda *_: False, told.append)
    follower._version = "1"
    follower.start()
    try:
        until(lambda: Told("AuthorizationPolicy", "interrupted", "expired") in told)
        until(lambda: follower.state == CONNECTED)
        assert [item["metadata"]["name"] for item in follower.items()] == ["one"]
        assert put_text(server, policy("two")) == []
        until(lambda: Told("AuthorizationPolicy", "changed") in told)
        assert [item["metadata"]["name"] for item in follower.items()] == ["one", "two"]
        server.request("DELETE", "/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies/one")
        until(lambda: len(follower.items()) == 1)
        assert follower.gap == ""
        assert "managedFields" not in follower.items()[0]["metadata"]
    finally:
        follower.stop()


def test_the_ignored_object_is_not_there_and_wakes_nobody(server: ApiServer) -> None:
    assert put_text(server, f"{space('shop')}---\n{policy('mine')}---\n{policy('other')}") == []
    api, told = connect(Login()), list[Told]()
    kind = next(kind for kind in kinds_for(CALL) if kind.kind == "AuthorizationPolicy")
    served = discover(api).served(kind)
    assert served is not None
    follower = Follower(api, served, None, lambda *named: named == ("AuthorizationPolicy", "shop", "mine"), told.append)
    follower.start()
    try:
        until(follower.synced.is_set)
        path = "/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies"
        for name in ("mine", "other"):
            change = {"metadata": {"labels": {"a": "b"}}}
            server.request("PATCH", f"{path}/{name}", change, content_type="application/merge-patch+json")
        until(lambda: Told("AuthorizationPolicy", "changed") in told)
        assert told.count(Told("AuthorizationPolicy", "changed")) == 1
        assert [item["metadata"]["name"] for item in follower.items()] == ["other"]
    finally:
        follower.stop()


def test_a_thread_that_does_not_move_any_more_is_stuck(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a change nor a bookmark nor another try for longer than any of them may take: the kubelet is to start the pod anew."""
    api, told = connect(Login()), list[Told]()
    kind = next(kind for kind in kinds_for(CALL) if kind.kind == "Service")
    served = discover(api).served(kind)
    assert served is not None
    follower = Follower(api, served, None, lambda *_: False, told.append)
    assert follower.gap == "have not been listed yet"  # what nobody has listed is not empty
    follower.start()
    try:
        until(lambda: follower.state == CONNECTED)
        assert (follower.gap, follower.is_stuck) == ("", False)
        monkeypatch.setattr(follow, "_STUCK", 0.0)
        assert follower.is_stuck
        follower.stop()
        assert not follower.is_stuck  # it is not asked to move any more
    finally:
        follower.stop()


def test_objects_that_say_the_same_stay_the_same(server: ApiServer) -> None:
    """A new list, and a change of what nobody looks at, leave the values as they are: what was made of them needs not be made again."""
    assert put_text(server, f"{space('shop')}---\n{policy('one')}---\n{policy('two')}") == []
    api, told = connect(Login()), list[Told]()
    kind = next(kind for kind in kinds_for(CALL) if kind.kind == "AuthorizationPolicy")
    served = discover(api).served(kind)
    assert served is not None
    follower = Follower(api, served, None, lambda *_: False, told.append)
    follower.start()
    try:
        until(follower.synced.is_set)
        before = follower.items()
        follower._list()
        assert [a is b for a, b in zip(before, follower.items(), strict=True)] == [True, True]
        path = "/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies/one"
        restless = {"metadata": {"annotations": {"control-plane.alpha.kubernetes.io/leader": "me"}}}
        server.request("PATCH", path, restless, content_type="application/merge-patch+json")
        server.request("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, content_type="application/merge-patch+json")
        until(lambda: Told("AuthorizationPolicy", "changed") in told)
        assert told.count(Told("AuthorizationPolicy", "changed")) == 1
        after = follower.items()
        assert [item["metadata"]["name"] for item in after] == ["one", "two"]  # in the order of lists, whatever changed last
        assert [a is b for a, b in zip(before, after, strict=True)] == [False, True]
    finally:
        follower.stop()
