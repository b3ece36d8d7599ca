"""The one composition root of the pledge service: everything is built here and handed down."""

from avow.contracts.catalogue import every_public_event
from avow.eventlog.database import open_database
from avow.kernel.ports import Ports
from avow.register.projection import Register
from avow.service.application import build_application
from avow.service.hosting import Hosted, Installed
from avow.service.service import Blueprint, Service
from avow.service.settings import Settings
from avow.web.catalogue import SHARED, Catalogue
from avow_pledge.domain import PRIVATE_EVENTS
from avow_pledge.http import routers
from avow_pledge.projections import PROJECTIONS
from avow_pledge.projections.obligation_calendar import ObligationCalendar
from avow_pledge.reactions import assess_ripe_rounds

BLUEPRINT = Blueprint(
    name="pledge",
    event_types=(*every_public_event(), *PRIVATE_EVENTS),
    projections=PROJECTIONS,
    facts_from=(Register.name, ObligationCalendar.name),
    chores=(assess_ripe_rounds,),
)


def build(settings: Settings, ports: Ports, token: str) -> Hosted:
    """The pledge service over its database, and the application it answers with."""
    database = open_database(settings.database_url(BLUEPRINT.name))
    built = Service(BLUEPRINT, database, ports, settings.orgs)
    catalogue = Catalogue.load(SHARED, ("avow.register", "messages.toml"), ("avow_pledge", "messages.toml"))
    app = build_application(built, routers, catalogue, "承诺 / Pledge", token, settings.metrics_token)
    return Hosted(built, app)


service = Installed(BLUEPRINT, build)
