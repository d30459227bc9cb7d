"""Roles: the three that always exist, as the migrations made them."""

from datamate.contracts.main.permissions import BUILT_IN_ROLES, Permission


async def test_roles_are_those_of_the_contract_when_migrated(admin):
    page = (await admin("GET", "/roles")).json
    assert {role["name"]: set(role["permissions"]) for role in page["items"]} == BUILT_IN_ROLES
    assert (page["next_cursor"], page["total"]) == (None, 3)


async def test_every_permission_is_listed(admin):
    assert set((await admin("GET", "/permissions")).json["items"]) == set(Permission)
