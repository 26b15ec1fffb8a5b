"""What can be broken in the student management system that annoys more than it stops: pages, help, mail."""

from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.network import MailServer, Site
from console.practice.simulated.world import World


def _lose_script(world: World) -> None:
    """A release whose build left the script out: the server sends the start page in its place."""
    world.network.sites[world.config.links["asset_script"]] = Site(body="<!doctype html><title>SMS</title>")


def _change_nothing(world: World) -> None:
    """What is wrong is in somebody's browser, where no server sees it."""


def _break_style(world: World) -> None:
    """The style sheet comes, and says the wrong things."""
    style = world.config.links["asset_style"]
    world.network.sites[style] = Site(headers={"content-type": "text/css"}, body="body { width: 12px } .button { float: left")


def _unpublish(world: World) -> None:
    del world.network.sites[world.config.links["help_grades"]]


def _stop_pages(world: World) -> None:
    world.role("pages").stop(world.now)


def _move_pages(world: World) -> None:
    for name in ("help_grades", "help_attendance"):
        url = world.config.links[name]
        headers = {"location": url.replace("127.0.0.1", "docs.example.org"), "content-type": "text/html"}
        world.network.sites[url] = Site(301, headers, "<h1>301 Moved Permanently</h1>")


def _unset_mail(world: World) -> None:
    """A deployment without the mail settings."""
    for name in ("SMTP_HOST", "SMTP_PASSWORD"):
        world.role("backend").environment.pop(name)


def _mail(world: World) -> MailServer:
    (server,) = world.network.mail.values()
    return server


def _stop_mail(world: World) -> None:
    _mail(world).down = "refused"


def _start_mail(world: World) -> None:
    _mail(world).down = ""


def _change_mail_password(world: World) -> None:
    server = _mail(world)
    server.users = dict.fromkeys(server.users, "another-one")


def _change_mail_password_back(world: World) -> None:
    server = _mail(world)
    server.users = dict.fromkeys(server.users, world.role("backend").environment["SMTP_PASSWORD"])


def _forbid_sender(world: World) -> None:
    _mail(world).senders = {"office@studentmanagement.local"}


FAULTS: dict[str, Fault] = {
    "sms.l1.asset-missing": Fault(600, _lose_script, answers={"private-window": "broken", "other-browser": "broken"}),
    "sms.l1.browser-cache": Fault(600, _change_nothing, answers={"private-window": "right"}),
    "sms.l1.regression": Fault(600, _break_style, answers={"private-window": "broken", "other-browser": "broken"}),
    "sms.l2.not-deployed": Fault(600, _unpublish),
    "sms.l2.server-down": Fault(600, _stop_pages),
    "sms.l2.moved": Fault(600, _move_pages),
    "sms.l3.smtp-unset": Fault(600, _unset_mail),
    "sms.l3.smtp-unreachable": Fault(600, _stop_mail, undo=_start_mail),
    "sms.l3.smtp-login-refused": Fault(600, _change_mail_password, undo=_change_mail_password_back),
    "sms.l3.sender-not-allowed": Fault(600, _forbid_sender),
}
