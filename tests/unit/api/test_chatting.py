"""Who talks to the assistant."""

from dataclasses import replace

import pytest

from bascule.api.caller import Caller
from bascule.api.chatting import NoAssistant, assistant_of, owner_of, person_of
from bascule.api.errors import Refused
from bascule.gateway.errors import Forbidden
from bascule.gateway.principal import Principal
from unit.api.conversing import an_assistant
from unit.api.site import Site


def key_holder(site: Site, role: str = "user") -> Principal:
    keys = site.control.snapshot().keys.values()
    return next(one.principal for one in keys if one.principal.roles == {role})


async def test_a_person_is_judged_anew_each_time(site: Site) -> None:
    principal = key_holder(site)
    person = person_of(site.control, Caller(principal, "c-1"), zone="Asia/Kolkata")
    assert person.standing() == principal
    assert person.zone == "Asia/Kolkata"
    assert principal.key_id is not None
    site.control.revocations.revoke(principal.key_id)
    with pytest.raises(Refused) as refused:
        person.standing()
    assert refused.value.code.code == "E1002"


async def test_who_may_not_use_tools_any_more_does_not_go_on(site: Site) -> None:
    principal = key_holder(site)
    snapshot = site.control.snapshot()
    mute = replace(principal, permissions=principal.permissions - {"tools:execute"})
    keys = {
        digest: replace(one, principal=mute) if one.principal == principal else one
        for digest, one in snapshot.keys.items()
    }
    later = replace(snapshot, keys=keys)
    control = replace(site.control, snapshot=lambda: later)
    with pytest.raises(Forbidden, match="tools:execute"):
        person_of(control, Caller(principal, "c-1")).standing()


def test_conversations_are_at_home(site: Site) -> None:
    caller = Caller(key_holder(site), "c-1")
    assert owner_of(caller) is caller.principal
    with pytest.raises(Forbidden):
        owner_of(replace(caller, home="acme"))


def test_a_process_may_have_no_assistant(site: Site) -> None:
    with pytest.raises(NoAssistant):
        assistant_of(site.control)
    assistant = an_assistant()
    assert assistant_of(replace(site.control, assistant=assistant)) is assistant
