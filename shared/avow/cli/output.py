"""How the command line speaks: Chinese first, English beside it; errors say what to do; settings are read once."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from avow.backup.problem import Unfit
from avow.eventlog.database import AWAY
from avow.eventlog.tables import Unguarded
from avow.service.settings import Settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def fail(zh: str, en: str, status: int = 2) -> NoReturn:
    """Say what is wrong and end; 1 is a verdict, 2 means the command could not do its work."""
    err.print(f"[red]✗[/red] {escape(zh)}\n  {escape(en)}", soft_wrap=True)
    raise typer.Exit(status)


def read_settings(**overrides: object) -> Settings:
    """The settings in force; ends the command where a variable is not understood, or is none of ours."""
    known = {f"AVOW_{name.upper()}" for name in Settings.model_fields}
    if unknown := sorted(name for name in os.environ if name.startswith("AVOW_") and name not in known):
        fail(
            f"没有这样的设置：{', '.join(unknown)}。",
            f"No such settings: {', '.join(unknown)}. There are: {', '.join(sorted(known))}.",
        )
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        why = {f"AVOW_{str(fault['loc'][0]).upper()}": fault["msg"] for fault in error.errors(include_input=False)}
        fail(
            f"设置有误：{', '.join(why)}。",
            f"Settings not understood: {'; '.join(f'{name} ({said})' for name, said in why.items())}. "
            "Correct or unset them.",
        )


@contextmanager
def needing_the_databases() -> Iterator[None]:
    """End the command where a database, or the folder it lies in, does not let it do its work."""
    try:
        yield
    except Unguarded:
        fail(
            "日志表归另一账户所有，而其防改触发器不在或已停用；请以所有者身份运行 avow prepare。",
            "The log's table belongs to another account, and the triggers that guard it are missing or switched off. "
            "Run `avow prepare` as its owner.",
        )
    except (SQLAlchemyError, *AWAY) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__
        fail(
            f"数据库不可用：{reason}。",
            f"The database cannot be used: {reason}. `avow doctor` says what is in force.",
        )


@contextmanager
def saying_what_is_unfit() -> Iterator[None]:
    """End the command where a backup cannot be made or restored."""
    try:
        yield
    except Unfit as unfit:
        message = unfit.message()
        fail(f"{message.zh}{message.todo_zh}", f"{message.en} {message.todo_en}")


def at_a_terminal() -> bool:
    """Whether a person is watching and can press Ctrl-C."""
    return sys.stdin.isatty() and sys.stdout.isatty()
