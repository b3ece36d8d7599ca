"""What keeps a backup from being made or restored; every code has its text in Chinese and English."""

from functools import cache

from avow.web.catalogue import Catalogue, Message

MESSAGES = ("avow.backup", "messages.toml")


class Unfit(Exception):
    """A backup that cannot be made or restored as things are; nothing was left half done."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def message(self) -> Message:
        """What is wrong and what to do, in both languages."""
        return catalogue().message(self.code, self.params)


@cache
def catalogue() -> Catalogue:
    """The texts of every such code."""
    return Catalogue.load(MESSAGES)
