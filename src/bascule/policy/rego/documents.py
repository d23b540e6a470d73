"""Making documents, finding out whether they can decide, and running their tests."""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, cast

import msgspec

from bascule.gateway.aside import aside, until
from bascule.gateway.errors import InvalidValue
from bascule.gateway.inspection import Inspection, RegoInspector, RegoUnfit
from bascule.gateway.rego import (
    MOST_DATA_BYTES,
    MOST_MODULE_BYTES,
    PACKAGE,
    RegoDocument,
    RegoFailed,
)
from bascule.policy.rego.analysis import reads_of
from bascule.policy.rego.inputs import Path
from bascule.policy.rego.syntax import (
    TEST_SUFFIX,
    UNKNOWN,
    Definition,
    Riddle,
    heads_of,
    trees_of,
)

MOST_MODULES: Final = 64
MOST_BYTES: Final = 512 * 1024
"""Of all modules together."""
MOST_TESTS: Final = 500

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_LONGEST_FILE_NAME: Final = 200
_MOST_FAULTS: Final = 10
_ALL: Final = "(all)"
_NO_TESTS: Final = (
    f"no test is in this file, so nothing would be tested. Name its rules test_..., or the file "
    f"without {TEST_SUFFIX} if it holds what tests have in common"
)
_UNKNOWN_TESTS: Final = (
    "the tests in this file cannot be found, as a rule is written in a way that is not known here. "
    "Write it in another way, or leave it out"
)
_LATE: Final = "it was not run to its end, as all tests together take too long"
_PACKAGE: Final = tuple(PACKAGE.split("."))
_Heads: TypeAlias = Sequence[tuple[str, Definition | Riddle]]
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def document_of(modules: Mapping[str, str], data: object) -> RegoDocument:
    """A document of `modules`, by file name, and `data`, decoded JSON; what it reads is not known.

    Raises:
        InvalidValue: there is too much of it, or a name or `data` is not as it has to be.
    """
    _check_modules(modules)
    text = _text_of(data)
    digest = hashlib.sha256(_encode((dict(modules), text))).hexdigest()
    return RegoDocument(digest, MappingProxyType(dict(sorted(modules.items()))), text)


async def examine(
    engine: RegoInspector, modules: Mapping[str, str], data: object, *, tenant: str = ""
) -> RegoDocument:
    """A document that can decide, with what it reads.

    Raises:
        InvalidValue: it cannot; the message says why, and in which file and line.
        RegoFailed: the engine could not find out.
    """
    document = await aside(document_of, modules, data)
    inspection = await _inspected(engine, document, tenant)
    # In a thread, as large documents take seconds: others are served meanwhile.
    heads = await aside(_heads, inspection)
    _check_heads(heads)
    if faults := [why for _, why in _without_tests(document, heads)]:
        raise _refusal(faults)
    reads, uses_time = await aside(reads_of, inspection.ast, document.modules)
    return replace(document, reads=reads, uses_time=uses_time)


