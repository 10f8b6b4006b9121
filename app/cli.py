"""The command line: what each command is called, takes and answers with. The work is done elsewhere.

Exit codes: 0 fine, 1 found problems, 2 wrong use or configuration, 3 cannot reach something, 4 needs a decision,
130 interrupted. Commands import what they run when they run, so that `version` answers at once.
"""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.settings import Loaded

ROOT = Path(__file__).resolve().parent.parent
# Tests over the wire wait for each other's clocks now and then: half as many workers again as processors fill the gaps.
WORKERS = (os.cpu_count() or 2) * 3 // 2
WHOLE_SUITE = ["-n", str(WORKERS), "--dist", "loadfile"]
HINT = "python3 bot.py config example        shows every setting with its default"


class Doorlist(click.Group):
    """The command group whose failures are a few plain lines, never a traceback."""

    def invoke(self, context: click.Context) -> object:
        """Run the command. A wrong configuration exits with 2."""
        from app.sources import SettingsError

        try:
            return super().invoke(context)
        except SettingsError as error:
            for problem in error.problems:
                click.echo(f"✗ {problem}", err=True)
            click.echo(f"  {HINT}", err=True)
            context.exit(2)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code. Click itself exits with 1 after Ctrl+C; we say 130."""
    try:
        code = doorlist.main(arguments, prog_name="bot.py", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    return code if isinstance(code, int) else 0


@click.group(cls=Doorlist, invoke_without_command=True)
@click.option("--config", type=click.Path(path_type=Path), help="Read this file instead of config.toml.")
@click.option("--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE", help="Set one setting; repeatable.")
@click.pass_context
def doorlist(context: click.Context, config: Path | None, assignments: tuple[str, ...]) -> object:
    """Paid membership for Discord that you host yourself. Without a command: run."""
    context.obj = (config, assignments)
    return context.invoke(run) if context.invoked_subcommand is None else None


def _load(context: click.Context) -> Loaded:
    from app.settings import default_sources, load_settings

    config, assignments = context.obj
    return load_settings(default_sources(config_file=config, assignments=assignments))


@doorlist.command()
@click.pass_context
def run(context: click.Context) -> int:
    """Run bot, web server and jobs; the sandbox when nothing is configured."""
    settings = _load(context).settings
    from app.run import run_process

    return run_process(settings)


@doorlist.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> int:
    """Run the tests, on all processors; arguments go to pytest instead."""
    try:
        import pytest
    except ModuleNotFoundError:
        raise click.UsageError("the test packages are missing; write `test` first: python3 bot.py test") from None
    os.chdir(ROOT)
    return int(pytest.main(list(arguments) or WHOLE_SUITE))


@doorlist.group()
def sandbox() -> None:
    """Help with the sandbox."""


@sandbox.command()
def tour() -> int:
    """Play buy, mail, connect, role, cancel, role gone, and print a tick for each step."""
    from app.tour import play_tour

    return play_tour()


@sandbox.command()
def reset() -> int:
    """Delete the sandbox's data, so that the next start begins anew."""
    from app.tour import reset_sandbox

    return reset_sandbox()


@doorlist.group()
def plan() -> None:
    """Make and show plans: which product gives which roles."""


@plan.command("create")
@click.argument("name")
@click.option("--guild", type=int, required=True, help="The server's id.")
@click.option("--role", "roles", type=int, multiple=True, help="A role's id; repeatable. None: membership alone.")
@click.option("--product", "products", multiple=True, help="A product's id at the provider; repeatable.")
@click.pass_context
def plan_create(
    context: click.Context, name: str, guild: int, roles: tuple[int, ...], products: tuple[str, ...]
) -> int:
    """Make the plan NAME."""
    settings = _load(context).settings
    from app.plans import create_plan

    return create_plan(settings, name=name, guild_id=guild, role_ids=roles, product_ids=products)


@plan.command("list")
@click.pass_context
def plan_list(context: click.Context) -> int:
    """List all plans."""
    settings = _load(context).settings
    from app.plans import list_plans

    return list_plans(settings)


@plan.command("show")
@click.argument("name")
@click.pass_context
def plan_show(context: click.Context, name: str) -> int:
    """Show the plan NAME with its roles, products and rules."""
    settings = _load(context).settings
    from app.plans import show_plan

    return show_plan(settings, name)


@plan.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def plan_apply(context: click.Context, file: Path) -> int:
    """Make the plans be as FILE (TOML) says; docs/plans.md shows one."""
    settings = _load(context).settings
    from app.plans import apply_plans

    return apply_plans(settings, file)


@doorlist.group()
def server() -> None:
    """See which servers ask to be let in, and decide."""


@server.command("list")
@click.pass_context
def server_list(context: click.Context) -> int:
    """List every server that the bot is or was in."""
    settings = _load(context).settings
    from app.servers import list_servers

    return list_servers(settings)


