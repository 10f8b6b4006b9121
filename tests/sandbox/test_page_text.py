"""Discord's markup as HTML, and what is read out of mails and pages. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.clock import MovableClock
from sandbox.discord import LocalDiscord
from sandbox.page.discord_text import to_blocks, to_html
from sandbox.page.moments import distance
from sandbox.visitor import claim_code, connect_link

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def discord() -> LocalDiscord:
    return LocalDiscord(MovableClock(NOW))


def shown(discord: LocalDiscord, text: str) -> str:
    owner = discord.create_user("alice")
    guild = discord.create_guild("Guild", owner=owner)
    role = discord.create_role(guild, "VI<P>")
    channel = discord.create_channel(guild, "lounge")
    filled = text.replace("ALICE", str(owner.id)).replace("ROLE", str(role.id)).replace("CHANNEL", str(channel.id))
    return to_html(filled, discord.world, guild)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("<@ALICE>", '<span class="mention">@alice</span>'),
        ("<@&ROLE>", '<span class="mention">@VI&lt;P&gt;</span>'),
        ("<#CHANNEL>", '<span class="mention">#lounge</span>'),
        ("<@1>", '<span class="mention">@unknown-user</span>'),
        ("**a <b>**", "<strong>a &lt;b&gt;</strong>"),
        ("`**x**`", "<code>**x**</code>"),
        (r"\*\*x\*\*", "**x**"),
        ("one\ntwo", "one<br>two"),
        ("<t:99999999999:F>", '<time datetime="5138-11-16T09:46:39+00:00">Wed 16 Nov 5138 09:46</time>'),
    ],
)
def test_markup_becomes_safe_html(discord: LocalDiscord, text: str, html: str) -> None:
    assert shown(discord, text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a* _b_ snake_case_name", "<em>a</em> <em>b</em> snake_case_name"),
        ("__a__ ~~b~~", "<u>a</u> <s>b</s>"),
        ("||a||", '<span class="spoiler">a</span>'),
        (
            "[a <b>](https://x.example/?a&b)",
            '<a href="https://x.example/?a&amp;b" rel="noreferrer">a &lt;b&gt;</a>',
        ),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
        ("see https://x.example/a.", 'see <a href="https://x.example/a" rel="noreferrer">https://x.example/a</a>.'),
        ("```py\n<b>\n```", '<code class="block">&lt;b&gt;</code>'),
        ("</plan create:12> <:door:34>", '<span class="mention">/plan create</span> :door:'),
        ("2 * 3 * 4", "2 * 3 * 4"),
    ],
)
def test_the_rest_of_the_markup_is_safe_too(discord: LocalDiscord, text: str, html: str) -> None:
    assert shown(discord, text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A\n## B\n### C", '<p class="md-h1">A</p><p class="md-h2">B</p><p class="md-h3">C</p>'),
        ("-# small\n> said", '<p class="md-sub">small</p><p class="md-quote">said</p>'),
        ("a\nb\n- c\n1. d", '<p>a<br>b</p><p class="md-item">c</p><p class="md-number">1. d</p>'),
        ("```\n# no heading\n```", '<p><code class="block"># no heading</code></p>'),
        ("#channel -5", "<p>#channel -5</p>"),
    ],
)
def test_lines_become_headings_lists_and_quotes(discord: LocalDiscord, text: str, html: str) -> None:
    guild = discord.create_guild("Guild", owner=discord.create_user("alice"))
    assert to_blocks(text, discord.world, guild) == html


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(days=12), "in 12 days"),
        (timedelta(hours=-3), "3 hours ago"),
        (timedelta(days=1), "in 1 day"),
        (timedelta(), "now"),
    ],
)
def test_a_distance_is_said_in_words(away: timedelta, words: str) -> None:
    assert distance(NOW + away, NOW) == words


def test_moments_are_written_in_the_reader_s_language(discord: LocalDiscord) -> None:
    guild = discord.create_guild("Guild", owner=discord.create_user("alice"))
    seconds = int((NOW + timedelta(days=12)).timestamp())
    text = to_html(f"**<t:{seconds}:D> (<t:{seconds}:R>)**", discord.world, guild, language="it")
    assert ">3 dicembre 2026<" in text
    assert "tra 12 giorni" in text


def test_the_link_and_the_code_are_found_in_a_mail() -> None:
    text = "Connect: http://127.0.0.1:8081/connect/ab-C_9\nor type !claim K7QF-2M9X-4TRW-8HNB there."
    assert connect_link(text) == "http://127.0.0.1:8081/connect/ab-C_9"
    assert claim_code(text) == "K7QF-2M9X-4TRW-8HNB"


def test_a_mail_without_link_and_code_has_none() -> None:
    assert connect_link("Your VIP has ended") is None
    assert claim_code("Your VIP has ended") is None
