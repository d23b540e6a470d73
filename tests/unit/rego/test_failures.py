import asyncio
import math
import time

import pytest

from bascule.gateway.rego import RegoFailed
from bascule.rego.failures import answered_before, failed


def test_the_caller_is_not_told_why() -> None:
    error = failed("secret.rego:3: divide by zero")
    assert "secret" not in error.public
    assert error.private == "Rego: secret.rego:3: divide by zero"


async def test_waiting_ends_at_the_deadline() -> None:
    with pytest.raises(RegoFailed) as caught:
        async with answered_before(time.monotonic() - 1):
            await asyncio.Event().wait()
    assert "deadline" in caught.value.private


async def test_a_deadline_that_never_comes_is_none() -> None:
    async with answered_before(math.inf):
        await asyncio.sleep(0)
