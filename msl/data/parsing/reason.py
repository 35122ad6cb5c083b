"""Why a library could not read a file, in words that fit on a line."""


def reason(error: BaseException) -> str:
    """What the error says, on one line and not too long: libraries quote whatever bytes a damaged file holds."""
    words = " ".join(str(error).split()) or type(error).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in words[:200])
