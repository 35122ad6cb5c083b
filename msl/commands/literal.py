"""Values taken as they were typed: what Hydra would read as a number, a list or a mistake may be an id or a file's name."""

import re

from msl.commands.next_command import quoted


def literal(arguments: list[str], *keys: str) -> list[str]:
    """The same arguments with the values of these keys quoted for Hydra, those of ``[A,B]`` one by one.

    ``null`` and what is quoted already stay as they are.
    """
    return [_quoted(*each.partition("=")[::2]) if each.partition("=")[0] in keys else each for each in arguments]


def _quoted(key: str, value: str) -> str:
    listed = re.fullmatch(r"\[(.*)\]", value, flags=re.DOTALL)
    if listed is None:
        return f"{key}={_one(value)}"
    return (
        f"{key}=[{','.join(_one(each.strip()) for each in listed[1].split(','))}]" if listed[1].strip() else f"{key}=[]"
    )


def _one(value: str) -> str:
    if value in ("null", "") or re.fullmatch(r"'.*'|\".*\"", value, flags=re.DOTALL):
        return value
    return quoted(value)
