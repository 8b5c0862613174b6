"""Changes to texts: what is asked for changes, and nothing else moves by a byte."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from meshcheck.load.read import Reading
from meshcheck.model.json_patch import PatchError, applied, difference, same
from meshcheck.model.objects import ObjectRef, Origin
from meshcheck.patch import Change, edit
from meshcheck.patch.document import CannotEditError, edited

REF = ObjectRef("v1", "ConfigMap", "shop", "a")


def step(op: str, path: str, value: Any = None) -> dict[str, Any]:
    return {"op": op, "path": path} if op == "remove" else {"op": op, "path": path, "value": value}


POLICY = """\
# who may call
spec:
  rules:
  - to:
    - operation:
        methods: ["GET"]   # reads only
        paths:
        # the page
        - /a

        - "/b"  # and this
    # nobody else
    from:
      - source: {principals: [one, two]}
  action: ALLOW
"""


@pytest.mark.parametrize(
    ("steps", "old", "new"),
    [
        pytest.param([step("add", "/spec/rules/0/to/0/operation/methods/-", "PUT")], '["GET"]', '["GET", "PUT"]', id="quoted alike"),
        pytest.param(
            [step("add", "/spec/rules/0/to/0/operation/paths/0", "/0")], "        - /a\n", "        - /0\n        - /a\n", id="at the front"
        ),
        pytest.param(
            [step("add", "/spec/rules/0/to/0/operation/paths/-", "/c")],
            '"/b"  # and this\n',
            '"/b"  # and this\n        - /c\n',
            id="behind the comment of the last item",
        ),
        pytest.param([step("remove", "/spec/rules/0/to/0/operation/paths/1")], '        - "/b"  # and this\n', "", id="with its comment"),
        pytest.param([step("add", "/spec/rules/0/from/0/source/principals/1", "x")], "[one, two]", "[one, x, two]", id="in brackets"),
        pytest.param([step("replace", "/spec/action", "DENY")], "ALLOW", "DENY", id="a scalar"),
        pytest.param(
            [step("add", "/spec/rules/0/from/0/source/namespaces", ["shop"])], "two]}", "two], namespaces: [shop]}", id="an entry"
        ),
        pytest.param(
            [step("add", "/spec/rules/-", {"from": [{"source": {"namespaces": ["x"]}}]})],
            "  action",
            "  - from:\n    - source:\n        namespaces:\n        - x\n  action",
            id="a rule in the layout of the file",
        ),
        pytest.param(
            [step("remove", "/spec/rules/0/to")], POLICY[POLICY.index("to:") : POLICY.index("# nobody")], "", id="first behind a dash"
        ),
    ],
)  # fmt: skip
def test_only_what_is_asked_for_changes(steps: list[dict[str, Any]], old: str, new: str) -> None:
    assert POLICY.count(old) == 1
    assert edited(POLICY, steps) == POLICY.replace(old, new)


def test_a_list_that_becomes_empty_is_written_in_brackets_and_comments_stay() -> None:
    text = "rules:\n  # only this\n  - a\nother: 1\n"
    assert edited(text, [step("remove", "/rules/0")]) == "rules: []\n  # only this\nother: 1\n"
    assert edited("a: []  # none\n", [step("add", "/a/-", "x")]) == "a: [x]  # none\n"


def test_an_empty_value_and_a_scalar_make_room_for_lines() -> None:
    assert edited("spec:\nkind: A\n", [step("replace", "/spec", {"a": [1]})]) == "spec:\n  a:\n  - 1\nkind: A\n"
    assert edited("spec: x # why\nkind: A\n", [step("replace", "/spec", {"a": 1})]) == "spec: # why\n  a: 1\nkind: A\n"


def test_json_keeps_its_tabs_and_gets_no_yaml() -> None:
    text = '{\n\t"a": [\n\t\t"x"\n\t],\n\t"b": {}\n}\n'
    assert edited(text, [step("add", "/a/-", "y: z")]) == '{\n\t"a": [\n\t\t"x",\n\t\t"y: z"\n\t],\n\t"b": {}\n}\n'
    assert edited(text, [step("add", "/b/c", {"d": True})]).endswith('"b": {\n\t\t"c": {\n\t\t\t"d": true\n\t\t}\n\t}\n}\n')
    assert edited('{"a":{"b":1}}', [step("add", "/a/c", [1, 2])]) == '{"a":{"b":1,"c":[1,2]}}'


def test_line_ends_of_windows_stay() -> None:
    text = "a:\r\n- x\r\n- y # why\r\n"
    assert edited(text, [step("add", "/a/-", {"b": 1, "c": 2})]) == "a:\r\n- x\r\n- y # why\r\n- b: 1\r\n  c: 2\r\n"


def test_a_file_without_a_line_end_at_its_end() -> None:
    assert edited("a:\n  - x", [step("add", "/a/-", "z")]) == "a:\n  - x\n  - z\n"


def test_blocks_of_text_keep_their_lines() -> None:
    text = "data:\n  mesh: |\n    a: 1\n    b: 2\n\nkind: X\n"
    assert edited(text, [step("replace", "/data/mesh", "a: 1\nc: 3\nb: 2\n")]) == text.replace("a: 1\n", "a: 1\n    c: 3\n")
    assert edited(text, [step("add", "/data/other", "x")]) == text.replace("b: 2\n", "b: 2\n  other: x\n")


@pytest.mark.parametrize(
    "value", ["yes", "1", "0x1f", "", "*", "a: b", "# x", "null", "1:30", "{a}", "- x", "'", "2001-01-01", "\u2028", "é\n"]
)
def test_texts_that_look_like_something_else_are_quoted(value: str) -> None:
    out = edited("a: x\n", [step("replace", "/a", value)])
    reading = Reading(exact=True)
    reading.add_text("f", "apiVersion: v1\nkind: A\n" + out)
    assert reading.documents[0].value["a"] == value


# ---- anchors, aliases, merge keys ----


def test_a_change_through_an_alias_puts_a_copy_in_its_place() -> None:
    text = "x: &who [a, b]\nz: *who # both\n"
    assert edited(text, [step("add", "/z/-", "c")]) == "x: &who [a, b]\nz: # both\n- a\n- b\n- c\n"


def test_what_an_alias_repeats_is_not_changed() -> None:
    with pytest.raises(CannotEditError, match="`&who` is used again at line 2") as found:
        edited("x: &who [a, b]\ny: *who\n", [step("add", "/x/-", "c")])
    assert found.value.line == 2
    assert edited("x: &who [a, b]\ny: z\n", [step("add", "/x/-", "c")]) == "x: &who [a, b, c]\ny: z\n"


def test_an_entry_that_comes_from_a_merge_is_written_where_it_is_changed() -> None:
    text = "base: &b\n  mode: STRICT\n  other: 1\nmtls:\n  <<: *b\n"
    assert edited(text, [step("replace", "/mtls/mode", "PERMISSIVE")]) == text + "  mode: PERMISSIVE\n"
    with pytest.raises(CannotEditError, match="`mode` comes from `<<`"):
        edited(text, [step("remove", "/mtls/mode")])


# ---- what does not fit ----


def test_a_step_that_does_not_fit_is_refused() -> None:
    for bad in (
        step("add", "/a/5", 1),
        step("replace", "/b", 1),
        step("remove", "/a/b"),
        step("test", "/a/0", 2),
        {"op": "move", "path": ""},
    ):
        with pytest.raises(PatchError):
            edited("a: [1]\n", [bad])


def test_a_difference_is_as_deep_as_it_can_be() -> None:
    old = {"a": [1, {"b": 2, "c": 3}, 4], "d": 5}
    new = {"a": [1, {"b": 9}, 4, 6], "e": None}
    steps = list(difference(old, new))
    assert same(applied(old, steps), new)
    assert step("replace", "/a/1/b", 9) in steps
    assert not same({"a": 1}, {"a": True})


# ---- files ----

TWO = """\
# first
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---

