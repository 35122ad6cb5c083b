"""The command to type next, such that it can be pasted as it stands."""

import re
import shlex


def say_next(*words: str) -> None:
    """Print ``next:`` and the command, quoted for a shell."""
    # not through rich, which would wrap or mark up what is to be pasted
    print(f"next: {shlex.join(words)}")


def override(key: str, value: str) -> str:
    """`KEY=VALUE` as Hydra reads it, whatever is in the value."""
    plain = value.replace("/", "").replace("_", "").replace("-", "").replace(".", "")
    if plain.isalnum() and plain.isascii():
        return f"{key}={value}"
    return f"{key}={quoted(value)}"


def quoted(value: str) -> str:
    """A text as Hydra and OmegaConf read it, and not as a number, a list or an interpolation."""
    # Hydra takes a backslash as one unless a quote follows, or the end
    escaped = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + found[2].replace("'", "\\'"), value)
    return "'" + escaped.replace("${", "\\${") + "'"
