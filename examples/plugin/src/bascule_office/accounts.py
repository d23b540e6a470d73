"""A guard: account numbers stay inside."""

import re
from typing import Final

import msgspec

from bascule.plugins import PASS, Call, ErrorCode, Refuse, Result, Rewrite, Verdict

_ACCOUNT: Final = re.compile(r"\bACC-[0-9]{6}\b")


class HideAccounts:
    """Takes no account number in arguments, and shows none in results."""

    name = "hide-accounts"

    async def check_arguments(self, call: Call) -> Verdict:
        """Refuse arguments with an account number in them."""
        if _ACCOUNT.search(call.raw_arguments.decode("utf-8", "replace")):
            return Refuse(
                ErrorCode.INVALID_VALUE,
                public="Leave account numbers out of the arguments.",
                private="an account number in the arguments",
            )
        return PASS

    async def check_result(self, call: Call, result: Result) -> Verdict:
        """Mask account numbers wherever they are in the result."""
        text = msgspec.json.encode(result.body).decode()
        if not _ACCOUNT.search(text):
            return PASS
        return Rewrite(msgspec.json.decode(_ACCOUNT.sub("ACC-******", text)))