# second
apiVersion: v1
kind: ConfigMap
metadata:
    name: b
"""


def test_one_document_of_a_file() -> None:
    change = Change(REF, Origin("f.yaml", 1), (step("add", "/metadata/labels", {"x": "1"}),))
    found = edit([change], {"f.yaml": TWO})
    assert found.texts == {"f.yaml": TWO + '    labels:\n        x: "1"\n'}
    assert found.done == (change,)
    assert not found.not_done


def test_an_item_of_a_list() -> None:
    text = "kind: List\napiVersion: v1\nitems:\n- kind: A\n- kind: B\n  spec: {a: 1}\n"
    found = edit([Change(REF, Origin("f", 0, ("items", 1)), (step("replace", "/spec/a", 2),))], {"f": text})
    assert found.texts["f"] == text.replace("a: 1", "a: 2")


def test_several_values_of_a_json_file() -> None:
    text = '{"kind": "A", "n": 1}\n{"kind": "A", "n": 1}\n'
    found = edit([Change(REF, Origin("f", 1), (step("replace", "/n", 2),))], {"f": text})
    assert found.texts["f"] == '{"kind": "A", "n": 1}\n{"kind": "A", "n": 2}\n'


def test_a_new_object_is_a_document_at_the_end() -> None:
    new = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    found = edit([Change(REF, Origin("f", 1), new=new)], {"f": TWO})
    assert found.texts["f"] == TWO + "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n    name: c\n"
    alone = edit([Change(REF, None, new=new)], {})
    assert alone.texts == {"configmap-a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n"}
    beside = edit([Change(REF, Origin("f", 0), new=new)], {"f": '{"kind": "A"}'})
    assert beside.texts["f"] == '{"kind": "A"}\n{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}\n'


@pytest.mark.parametrize("source", ["kustomize:overlays/prod", "helm:chart", "<stdin>"])
def test_what_was_rendered_is_not_changed_and_says_so(source: str) -> None:
    found = edit([Change(REF, Origin(source, 0), (step("replace", "/a", 1),))], {})
    assert not found.texts
    assert source.partition(":")[0].strip("<>")[:5] in found.not_done[0].reason.replace("standard input", "stdin")


def test_a_change_that_cannot_be_made_leaves_the_others_alone() -> None:
    good = Change(REF, Origin("f", 0), (step("replace", "/a", 1),))
    bad = Change(REF, Origin("f", 0), (step("replace", "/a", 2), step("replace", "/nothing/b", 1)))
    found = edit([good, bad], {"f": dedent("a: 0\n")})
    assert found.texts == {"f": "a: 1\n"}
    assert found.not_done[0].change is bad
    assert found.not_done[0].place is not None
