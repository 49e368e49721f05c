"""Administration from a terminal: redeem tokens and people. Works on the data directory, also while it is served."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import sys
from collections.abc import Callable
from pathlib import Path

from jupyter_arkitekt import config
from jupyter_arkitekt.errors import ConfigError, PlatformError
from jupyter_arkitekt.server.db import Database
from jupyter_arkitekt.server.identity import Identity
from jupyter_arkitekt.server.identity._caller import IdentityError
from jupyter_arkitekt.server.settings import Settings


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs ``token`` and ``user``."""
    folder = argparse.ArgumentParser(add_help=False)
    folder.add_argument("--data-dir", type=Path, default=None, help="folder of the platform")
    token = subparsers.add_parser("token", help="redeem tokens: sign apps in without a browser")
    verbs = token.add_subparsers(dest="verb", required=True, metavar="VERB")
    create = verbs.add_parser("create", parents=[folder], help="print a new redeem token")
    create.add_argument("--user", help="whom apps act for; the owner when left out")
    create.add_argument("--uses", type=int, default=1, help="how many apps may redeem it (default: 1)")
    create.add_argument("--expires", type=float, metavar="SECONDS", help="how long it is good; for ever when left out")
    create.set_defaults(act=_token_create)
    listing = verbs.add_parser("list", parents=[folder], help="list the tokens that can still be redeemed")
    listing.set_defaults(act=_token_list)
    revoke = verbs.add_parser("revoke", parents=[folder], help="make a token worth nothing")
    revoke.add_argument("id", type=int, help="number in the list")
    revoke.set_defaults(act=_token_revoke)

    user = subparsers.add_parser("user", help="people who may sign in")
    verbs = user.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, act, text in (
        ("add", _user_add, "add a person; the password is asked for, or read from standard input"),
        ("passwd", _user_passwd, "give a person another password"),
        ("disable", _user_disable, "lock a person out, with all their apps"),
        ("enable", _user_enable, "let a person in again"),
    ):
        verb = verbs.add_parser(name, parents=[folder], help=text)
        verb.add_argument("name")
        verb.set_defaults(act=act)
    verbs.add_parser("list", parents=[folder], help="list the people").set_defaults(act=_user_list)


def administer(arguments: argparse.Namespace) -> None:
    """Do what `arguments` say.

    Raises
    ------
    PlatformError
        If it cannot be done; the message says why.
    """
    data_dir = arguments.data_dir or config.data_dir()
    try:
        config.private_dir(data_dir)
    except ConfigError as error:
        raise PlatformError(str(error)) from error
    settings = Settings(data_dir=data_dir.resolve())
    database = Database.open(settings)
    act: Callable[[Identity, argparse.Namespace], None] = arguments.act
    try:
        act(Identity(settings, database), arguments)
    except IdentityError as error:
        raise PlatformError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    finally:
        database.close()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _when(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _token_create(identity: Identity, arguments: argparse.Namespace) -> None:
    _say(identity.tokens.create(arguments.user, uses=arguments.uses, expires=arguments.expires))


def _token_list(identity: Identity, _arguments: argparse.Namespace) -> None:
    tokens = identity.tokens.all()
    for token in tokens:
        _say(f"{token.id}\t{token.username}\t{token.uses_left} uses left\texpires {_when(token.expires_at)}")
    if not tokens:
        _say("no tokens")


def _token_revoke(identity: Identity, arguments: argparse.Namespace) -> None:
    identity.tokens.revoke(arguments.id)
    _say(f"token {arguments.id} is worth nothing now")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise IdentityError("the two passwords differ; nothing was changed")
    return password


def _user_add(identity: Identity, arguments: argparse.Namespace) -> None:
    identity.users.add(arguments.name, _password())
    _say(f"{arguments.name} may sign in now")


def _user_passwd(identity: Identity, arguments: argparse.Namespace) -> None:
    identity.users.set_password(arguments.name, _password())
    _say(f"{arguments.name} has another password now")


def _user_list(identity: Identity, _arguments: argparse.Namespace) -> None:
    for user in identity.users.all():
        marks = [mark for mark, is_so in (("owner", user.owner), ("disabled", user.disabled)) if is_so]
        _say(f"{user.username}\tsince {_when(user.created_at)}\t{', '.join(marks)}".rstrip())


def _user_enable(identity: Identity, arguments: argparse.Namespace) -> None:
    identity.users.disable(arguments.name, disabled=False)
    _say(f"{arguments.name} may sign in again")


def _user_disable(identity: Identity, arguments: argparse.Namespace) -> None:
    identity.users.disable(arguments.name)
    _say(f"{arguments.name} is locked out now")
