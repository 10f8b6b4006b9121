"""How customers come in: by mail (a link, or a code for this browser) or with Discord; and out again. No passwords.

The page after asking for a mail is the same for every address, whoever has bought something and whoever has not.
"""

from __future__ import annotations

from aiohttp import web
from yarl import URL

from membership import mail_sign_in, sign_ins
from membership.browsing import Person
from membership.errors import UserError
from membership.sign_ins import LIVES, Proven
from web import browser, outcomes, sign_in
from web.clients import FailureLimit, client_address
from web.devices import device_of
from web.discord_login import AS_CUSTOMER
from web.pages import PARTS, page
from web.sign_in import Attempt
from web.site import CUSTOMER_DOOR, Site
from web.speaking import words_of
from web.visits import CustomerVisit, Visit, cookie_of, forget_sign_in, own_path, set_sign_in

PURPOSE = "portal"
CODE_PATH = f"{CUSTOMER_DOOR}/code"
DISCORD_PATH = f"{CUSTOMER_DOOR}/discord"
WAITING = "mail-code"
"""The cookie that ties a code to the browser that asked for it."""

ASKED = web.AppKey("sign_in_mails_asked", FailureLimit)
_MOST_ASKED = "20/hour"
_LONGEST_TOKEN = 200


def install(site: Site) -> None:
    """Register the pages; the fixed paths come first, so that no token can be called "code"."""
    site.app[ASKED] = FailureLimit(_MOST_ASKED)
    sign_in.add_flow(site.app, PURPOSE, come_back)
    site.public.get(CUSTOMER_DOOR, show_door)
    site.public.post(CUSTOMER_DOOR, ask)
    site.public.get(CODE_PATH, show_code)
    site.public.post(CODE_PATH, enter_code)
    site.public.post(DISCORD_PATH, leave)
    site.public.get(f"{CUSTOMER_DOOR}/{{token}}", show_link)
    site.public.post(f"{CUSTOMER_DOOR}/{{token}}", use_link)
    site.customer.post("/portal/sign-out", sign_out)


async def show_door(visit: Visit) -> web.Response:
    """Offer both ways in."""
    return _door(visit, back=_inside(visit.query("back")))


async def ask(visit: Visit) -> web.Response:
    """Let a mail be sent, if the address is a customer's; say the same in any case."""
    form = await visit.form()
    email, back = form.text("email"), _inside(form.text("back"))
    if not visit.services.mailer.is_configured:
        return _door(visit, back=back, status=422)
    settings = visit.parts.settings
    if not await visit.request.app[ASKED].count(client_address(visit.request, settings.trusted_proxies)):
        raise web.HTTPTooManyRequests
    try:
        asked = await mail_sign_in.ask(visit.services, email, language=visit.words.locale)
    except UserError:
        flaw = visit.words.say("Write an e-mail address, such as ada@example.com.")
        return _door(visit, back=back, email=email, flaw=flaw, status=422)
    if asked.wait_until is not None:
        until = visit.words.moment(asked.wait_until, visit.zone)
        flaw = visit.words.say("Too many mails were asked for at this address. Wait until {until} (UTC).", until=until)
        return _door(visit, back=back, email=email, flaw=flaw, status=429)
    response = sign_in.redirect(_with_back(CODE_PATH, back))
    browser.set_key(response, visit.parts, WAITING, asked.key, life=mail_sign_in.LIFE)
    return response


async def show_code(visit: Visit) -> web.Response:
    """Ask for the code from the mail."""
    email = await mail_sign_in.awaited(visit.services, _waiting_key(visit))
    return _code_page(visit, email, back=_inside(visit.query("back")))


async def enter_code(visit: Visit) -> web.Response:
    """Sign in whoever types the code into the browser that asked for it."""
    form = await visit.form()
    key, back = _waiting_key(visit), _inside(form.text("back"))
    email = await mail_sign_in.awaited(visit.services, key)
    entered = await mail_sign_in.enter_code(visit.services, key, form.text("code"))
    if entered.email:
        return await _begin(visit.request, Proven(email=entered.email, name=entered.email), back)
    await sign_in.count_failure(visit.request)
    if not entered.tries_left:
        return _code_page(visit, "", back=back, status=422)
    flaw = visit.words.count(
        "That is not the code. One try is left.",
        "That is not the code. {number} tries are left.",
        entered.tries_left,
    )
    return _code_page(visit, email, back=back, flaw=flaw, status=422)


