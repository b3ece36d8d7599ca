"""The routes of the pledge service, one module a resource; thin."""

from avow_pledge.http.campaigns import router as campaigns
from avow_pledge.http.meetings import router as meetings
from avow_pledge.http.memberships import router as memberships
from avow_pledge.http.obligations import router as obligations
from avow_pledge.http.people import router as people
from avow_pledge.http.pledges import router as pledges
from avow_pledge.http.roles import router as roles
from avow_pledge.http.units import router as units
from avow_pledge.http.work_plans import router as work_plans

routers = (campaigns, units, people, memberships, roles, work_plans, pledges, meetings, obligations)