@server.command("approve")
@click.argument("guild", type=int, metavar="ID")
@click.pass_context
def server_approve(context: click.Context, guild: int) -> int:
    """Let the server ID in: its managers can sell what your accounts sell."""
    settings = _load(context).settings
    from app.servers import approve

    return approve(settings, guild)


@server.command("remove")
@click.argument("guild", type=int, metavar="ID")
@click.pass_context
def server_remove(context: click.Context, guild: int) -> int:
    """Stop working for the server ID. Nothing is taken from anybody."""
    settings = _load(context).settings
    from app.servers import remove

    return remove(settings, guild)


@doorlist.command("admin-link")
@click.option("--as", "user", type=int, metavar="USER", help="A Discord user's id: the link serves them alone.")
@click.pass_context
def admin_link(context: click.Context, user: int | None) -> int:
    """Print a link that makes whoever opens it an operator: once, within five minutes."""
    settings = _load(context).settings
    from app.admin_link import print_link

    return print_link(settings, user)


@doorlist.group()
def brake() -> None:
    """See and decide removals that wait for a person."""


@brake.command("list")
@click.pass_context
def brake_list(context: click.Context) -> int:
    """List what is held."""
    settings = _load(context).settings
    from app.brake import list_held

    return list_held(settings)


@brake.command("release")
@click.argument("batch", type=int)
@click.argument("set_hash", metavar="SET")
@click.pass_context
def brake_release(context: click.Context, batch: int, set_hash: str) -> int:
    """Let the removals of BATCH go on; SET names the list you saw, and a changed one is refused."""
    settings = _load(context).settings
    from app.brake import release

    return release(settings, batch, set_hash)


@brake.command("discard")
@click.argument("batch", type=int)
@click.argument("set_hash", metavar="SET")
@click.pass_context
def brake_discard(context: click.Context, batch: int, set_hash: str) -> int:
    """Keep the access of everybody in BATCH; SET names the list you saw."""
    settings = _load(context).settings
    from app.brake import discard

    return discard(settings, batch, set_hash)


@doorlist.group()
def mail() -> None:
    """Look at mails, and see whether they leave this machine."""


@mail.command("preview")
@click.argument("name")
@click.option("--lang", "language", default="en", show_default=True, help="The language: en, it.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=Path("data/mail-previews"))
@click.pass_context
def mail_preview(context: click.Context, name: str, language: str, folder: Path) -> int:
    """Write the mail NAME with made-up facts into a folder, and print its text."""
    settings = _load(context).settings
    from app.mail import preview

    return preview(settings, name, language, folder)


@mail.command("test")
@click.argument("address")
@click.pass_context
def mail_test(context: click.Context, address: str) -> int:
    """Send a test mail to ADDRESS."""
    settings = _load(context).settings
    from app.mail import send_test

    return send_test(settings, address)


@doorlist.command()
@click.argument("areas", nargs=-1, metavar="[AREA]...")
@click.option("--fix", is_flag=True, help="Offer to repair what can be repaired, one by one.")
@click.option("--yes", is_flag=True, help="With --fix: repair without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(context: click.Context, areas: tuple[str, ...], fix: bool, yes: bool, as_json: bool) -> int:
    """Look for everything that could be wrong, and say what to do; only some AREAs where they are named."""
    from app.doctor import Wish, areas_named, run_doctor
    from app.settings import default_sources
    from app.sources import SettingsError

    if fix and as_json:
        raise click.UsageError("--fix asks and tells, --json only tells: use one of them")
    wish = Wish(areas=areas_named(areas), wants_repair=fix, is_sure=yes, wants_json=as_json)
    config_file = default_sources(config_file=context.obj[0]).config_file
    try:
        return run_doctor(_load(context), config_file, wish)
    except SettingsError as error:
        return run_doctor(error, config_file, wish)


@doorlist.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(name: str, arguments: tuple[str, ...]) -> int:
    """Run the benchmark NAME and print its numbers in one last line."""
    from bench import run as run_bench

    return run_bench(name, arguments)


@doorlist.group()
def config() -> None:
    """Look at the configuration."""


@config.command("example")
def config_example() -> None:
    """Print every setting with its default, as config.example.toml."""
    from app.config_text import example

    click.echo(example(), nl=False)


@config.command("show")
@click.pass_context
def config_show(context: click.Context) -> None:
    """Print the values in force and where each one comes from; secrets stay hidden."""
    from app.config_text import effective

    for line in effective(_load(context)):
        click.echo(line)


@config.command("check")
@click.pass_context
def config_check(context: click.Context) -> None:
    """Read the configuration and say whether it is in order."""
    loaded = _load(context)
    click.echo(f"✓ {len(loaded.origins)} settings differ from the defaults, mode {loaded.settings.mode}.")


@doorlist.command()
def version() -> None:
    """Print the version."""
    click.echo(f"doorlist {project_version()} (Python {sys.version.partition(' ')[0]})")


def project_version() -> str:
    """Return the version that pyproject.toml names."""
    project: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project["version"]
