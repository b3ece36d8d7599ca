"""The command line: `avow up`, `demo`, `verify`, `explain`, `asof`, `diff`, `rebuild`, `doctor`, `prepare`,
`org`, `bus`, `dead`, `backup`, `keys`, `restore`, `contracts`, `subscriber`.

`--json` on each; the exit status is the verdict.
"""

import typer

from avow.cli.asof import asof, diff
from avow.cli.backup import backup, restore
from avow.cli.bus import bus
from avow.cli.contracts import contracts
from avow.cli.dead import dead
from avow.cli.demo import demo
from avow.cli.doctor import doctor
from avow.cli.explain import explain
from avow.cli.keys import keys
from avow.cli.org import org
from avow.cli.prepare import prepare
from avow.cli.rebuild import rebuild
from avow.cli.subscriber import subscriber
from avow.cli.up import up
from avow.cli.verify import verify

app = typer.Typer(
    name="avow",
    help="明诺：公开承诺、推进会议、群众评议、评选表彰，件件有据。\n\n"
    "Public pledges, meetings about them, reviews by those they serve, commendations on evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
for command in (up, demo, verify, asof, diff, rebuild, doctor, prepare, backup, restore):
    app.command()(command)
for group in (org, bus, dead, subscriber, keys, explain, contracts):
    app.add_typer(group)


def main() -> None:
    """The `avow` command."""
    app()
