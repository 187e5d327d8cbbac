"""Terminal output becomes HTML that can do nothing."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgeyard.web.pages.ansi import plain, to_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain <b>", "plain &lt;b&gt;"),
        ("\x1b[31mred\x1b[0m x", '<span class="a-red">red</span> x'),
        ("\x1b[1;32mok", '<span class="a-bold a-green">ok</span>'),
        ("\x1b[1mbold\x1b[22m thin", '<span class="a-bold">bold</span> thin'),
        ("\x1b[91mbright\x1b[39m x", '<span class="a-red">bright</span> x'),
        ("\x1b[38;5;196mred", '<span class="a-red">red</span>'),
        ("\x1b[38;2;0;200;10mgreen", '<span class="a-green">green</span>'),
        ("\x1b[48;5;4m\x1b[37mx", '<span class="a-on-blue a-white">x</span>'),
        ("\x1b[mreset", "reset"),
        ("\x1b]8;;http://x.example\x07link\x1b]8;;\x07", "link"),
        ("\x1b[2K\x1b[1Gdone", "done"),
        ("10 %\r55 %\r100 %\r\n", "100 %"),
        ("\x1b[38;5mcut", "cut"),
    ],
)
def test_colours_are_classes_and_the_rest_is_gone(text: str, html: str) -> None:
    assert str(to_html(text)) == html


@given(st.text(alphabet="ab<>&\"'\x1b[]0;138m5\r\n\x07\\☃", max_size=60))
def test_only_our_own_tags_come_out(text: str) -> None:
    html = str(to_html(text))
    assert "\x1b" not in html
    bare = re.sub(r'<span class="[a-z -]+">|</span>', "", html)
    assert "<" not in bare and ">" not in bare
    assert unescape(bare) == plain(text)
