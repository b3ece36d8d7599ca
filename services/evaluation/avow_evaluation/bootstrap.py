"""The one composition root of the evaluation service: everything is built here and handed down."""

from avow.contracts.catalogue import every_public_event
from avow.eventlog.database import open_database
from avow.kernel.ports import Ports
from avow.register.people import people_without_keys
from avow.register.projection import Register
from avow.service.application import build_application
from avow.service.hosting import Hosted, Installed
from avow.service.service import Blueprint, Service
from avow.service.settings import Settings
from avow.web.catalogue import SHARED, Catalogue
from avow_evaluation.domain import PRIVATE_EVENTS
from avow_evaluation.http import routers
from avow_evaluation.projections import PROJECTIONS
from avow_evaluation.projections.credentials import Credentials
from avow_evaluation.projections.evidence import Evidence
from avow_evaluation.reactions import report_open_rounds, settle_closed_rounds
from avow_evaluation.reading.explanation import explain_score

BLUEPRINT = Blueprint(
    name="evaluation",
    event_types=(*every_public_event(), *PRIVATE_EVENTS),
    projections=PROJECTIONS,
    facts_from=(Register.name, Credentials.name, Evidence.name),
    chores=(report_open_rounds, settle_closed_rounds),
    missing_keys=people_without_keys,
    explainers={"score": explain_score},
)


def build(settings: Settings, ports: Ports, token: str) -> Hosted:
    """The evaluation service over its database, and the application it answers with."""
    database = open_database(settings.database_url(BLUEPRINT.name))
    built = Service(BLUEPRINT, database, ports, settings.orgs)
    catalogue = Catalogue.load(SHARED, ("avow.register", "messages.toml"), ("avow_evaluation", "messages.toml"))
    app = build_application(built, routers, catalogue, "评价 / Evaluation", token, settings.metrics_token)
    return Hosted(built, app)


service = Installed(BLUEPRINT, build)