async def show_link(visit: Visit) -> web.Response:
    """Say what the button does. Spends nothing: mail scanners open links (threats O08)."""
    email = await mail_sign_in.look_at_link(visit.services, _token(visit))
    if not email:
        await sign_in.count_failure(visit.request)
    return visit.page("portal/link.html", email=email, status=200 if email else 404)


async def use_link(visit: Visit) -> web.Response:
    """Sign in whoever reads the mail, in whichever browser."""
    email = await mail_sign_in.use_link(visit.services, _token(visit))
    if not email:
        await sign_in.count_failure(visit.request)
        return visit.page("portal/link.html", email="", status=404)
    return await _begin(visit.request, Proven(email=email, name=email), "/portal")


async def leave(visit: Visit) -> web.Response:
    """Send a customer to Discord."""
    back = _inside((await visit.form()).text("back"))
    return await sign_in.start(visit.request, PURPOSE, {"back": back}, CUSTOMER_DOOR, consent=AS_CUSTOMER)


async def come_back(request: web.Request, attempt: Attempt) -> web.Response:
    """Sign in whoever Discord says it is. An address that Discord calls verified counts where the policy lets it."""
    parts = request.app[PARTS]
    if attempt.signed_in is None:
        notice = outcomes.stopped(words_of(request), attempt.stopped_by, text=attempt.text, back=attempt.back)
        return page(request, "notice.html", {"notice": notice}, status=notice.status)
    user = attempt.signed_in.user
    email = user.email if parts.services.policy.link_by_verified_email else ""
    proven = Proven(user_id=user.user_id, email=email, name=user.handle)
    return await _begin(request, proven, str(attempt.content["back"]))


async def sign_out(visit: CustomerVisit) -> web.Response:
    """End the sign-in of this browser."""
    await sign_ins.end(visit.services, visit.sign_in, visit.sign_in.id)
    response = await visit.go(CUSTOMER_DOOR, say=visit.words.say("You are signed out."))
    forget_sign_in(response, visit.parts, Person.CUSTOMER)
    return response


async def sign_in_as(request: web.Request, response: web.StreamResponse, proven: Proven) -> None:
    """Sign the browser in with a new key, in the place of whoever was before."""
    parts = request.app[PARTS]
    key = browser.key_of(request, parts, cookie_of(Person.CUSTOMER))
    old = await sign_ins.recognise(parts.services, Person.CUSTOMER, key)
    if old is not None:
        await sign_ins.end(parts.services, old, old.id)
    key = await sign_ins.begin(parts.services, Person.CUSTOMER, proven, device_of(request))
    set_sign_in(response, parts, Person.CUSTOMER, key, LIVES[Person.CUSTOMER].longest)


async def _begin(request: web.Request, proven: Proven, back: str) -> web.Response:
    response = sign_in.redirect(_inside(back))
    await sign_in_as(request, response, proven)
    browser.set_key(response, request.app[PARTS], WAITING, "", life=mail_sign_in.LIFE * 0)
    return response


def _door(visit: Visit, *, back: str, email: str = "", flaw: str = "", status: int = 200) -> web.Response:
    return visit.page(
        "portal/sign_in.html",
        status=status,
        back=back,
        email=email,
        errors={"email": flaw} if flaw else {},
        can_mail=visit.services.mailer.is_configured,
    )


def _code_page(visit: Visit, email: str, *, back: str, flaw: str = "", status: int = 200) -> web.Response:
    errors = {"code": flaw} if flaw else {}
    return visit.page("portal/code.html", status=status, email=email, back=back, errors=errors)


def _waiting_key(visit: Visit) -> str:
    return browser.key_of(visit.request, visit.parts, WAITING)


def _token(visit: Visit) -> str:
    return visit.path("token")[:_LONGEST_TOKEN]


def _inside(back: str) -> str:
    """Return where to go after the sign-in: a path of ours, else the memberships."""
    path = own_path(back)
    return "/portal" if path == "/" else path


def _with_back(path: str, back: str) -> str:
    return str(URL(path).with_query(back=back))
