"""Small things that every page rests on: ways that stay with us, the names of browsers, the visitor's language."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from web.devices import device_of
from web.speaking import LANGUAGE_COOKIE, words_of
from web.visits import own_path


@pytest.mark.parametrize("path", ["/", "/portal", "/admin/100/members?q=ada&state=failed", "/plans/vip#roles", "/%2f"])
def test_a_path_of_ours_stays_as_it_is(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "way",
    [
        "",
        "portal",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/portal\\..\\x",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\n//evil.example",
        "/\t/evil.example",
        "/portal\r\nLocation: //evil.example",
        "/\u2028x",
        "/\u202ex",
    ],
)
def test_what_would_lead_away_leads_home(way: str) -> None:
    assert own_path(way) == "/"


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
EDGE = f"{CHROME} Edg/140.0.0.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (EDGE, "Edge on Windows"),
        (IPHONE, "Safari on iPhone"),
        (ANDROID, "Chrome on Android"),
        ("curl/8.0", ""),
        ("", ""),
        ("x" * 500 + "Firefox", ""),
    ],
)
def test_a_browser_is_named_as_its_owner_knows_it(agent: str, device: str) -> None:
    assert device_of(make_mocked_request("GET", "/", headers={"User-Agent": agent})) == device


@pytest.mark.parametrize(
    ("wishes", "locale"),
    [
        ("", "en"),
        ("it", "it"),
        ("it-IT,it;q=0.9,en;q=0.8", "it"),
        ("fr;q=0.9,it;q=0.5", "it"),
        ("en;q=0.4,it;q=0.9", "it"),
        ("it;q=nonsense,en", "en"),
        ("*", "en"),
        ("xx,yy,zz", "en"),
        (",".join(["xx"] * 50) + ",it", "en"),
    ],
)
def test_a_browser_is_answered_in_the_language_that_it_likes_best(wishes: str, locale: str) -> None:
    assert words_of(make_mocked_request("GET", "/", headers={"Accept-Language": wishes})).locale == locale


def test_what_somebody_chose_counts_more_than_what_their_browser_says() -> None:
    headers = {"Accept-Language": "en", "Cookie": f"{LANGUAGE_COOKIE}=it"}
    assert words_of(make_mocked_request("GET", "/", headers=headers)).locale == "it"


def test_a_language_that_is_not_there_is_not_chosen() -> None:
    headers = {"Accept-Language": "it", "Cookie": f"{LANGUAGE_COOKIE}=<script>"}
    assert words_of(make_mocked_request("GET", "/", headers=headers)).locale == "it"
