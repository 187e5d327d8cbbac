"""Terminal output as HTML: colours (ECMA-48 SGR) become classes, the rest is dropped."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_ESCAPE = re.compile(
    r"\x1b\[([0-9;:]*)m"  # SGR: the only one that is shown
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # other CSI
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, such as links
    r"|\x1b[@-Z\\-_]"
    r"|[\x00-\x08\x0b-\x1f\x7f]"
)
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def plain(text: str) -> str:
    """The text without escapes, as a terminal shows it in the end."""
    return _ESCAPE.sub("", _last_written(text))


def to_html(text: str) -> Markup:
    """The text with colours as ``<span class="a-red a-bold">``."""
    text = _last_written(text)
    if "\x1b" not in text:
        return escape(_ESCAPE.sub("", text))
    pieces: list[str] = []
    style: dict[str, str] = {}
    place = 0
    for match in _ESCAPE.finditer(text):
        pieces.append(_span(text[place : match.start()], style))
        if match.group(1) is not None:
            _apply(match.group(1), style)
        place = match.end()
    pieces.append(_span(text[place:], style))
    return Markup("".join(pieces))  # noqa: S704 - every piece was escaped


def _last_written(text: str) -> str:
    """Progress bars write a line over and over; the last one stays."""
    return text.rstrip("\r\n").rsplit("\r", 1)[-1]


def _span(text: str, style: dict[str, str]) -> str:
    if not text:
        return ""
    safe = str(escape(text))
    classes = " ".join(dict.fromkeys(style.values()))
    return f'<span class="{classes}">{safe}</span>' if classes else safe


def _apply(codes: str, style: dict[str, str]) -> None:
    numbers = [int(code) if code else 0 for code in re.split("[;:]", codes)]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            style.clear()
        elif code in (1, 2, 3, 4, 7):
            names = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse"}
            style[names[code]] = f"a-{names[code]}"
        elif code in (22, 23, 24, 27):
            gone = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",)}
            for name in gone[code]:
                style.pop(name, None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style["fg"] = f"a-{_NAMES[code % 10]}"
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style["bg"] = f"a-on-{_NAMES[code % 10]}"
        elif code in (39, 49):
            style.pop("fg" if code == 39 else "bg", None)
        elif code in (38, 48):
            near = _of_many(numbers)
            if near:
                style["fg" if code == 38 else "bg"] = f"a-{'' if code == 38 else 'on-'}{near}"


def _of_many(numbers: list[int]) -> str | None:
    """The nearest of the eight colours to one of 256 or of 16 million."""
    kind = numbers.pop(0) if numbers else 0
    if kind == 5 and numbers:
        number = numbers.pop(0)
        if number < 16:
            return _NAMES[number % 8]
        if number >= 232:
            return "white" if number >= 244 else "black"
        number -= 16
        return _nearest(*(part * 51 for part in (number // 36, number // 6 % 6, number % 6)))
    if kind == 2 and len(numbers) >= 3:
        red, green, blue = (numbers.pop(0) for _ in range(3))
        return _nearest(red, green, blue)
    return None


def _nearest(red: int, green: int, blue: int) -> str:
    strong = max(red, green, blue) * 0.6
    bits = (red >= strong) + 2 * (green >= strong) + 4 * (blue >= strong)
    return _NAMES[bits] if max(red, green, blue) > 40 else "black"
