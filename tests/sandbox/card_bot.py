"""A bot that shows everything Discord has: a card of all components, forms of all fields, options of all kinds.

For the tests of the local Discord and of the page that renders it; Doorlist's own commands have their own tests.
"""

from __future__ import annotations

import io

import discord
from discord import app_commands, ui
from discord.ext import commands

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (120).to_bytes(4) + (80).to_bytes(4) + b"\x08\x06\0\0\0"

PRODUCTS = ("VIP", "Pass")


def a_card(count: int, *, note: str = "A picture") -> ui.LayoutView:
    """Every component that a message can have."""
    view = ui.LayoutView(timeout=None)
    more: ui.Button[ui.LayoutView] = ui.Button(label="More", custom_id=f"door:more:{count}")
    box: ui.Container[ui.LayoutView] = ui.Container(accent_color=0x3B46C4)
    box.add_item(ui.TextDisplay(f"## Plan {count}"))
    box.add_item(ui.Separator())
    box.add_item(ui.Section(ui.TextDisplay("Role @VIP"), accessory=more))
    box.add_item(ui.Section(ui.TextDisplay(note), accessory=ui.Thumbnail("https://example.com/a.png")))
    gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery()
    gallery.add_item(media="attachment://report.png", description="12 members")
    box.add_item(gallery)
    box.add_item(ui.File("attachment://members.csv"))
    view.add_item(box)
    row: ui.ActionRow[ui.LayoutView] = ui.ActionRow()
    row.add_item(ui.Button(label="Edit", custom_id="door:edit:7", style=discord.ButtonStyle.primary))
    row.add_item(ui.Button(label="Never", custom_id="door:never", disabled=True))
    row.add_item(ui.Button(label="Docs", url="https://example.com/docs"))
    view.add_item(row)
    for item in (
        ui.Select[ui.LayoutView](
            custom_id="door:product", placeholder="Products", min_values=0, max_values=2,
            options=[discord.SelectOption(label=name, value=f"p:{name}", default=name == "VIP") for name in PRODUCTS],
        ),
        ui.UserSelect[ui.LayoutView](custom_id="door:user"),
        ui.RoleSelect[ui.LayoutView](custom_id="door:role", max_values=3),
        ui.MentionableSelect[ui.LayoutView](custom_id="door:anyone", max_values=2),
        ui.ChannelSelect[ui.LayoutView](custom_id="door:channel", channel_types=[discord.ChannelType.text]),
    ):  # fmt: skip
        view.add_item(ui.ActionRow(item))
    return view


def a_form() -> ui.Modal:
    """Every component that a form can have."""
    form = ui.Modal(title="Plan", custom_id="door:form:7")
    form.add_item(ui.TextDisplay("What is sold?"))
    form.add_item(ui.Label(text="Name", component=ui.TextInput(custom_id="name", default="VIP", max_length=40)))
    form.add_item(ui.Label(text="Roles", component=ui.RoleSelect(custom_id="roles", max_values=2, required=False)))
    ends = ui.RadioGroup[ui.View](custom_id="end")
    ends.add_option(label="Remove the role", value="remove", default=True)
    ends.add_option(label="Keep it", value="keep")
    form.add_item(ui.Label(text="When it ends", component=ends))
    form.add_item(ui.Label(text="File", component=ui.FileUpload(custom_id="file", required=False)))
    return form


def another_form() -> ui.Modal:
    form = ui.Modal(title="More", custom_id="door:form:8")
    days = ui.CheckboxGroup[ui.View](custom_id="days", min_values=0, max_values=2, required=False)
    days.add_option(label="Monday", value="mon", default=True)
    days.add_option(label="Friday", value="fri")
    form.add_item(ui.Label(text="Days", component=days))
    form.add_item(ui.Label(text="Tell them", component=ui.Checkbox(custom_id="tell", default=True)))
    form.add_item(ui.Label(text="Who", component=ui.UserSelect(custom_id="who", required=False)))
    form.add_item(ui.Label(text="Where", component=ui.ChannelSelect(custom_id="where", required=False)))
    text = ui.TextInput[ui.View](custom_id="note", style=discord.TextStyle.paragraph, required=False)
    form.add_item(ui.Label(text="Note", description="Shown to staff", component=text))
    return form


def files() -> list[discord.File]:
    return [
        discord.File(io.BytesIO(PNG), "report.png", description="A chart: 12 members"),
        discord.File(io.BytesIO(b"id,mail\n1,a"), "members.csv"),
    ]


async def on_click(interaction: discord.Interaction) -> None:
    if interaction.type not in (discord.InteractionType.component, discord.InteractionType.modal_submit):
        return
    data: dict[str, object] = dict(interaction.data or {})
    custom_id = str(data["custom_id"])
    if custom_id.startswith("door:more"):
        await interaction.response.defer()
        await interaction.edit_original_response(view=a_card(int(custom_id.rpartition(":")[2]) + 1))
    elif custom_id == "door:edit:7":
        await interaction.response.send_modal(a_form())
    elif custom_id == "door:edit:8":
        await interaction.response.send_modal(another_form())
    elif interaction.type is discord.InteractionType.modal_submit and interaction.message:
        await interaction.response.defer()
        await interaction.edit_original_response(view=a_card(100, note=repr(_fields(data))))
    else:
        may = interaction.permissions.manage_roles
        told = f"{custom_id} {data.get('values')} {sorted(dict(data.get('resolved') or {}))} {may}"  # type: ignore[call-overload]
        await interaction.response.send_message(told, ephemeral=True)


def _fields(data: dict[str, object]) -> dict[str, object]:
    inner = [each["component"] for each in data["components"] if "component" in each]  # type: ignore[attr-defined]
    return {each["custom_id"]: each.get("values", each.get("value")) for each in inner}


class Italian(app_commands.Translator):
    """Knows one word."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """Translate the name of one command."""
        is_known = locale is discord.Locale.italian and string.message == "find"
        return "cerca" if is_known else None


def with_commands(bot: commands.Bot) -> None:
    """Give a bot all of it."""
    bot.add_listener(on_click, "on_interaction")

    @bot.tree.command(description="Show a card")
    async def card(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(view=a_card(1), attachments=files())

    @bot.tree.command(description="Choose in many ways")
    @app_commands.default_permissions(manage_roles=True)
    @app_commands.choices(mode=[app_commands.Choice(name="Fast", value="fast")])
    async def many(
        interaction: discord.Interaction,
        who: discord.Member,
        days: app_commands.Range[int, 1, 30],
        mode: str,
        anyone: discord.Member | discord.Role | None = None,
        where: discord.TextChannel | None = None,
        loud: bool = False,
        file: discord.Attachment | None = None,
    ) -> None:
        content = (await file.read()).decode() if file else "-"
        languages = f"{interaction.locale} {interaction.guild_locale}"
        told = f"{who.name} {days} {mode} {anyone} {where} {loud} {content} {languages}"
        await interaction.response.send_message(told, ephemeral=True)

    @bot.tree.command(name=app_commands.locale_str("find"), description="Find a plan")
    async def find(interaction: discord.Interaction, plan: str) -> None:
        await interaction.response.send_message(f"found {plan}", ephemeral=True)

    @find.autocomplete("plan")
    async def plans(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current} {each}", value=f"id:{each}") for each in ("monthly", "yearly")]

    @bot.tree.context_menu(name="Membership")
    async def membership(interaction: discord.Interaction, member: discord.Member) -> None:
        await interaction.response.send_message(f"{member.name} in {len(member.roles)}", ephemeral=True)
