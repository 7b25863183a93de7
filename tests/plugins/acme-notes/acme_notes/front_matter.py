"""The form of a note: what it says about itself between two lines of hyphens, and its text."""

FENCE = "---"


def split(text: str) -> tuple[dict[str, str], str]:
    """What a note says about itself, and the text below; `ValueError` names the line that cannot be read.

    >>> split("---\\ntitle: Tea\\n---\\nWater.\\n")
    ({'title': 'Tea'}, 'Water.\\n')
    """
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    if not lines or lines[0].rstrip() != FENCE:
        return {}, text
    said: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() == FENCE:
            return said, "".join(lines[number:])
        if line.strip():
            name, value = _pair(number, line)
            said[name] = value
    msg = f"line 1: what begins with {FENCE} ends with {FENCE}, and it never ends"
    raise ValueError(msg)


def _pair(number: int, line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        msg = f"line {number}: expected name: value, got {line.strip()[:80]!r}"
        raise ValueError(msg)
    return name.strip().lower(), value.strip()
