"""Options that are wrong are told in one line that says what is meant and where to look."""

from __future__ import annotations

import pytest

from meshcheck.cli.main import COMMANDS, main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trace", "--form", "x"], "`--form` means nothing to `meshcheck trace`; did you mean `--from`?"),
        (["graph", "--exposde"], "did you mean `--exposed`?"),
        (["trace", "--fix=abc"], "`--fix`: invalid int value: `abc`"),
        (["snapshot"], "`-o/--output` is missing"),
        (["proxy"], "`FILE|POD` is missing"),
        (["graph", "--exposed=yes"], "`--exposed`: takes no value, and `yes` was given"),
        (["trace", "-o", "yaml"], "`-o yaml`: no such form (forms: text, json, jsonl, markdown)"),
        (["lint", "--fail-on", "warn"], "choose from "),
        (["trace", "--jwt", "a", "--claims", "{}"], "not allowed with"),
        (["snapshot"], "-o/--output"),
        (["completion", "tcsh"], "`tcsh`"),
    ],
)
def test_wrong_options(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.endswith(f"(see `meshcheck {words[0]} --help`)\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"why"}))
def test_every_command_tells_a_wrong_option_so(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--no-such-option"]) == 2
    assert capsys.readouterr().err.endswith(f"(see `meshcheck {command} --help`)\n")


def test_help_of_a_command_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["help", "lint"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("usage: meshcheck lint")


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "why"])
def test_help_as_the_program_is_called(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Usage is one line; examples and errors name the plugin where the plugin was called: whoever has it from krew has no `meshcheck`."""
    for called, name in (("/usr/bin/meshcheck", "meshcheck"), ("/usr/bin/kubectl-meshcheck", "kubectl meshcheck")):
        monkeypatch.setattr("sys.argv", [called])
        with pytest.raises(SystemExit):
            main([command, "--help"])
        usage, empty, *rest = capsys.readouterr().out.splitlines()
        assert usage.startswith(f"usage: {name} {command} ")
        assert (usage.endswith("[options]"), empty) == (True, "")
        examples = [line for line in rest if " meshcheck " in line and line.startswith("  ") and "source <(" not in line]
        assert all(("kubectl meshcheck " in line) == (name != "meshcheck") for line in examples), examples
        assert main([command, "--no-such-option"]) == 2
        assert f"(see `{name} {command} --help`)" in capsys.readouterr().err
