"""Takes a page apart: its bones without any words, and what is wrong with its build. No opinion on looks."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

_ALONE = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"))
_BANNED = frozenset(("script", "style", "iframe", "object", "embed", "frame", "base", "template"))
_SILENT = frozenset(("title", "code", "pre", "textarea", "option", "time"))
_OURS = ("/", "#", "data:")
_DOORS_OUT = ("https://", "http://", "mailto:", "discord:")
_INSIDE_NAMES = re.compile(r"\b[a-z]{2,}_[a-z]{2,}\w*")
_TO_FILL_IN = re.compile(r"\{(?:plan|server)\}")
"""What staff may write into a mail."""
_THEIR_IDS = re.compile(r"\b(?:prod|price|sub|cus|evt|in|cs|sk|whsec)_\w+")
"""A provider's own names: people compare them with the provider's pages."""


class Anatomy(HTMLParser):
    """One page, read once. `bones`: its tags with the names of their attributes, in order; `faults`: what is wrong."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.bones: list[str] = []
        self.faults: list[str] = []
        self.texts: list[str] = []
        self.title = ""
        self._open: list[str] = []
        self._tags: Counter[str] = Counter()
        self._ids: Counter[str] = Counter()
        self._labels: set[str] = set()
        self._controls: list[tuple[str, str]] = []
        self._captions = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.bones.append(f"<{tag} {' '.join(sorted(given))}>")
        self._tags[tag] += 1
        if "id" in given:
            self._ids[given["id"]] += 1
        if tag == "label" and "for" in given:
            self._labels.add(given["for"])
        self._look_at(tag, given)
        if tag == "option" == (self._open or [""])[-1]:
            self._open.pop()
        if tag not in _ALONE:
            self._open.append(tag)

    def _look_at(self, tag: str, given: dict[str, str]) -> None:
        says = self.faults.append
        if tag in _BANNED or any(name.startswith("on") or name == "style" for name in given):
            says(f"code or style inside: <{tag} {given}>")
        for name in ("src", "href", "action"):
            way = given.get(name, "/")
            allowed = _OURS + (_DOORS_OUT if tag == "a" else ())
            if way and not way.startswith(allowed):
                says(f"<{tag}> leads to {way!r}")
        if tag == "img" and "alt" not in given:
            says("a picture without alt")
        if tag == "th" and "scope" not in given:
            says("a column head without scope")
        if tag == "html" and not given.get("lang"):
            says("no language")
        if tag == "a" and "href" not in given:
            says("a link to nowhere")
        is_control = tag in ("select", "textarea") or (tag == "input" and given.get("type") not in ("hidden", "submit"))
        if is_control and "label" not in self._open and not given.keys() & {"aria-label", "aria-labelledby"}:
            self._controls.append((given.get("name", ""), given.get("id", "")))

    def handle_endtag(self, tag: str) -> None:
        self.bones.append(f"</{tag}>")
        while tag != "option" and self._open[-1:] == ["option"]:
            self._open.pop()  # need not be closed
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes what is not open")

    def handle_comment(self, data: str) -> None:
        self.bones.append("<!-- -->")

    def handle_data(self, data: str) -> None:
        if "title" in self._open and "svg" not in self._open:
            self.title += data.strip()
        if data.strip() and not _SILENT & set(self._open):
            self.texts.append(" ".join(data.split()))

    def judge(self) -> list[str]:
        """Return everything that is wrong with a whole page of ours."""
        faults = list(self.faults)
        faults += [f"open at the end: {tag}" for tag in self._open]
        faults += [f"the id {name!r} stands {count} times" for name, count in self._ids.items() if count > 1]
        faults += [f"no label for {name!r}" for name, known in self._controls if known not in self._labels]
        if self._tags["h1"] != 1:
            faults.append(f"{self._tags['h1']} first headings")
        if self._tags["table"] != self._tags["caption"]:
            faults.append("a table without caption")
        if not self.title:
            faults.append("no title")
        if not {"main"} <= set(self._ids) or self._tags["main"] != 1:
            faults.append("no place to skip to")
        return faults + [f"our insides: {text!r}" for text in self.texts if _shows_insides(text)]


def _shows_insides(text: str) -> bool:
    """Say whether a text holds what only code reads: None, unfilled facts, names of constants."""
    plain = _TO_FILL_IN.sub("", _THEIR_IDS.sub("", text))
    return bool(re.search(r"\bNone\b|[{}]|<bound |datetime\.|Undefined", plain) or _INSIDE_NAMES.search(plain))
