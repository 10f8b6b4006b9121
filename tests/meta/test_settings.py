"""Where settings come from, which source wins, and what people are told when one is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from app.cli import main
from app.config_text import effective
from app.settings import ROOT, Loaded, load_settings
from app.sources import SettingsError, Sources


class Places:
    """The places settings are read from, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own, self.shared = folder / "secrets", folder / "shared"
        self.own.mkdir()
        self.shared.mkdir()

    def toml(self, text: str) -> None:
        (self.folder / "config.toml").write_text(text)

    def load(self, environment: Mapping[str, str] | None = None, assignments: Sequence[str] = ()) -> Loaded:
        sources = Sources(
            config_file=self.folder / "config.toml",
            own_secrets=self.own,
            shared_secrets=[self.shared],
            environment={"DOORLIST_DISCORD__TOKEN": "t", **(environment or {})},
            assignments=assignments,
        )
        return load_settings(sources)

    def problems(self, environment: Mapping[str, str] | None = None, assignments: Sequence[str] = ()) -> str:
        with pytest.raises(SettingsError) as refusal:
            self.load(environment, assignments)
        return "\n".join(refusal.value.problems)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_the_last_source_wins(places: Places) -> None:
    assert places.load().settings.web.host == "127.0.0.1"
    places.toml('[web]\nhost = "file"')
    assert places.load().settings.web.host == "file"
    (places.own / "web__host").write_text("own\n")
    assert places.load().settings.web.host == "own"
    (places.shared / "web__host").write_text("shared")
    assert places.load().settings.web.host == "shared"
    (places.folder / "named").write_text("named")
    name_of_a_file = {"DOORLIST_WEB__HOST_FILE": str(places.folder / "named")}
    assert places.load(name_of_a_file).settings.web.host == "named"
    variables = {**name_of_a_file, "DOORLIST_WEB__HOST": "variable"}
    assert places.load(variables).settings.web.host == "variable"
    assert places.load(variables, ["web.host=line"]).settings.web.host == "line"


def test_two_sources_fill_one_section(places: Places) -> None:
    places.toml("[web]\nport = 9000")
    web = places.load({"DOORLIST_WEB__HOST": "0.0.0.0"}).settings.web
    assert (web.host, web.port) == ("0.0.0.0", 9000)


def test_a_list_may_be_written_with_commas_or_as_json(places: Places) -> None:
    assert places.load(assignments=["policy.reminder_hours=2, 4"]).settings.policy.reminder_hours == (2, 4)
    assert places.load(assignments=["policy.reminder_hours=[3]"]).settings.policy.reminder_hours == (3,)


@pytest.mark.parametrize(
    ("environment", "assignments", "place"),
    [
        ({"DOORLIST_WEB__PROT": "1"}, [], "DOORLIST_WEB__PROT"),
        ({"DOORLIST_WEB__PROT_FILE": "/nowhere"}, [], "DOORLIST_WEB__PROT_FILE"),
        ({}, ["web.prot=1"], "--set web.prot"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(
    places: Places, environment: Mapping[str, str], assignments: Sequence[str], place: str
) -> None:
    problem = places.problems(environment, assignments)
    assert problem.startswith(f"{place}: there is no setting web.prot")
    assert problem.endswith("Did you mean web.port?")


def test_an_unknown_key_in_the_file_is_named_with_its_line(places: Places) -> None:
    places.toml('# mine\n[web]\nhost = "0.0.0.0"\nprot = 1\n')
    assert places.problems() == "config.toml line 4: there is no setting web.prot. Did you mean web.port?"


def test_a_wrong_value_in_the_file_is_named_with_its_line(places: Places) -> None:
    places.toml("[web]\n\nport = 70000\n")
    assert places.problems().startswith("config.toml line 3: web.port = 70000: should be less than or equal to 65535")


def test_a_file_that_is_not_toml_is_named_with_the_place(places: Places) -> None:
    places.toml("[web\n")
    assert places.problems().startswith("config.toml cannot be read: ")
    assert "line 1" in places.problems()


def test_an_unknown_secret_of_our_own_is_refused(places: Places) -> None:
    (places.own / "dicsord__token").write_text("x")
    assert places.problems().endswith("Did you mean discord.token?")


def test_a_strangers_secret_in_a_shared_folder_is_left_alone(places: Places) -> None:
    (places.shared / "postgres_password").write_text("x")
    assert "postgres_password" not in str(places.load().origins)


def test_a_wrong_number_in_the_policy_is_refused(places: Places) -> None:
    assert "code_days must not be negative" in places.problems({"DOORLIST_POLICY__CODE_DAYS": "-1"})


def test_a_refusal_never_shows_a_secret(places: Places) -> None:
    url = "mysql://me:hunter2@host/db"
    assert "hunter2" not in places.problems({"DOORLIST_DATABASE__URL": url})


def test_the_values_in_force_never_show_a_secret(places: Places) -> None:
    environment = {"DOORLIST_DISCORD__TOKEN": "hunter2", "DOORLIST_DATABASE__URL": "postgresql://me:hunter2@host/db"}
    text = "\n".join(effective(places.load(environment)))
    assert "hunter2" not in text
    assert "DOORLIST_DISCORD__TOKEN" in text


def test_nothing_configured_means_the_sandbox(places: Places) -> None:
    bare = Sources(config_file=places.folder / "config.toml", own_secrets=places.own)
    assert load_settings(bare).settings.is_sandbox


def test_a_token_means_live(places: Places) -> None:
    assert places.load().settings.mode == "live"


def test_a_lost_configuration_is_an_error_and_never_a_sandbox(places: Places) -> None:
    bare = Sources(
        config_file=places.folder / "config.toml", own_secrets=places.own, environment={"DOORLIST_MODE": "live"}
    )
    with pytest.raises(SettingsError, match=r"discord\.token is not set"):
        load_settings(bare)


def test_a_relative_database_lies_in_doorlists_folder(places: Places) -> None:
    assert places.load().settings.database.url == f"sqlite:///{ROOT / 'data/doorlist.db'}"


@pytest.mark.parametrize("url", ["http://gate.example.com", "https://gate.example.com/shop", "gate.example.com"])
def test_a_public_address_that_would_break_sign_in_is_refused(places: Places, url: str) -> None:
    assert "web.public_url" in places.problems({"DOORLIST_WEB__PUBLIC_URL": url})


def test_mail_never_travels_readable_to_another_machine(places: Places) -> None:
    environment = {"DOORLIST_MAIL__SMTP__TLS": "none", "DOORLIST_MAIL__SMTP__HOST": "mail.example.com"}
    assert 'tls = "none"' in places.problems(environment)


def test_a_wrong_configuration_exits_with_2_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "web.prot=1", "config", "check"]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("✗ --set web.prot: there is no setting web.prot. Did you mean web.port?\n")
    assert "config example" in shown.err
    assert "Traceback" not in shown.err


def test_an_unknown_command_exits_with_2() -> None:
    assert main(["nonsense"]) == 2
