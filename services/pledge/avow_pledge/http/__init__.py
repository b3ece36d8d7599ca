"""The routes of the pledge service, one module a resource; thin."""

from avow_pledge.http import campaigns, meetings, memberships, people, pledges, roles, units

routers = tuple(module.router for module in (campaigns, units, people, memberships, roles, pledges, meetings))
