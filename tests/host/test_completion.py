#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_completion.py FLIGHTREC: completion in bash, zsh and fish, as far as they are installed,
offers everything that --help lists: each command, each of its options, each format.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOOL = os.path.abspath(sys.argv[1])
COMPLETION = pathlib.Path(__file__).resolve().parent.parent.parent / "tools" / "completion"


def output(*command, **options):
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True, **options
    ).stdout


def asked(*words):
    return output(TOOL, "complete", *words).split("\n")[:-1]


def check_tool():
    usage = output(TOOL, "--help")
    commands = re.findall(r"^  ([a-z]+)  ", usage, re.M)
    assert asked("") == commands and len(commands) > 8, asked("")
    assert asked("ex") == ["export"] and asked("nothing") == []
    for command in commands:
        text = output(TOOL, command, "--help")
        options = set(
            re.findall(
                r"(?<![\w-])--[a-z][a-z-]*",
                "\n".join(line for line in text.splitlines() if line.startswith("  ")),
            )
        )
        assert options <= set(asked(command, "--")), (command, options, asked(command, "--"))
        assert all(word.startswith("-") for word in asked(command, "-"))
    formats = re.findall(r"^  ([a-z-]+) +\S.*\(\.", output(TOOL, "export", "--help"), re.M)
    assert asked("export", "-f", "") == asked("export", "--format", "") == formats
    assert asked("export", "--format=c") == ["--format=csv", "--format=chrome", "--format=ctf"]
    assert asked("export", "x.frec", "-o", "") == [":files"]
    assert asked("record", "-o", "") == asked("export", "--symbols", "") == [":folders"]
    assert (
        asked("show", "")
        == asked("verify", "a")
        == asked("export", "-f", "json", "")
        == [":files .frec"]
    )
    assert asked("run", "-e", "x:*", "--", "") == [":commands"] and asked(
        "run", "--", "cat", ""
    ) == [":files"]
    assert asked("record", "--transport", "u") == ["user_events", "usdt"]
    assert asked("show", "--color", "") == ["auto", "always", "never"]
    assert asked("trigger", "--pid", "") == [] and asked("show", "-n", "") == []


def bash(line):
    script = f"""
        source {COMPLETION}/flightrec.bash
        COMP_LINE=$1 COMP_POINT=${{#1}}
        # Like readline: split at blanks, and around colons and equals signs.
        mapfile -t COMP_WORDS < <(
            sed -E 's/ +/\\n/g; s/([:=])/\\n\\1\\n/g' <<<"$1" | sed '/^$/{{$!d}}'
        )
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        complete -p flightrec >/dev/null && _flightrec && printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return output("bash", "-c", script, "bash", line)


def zsh(line):
    # zsh's own functions are replaced by ones that print their arguments.
    script = f"""
        compadd() {{ shift; print -rl -- "$@" }}
        _files() {{ print -r -- files "$@" }}
        _command_names() {{ print -r -- commands }}
        source {COMPLETION}/_flightrec
        words=("${{(@s: :)1}}") CURRENT=$#words
        _flightrec
    """
    return output("zsh", "-fc", script, "zsh", line)


def fish(line):
    return output(
        "fish",
        "--no-config",
        "-c",
        f"source {COMPLETION}/flightrec.fish; complete -C $argv[1]",
        line,
    )


def check_shell(shell):
    def words(line):
        return [word.split("\t")[0] for word in shell(line).split("\n") if word]

    assert words("flightrec ex") == ["export"], words("flightrec ex")
    assert set(words("flightrec export --f")) == {"--flow", "--format", "--from"}
    assert set(words("flightrec export s.frec -f p")) == {"perfetto", "perf", "pprof"}
    assert set(words("flightrec export -f json --compress ")) == {"gzip", "zstd"}
    assert not words("flightrec no-such-command ")
    files = words("flightrec show ")
    if shell is zsh:
        assert files == ["files -g *.frec"] and words("flightrec record -o ") == ["files -/"], files
        assert words("flightrec run -- ") == ["commands"]
        return
    stripped = {word.rstrip("/") for word in files}
    assert {"a.frec", "b.frec", "folder"} <= stripped and (
        shell is fish or "other.txt" not in stripped
    ), files
    assert "other.txt" in words("flightrec export a.frec -o o")
    assert [word.rstrip("/") for word in words("flightrec record -o fold")] == ["folder"], words(
        "flightrec record -o fold"
    )
    assert "ls" in words("flightrec run -e x -- ls")
    if shell is bash:
        # bash keeps the word up to the equals sign, so only what follows it is offered.
        assert words("flightrec export --format=p") == ["perfetto", "perf", "pprof"]
        assert set(words("flightrec export --format=")) > {"perfetto", "json"}


check_tool()
with tempfile.TemporaryDirectory() as temporary:
    os.chdir(temporary)
    for name in ("a.frec", "b.frec", "other.txt"):
        pathlib.Path(name).touch()
    os.mkdir("folder")
    os.mkdir("bin")
    os.symlink(TOOL, "bin/flightrec")
    os.environ.update(
        PATH=f"{temporary}/bin:{os.environ['PATH']}",
        HOME=temporary,
        XDG_CONFIG_HOME=temporary,
        XDG_DATA_HOME=temporary,
    )
    for shell in (bash, zsh, fish):
        if shutil.which(shell.__name__):
            check_shell(shell)
        else:
            print(f"{shell.__name__} is not installed")
    os.chdir("/")
print("everything that --help lists is offered")
