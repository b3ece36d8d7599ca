"""How the command line speaks: Chinese first, English beside it; errors say what to do; settings are read once."""

import sys
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from avow.service.settings import Settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def fail(zh: str, en: str, status: int = 2) -> NoReturn:
    """Say what is wrong and end; 1 is a verdict, 2 means the command could not do its work."""
    err.print(f"[red]✗[/red] {zh}\n  {en}", soft_wrap=True)
    raise typer.Exit(status)


def read_settings(**overrides: object) -> Settings:
    """The settings in force; ends the command where a variable is not understood."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        names = ", ".join(sorted({f"AVOW_{str(fault['loc'][0]).upper()}" for fault in error.errors()}))
        fail(
            f"设置有误：{names}。",
            f"Settings not understood: {names}. Correct or unset them; `avow doctor` lists them.",
        )


def at_a_terminal() -> bool:
    """Whether a person is watching and can press Ctrl-C."""
    return sys.stdin.isatty() and sys.stdout.isatty()
