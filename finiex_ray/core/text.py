"""Text from outside (names, messages, tracebacks) made safe for terminals, logs and tables."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str, keep: str = "") -> str:
    r"""Writes every character that is not printable as an escape, so that no text can steer a terminal.

    Escaped are control characters, invisible and direction-changing format characters, line separators and lone
    surrogates: ``"\x1b[2J"`` becomes the five visible characters ``\x1b[2J``.

    Args:
        text: Any text.
        keep: Characters that stay although they are not printable, for example a line feed.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in keep else character.encode("unicode_escape").decode()
        for character in text
    )