class TestStatus(StrEnum):
    """How a test went."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    """It came to no value, for an error."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """How the test `name` in `file` went, and why it did not pass."""

    name: str
    file: str
    status: TestStatus
    why: str = ""


async def run_tests(
    engine: RegoInspector,
    document: RegoDocument,
    *,
    tenant: str = "",
    deadline: float = math.inf,
) -> list[TestOutcome]:
    """Run the rules `test_…` of the document's `*_test.rego`, as `opa test` does.

    A test passes where its rule is true. Those named `todo_test_…` are skipped. What has come to
    nothing by `deadline`, in seconds of `time.monotonic`, is broken.

    A file in which no tests are found, or where others may be, is broken as a whole.

    Raises:
        InvalidValue: the document cannot be used.
        RegoFailed: the engine could not find out what there is to run.
    """
    try:
        async with until(deadline):
            inspection = await _inspected(engine, document, tenant)
    except TimeoutError:
        return [TestOutcome(_ALL, "", TestStatus.BROKEN, _LATE)]
    heads = await aside(_heads, inspection)
    found = [
        TestOutcome(_ALL, file, TestStatus.BROKEN, why)
        for file, why in _without_tests(document, heads)
    ]
    for file, path in _tests(heads):
        try:
            async with until(deadline):
                found.append(await _run(engine, document, file, path, tenant))
        except TimeoutError:
            found.append(TestOutcome(path[-1], file, TestStatus.BROKEN, _LATE))
    return found


async def _run(
    engine: RegoInspector, document: RegoDocument, file: str, path: Path, tenant: str
) -> TestOutcome:
    name = path[-1]
    if name.startswith("todo_"):
        return TestOutcome(name, file, TestStatus.SKIPPED)
    try:
        values = await engine.query(document, _query(path), tenant=tenant)
    except RegoFailed as failure:
        return TestOutcome(name, file, TestStatus.BROKEN, failure.private)
    if values == (True,) and values[0] is True:
        return TestOutcome(name, file, TestStatus.PASSED)
    shown = ", ".join(_encode(one).decode()[:100] for one in values)
    why = f"it is {shown}, not true" if values else "it is undefined, not true"
    return TestOutcome(name, file, TestStatus.FAILED, why)


async def _inspected(engine: RegoInspector, document: RegoDocument, tenant: str) -> Inspection:
    """What is in `document`; raises InvalidValue where it cannot be used."""
    try:
        found = await engine.inspect(document.modules, document.data, tenant=tenant)
    except RegoUnfit as failure:
        raise _refusal([f"it cannot be looked at before it is used: {failure.private}"]) from None
    if found.faults:
        raise _refusal(map(str, found.faults))
    return found


def _without_tests(document: RegoDocument, heads: _Heads) -> list[tuple[str, str]]:
    """The files of tests that are not all found, each with why and what to do."""
    riddles = {file: one for file, one in reversed(heads) if isinstance(one, Riddle)}
    have = {file for file, _ in _tests(heads)}
    known = {file for file, _ in heads}
    found: list[tuple[str, str]] = []
    for file in document.modules:
        if not file.endswith(TEST_SUFFIX):
            continue
        if file in riddles or (file not in known and "" in riddles):
            one = riddles.get(file) or riddles[""]
            place = str(one) or file
            found.append((file, f"{place}: {_UNKNOWN_TESTS} ({one.why})"))
        elif file not in have:
            found.append((file, f"{file}: {_NO_TESTS}"))
    return found


def _tests(heads: _Heads) -> list[tuple[str, Path]]:
    """The file and path of each test, in order."""
    tests = {
        (file, head.path): None
        for file, head in heads
        if file.endswith(TEST_SUFFIX)
        and isinstance(head, Definition)
        and head.params is None
        and head.path[-1].startswith(("test_", "todo_test_"))
    }
    return list(tests)


def _query(path: Path) -> str:
    steps = (f".{one}" if _WORD.fullmatch(one) else f"[{_encode(one).decode()}]" for one in path)
    return "data" + "".join(steps)


def _heads(inspection: Inspection) -> _Heads:
    """What the modules define; a riddle of no file where all of it is one."""
    try:
        return list(heads_of(trees_of(inspection.ast)))
    except UNKNOWN as fault:
        return [("", Riddle("", 0, str(fault)))]


def _check_heads(heads: _Heads) -> None:
    deciding = [one for file, one in heads if not file.endswith(TEST_SUFFIX)]
    known = [one for one in deciding if isinstance(one, Definition)]
    if len(known) == len(deciding):
        _check_allow(known)
    if len(_tests(heads)) > MOST_TESTS:
        raise _refusal([f"more than {MOST_TESTS} tests"])


def _check_allow(deciding: list[Definition]) -> None:
    if not any(one.scope.package == _PACKAGE for one in deciding):
        raise _refusal([f"no module is of the package {PACKAGE}. Begin one: package {PACKAGE}"])
    allow = (*_PACKAGE, "allow")
    if not any(one.path == allow and one.params is None for one in deciding):
        raise _refusal([f"no module of the package {PACKAGE} says what allow is. Define allow."])


def _check_modules(modules: Mapping[str, str]) -> None:
    if not any(not name.endswith(TEST_SUFFIX) for name in modules):
        raise _refusal(["no modules. Add one, such as authz.rego"])
    if len(modules) > MOST_MODULES:
        raise _refusal([f"{len(modules)} modules. At most {MOST_MODULES} can be in a policy."])
    total = 0
    for name, module in modules.items():
        if len(name) > _LONGEST_FILE_NAME or not (
            name.endswith(".rego") and _FILE_NAME.fullmatch(name)
        ):
            shown = name[:_LONGEST_FILE_NAME]
            advice = "Use letters, digits, '_', '-', '.' and '/', with .rego at the end."
            raise _refusal([f"{shown!r} is no file name. {advice}"])
        size = _size(name, module)
        if size > MOST_MODULE_BYTES:
            raise _refusal([f"{name} has {size} bytes. At most {MOST_MODULE_BYTES} are allowed."])
        total += size
    if total > MOST_BYTES:
        raise _refusal([f"the modules have {total} bytes. At most {MOST_BYTES} are allowed."])


def _size(name: str, module: str) -> int:
    try:
        return len(module.encode())
    except UnicodeEncodeError as fault:
        line = module.count("\n", 0, fault.start) + 1
        raise _refusal([f"{name}:{line}: a character that is not Unicode text"]) from fault


def _text_of(data: object) -> str:
    """`data` as JSON, equal for equal data."""
    if not isinstance(data, dict):
        raise _refusal(["data must be an object, as {} is"])
    try:
        text = _encode(cast("object", data))
    except (ValueError, TypeError, RecursionError) as fault:
        raise _refusal([f"data is nothing that JSON can say: {fault}"]) from fault
    if len(text) > MOST_DATA_BYTES:
        raise _refusal([f"data has {len(text)} bytes. At most {MOST_DATA_BYTES} are allowed."])
    return text.decode()


def _refusal(reasons: Iterable[str]) -> InvalidValue:
    faults = list(reasons)
    shown = "; ".join(faults[:_MOST_FAULTS])
    more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
    return InvalidValue(
        f"rego: {shown}{more}", details={"field": "rego", "faults": faults[:_MOST_FAULTS]}
    )
