"""The register: campaigns, units, persons, memberships and roles, as of any day; both services keep one."""
