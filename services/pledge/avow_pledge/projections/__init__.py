"""The read models of the pledge service, one module each."""

from avow.projections.projection import Projection
from avow.register.projection import Register
from avow_pledge.projections.meeting_register import MeetingRegister
from avow_pledge.projections.obligation_calendar import ObligationCalendar
from avow_pledge.projections.pledge_wall import PledgeWall
from avow_pledge.projections.work_plans import WorkPlans

PROJECTIONS: tuple[Projection, ...] = (Register(), PledgeWall(), MeetingRegister(), ObligationCalendar(), WorkPlans())
