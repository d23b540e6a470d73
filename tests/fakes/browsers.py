"""A real Chromium, driven by `tests/clients/browser.mjs`, and a page of the assistant in it."""

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

import bascule

DRIVER: Final = Path(__file__).parents[1] / "clients" / "browser.mjs"
PAGES: Final = Path(bascule.__file__).parent / "_ui"
LIBRARY: Final = Path(__file__).parents[2] / "web" / "node_modules" / "playwright-core"
CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PHONE: Final = {"width": 390, "height": 844}
WIDE: Final = {"width": 1280, "height": 860}
SECONDS: Final = 40.0
RETRY: Final = "Retry"
"""What stands below the last answer, once it is complete."""


class PageFailed(AssertionError):
    """Something did not come about in the page; the message is the driver's."""


def require_browser() -> None:
    """Skip where there is no browser, or nothing to show in it; fail where CI is set."""
    missing = {
        f"Chromium is not at {CHROMIUM}: `apt-get install -y --no-install-recommends chromium`, "
        "or name one in $CHROMIUM.": not Path(CHROMIUM).is_file(),
        "The pages are not built: `make web`.": not (PAGES / "index.html").is_file(),
        "The library that drives browsers is not there: `make web`.": not LIBRARY.is_dir(),
        "node is not there: install Node 20.19 or newer.": shutil.which("node") is None,
    }
    reasons = " ".join(reason for reason, is_so in missing.items() if is_so)
    if reasons and os.environ.get("CI"):
        pytest.fail(reasons, pytrace=False)
    if reasons:
        pytest.skip(reasons)


class Browser:
    """One browser; each page it opens has cookies and storage of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self._process = process
        self._answers: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=[process.stdout], daemon=True)
        self._reader.start()

    def open(self, base_url: str, theme: str = "light", size: dict[str, int] = WIDE) -> "Page":
        """A new page, as somebody who was never here sees it."""
        options = {"baseURL": base_url, "colorScheme": theme, "viewport": size}
        return Page(self, self.ask({"open": {**options, "timezoneId": "Asia/Kolkata"}}))

    def ask(self, command: dict[str, Any]) -> Any:
        """Have one command done; raises PageFailed where it was not."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(command)}\n")
        self._process.stdin.flush()
        told = json.loads(self._answers.get(timeout=SECONDS) or '{"error": "the driver ended"}')
        if "error" in told:
            raise PageFailed(told["error"])
        return told["value"]

    def _read(self, lines: Any) -> None:
        with lines:
            for line in lines:
                self._answers.put(line)
        self._answers.put("")

    def close(self) -> None:
        """Close everything."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser for as long as the block."""
    require_browser()
    process = subprocess.Popen(
        ["node", str(DRIVER), CHROMIUM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    browser = Browser(process)
    try:
        yield browser
    finally:
        browser.close()


class Page:
    """A page, as a person uses it: by what things are called. Each wait is bounded."""

    def __init__(self, browser: Browser, number: int) -> None:
        self._browser = browser
        self._number = number

    def run(self, code: str, **given: object) -> Any:
        """Run JavaScript in the driver, with `page` and `given`; gives what it returns.

        Raises:
            PageFailed: it did not come about in time; says what there is to be read instead.
        """
        command = {"page": self._number, "given": given}
        try:
            return self._browser.ask({**command, "code": code})
        except PageFailed as failure:
            shown = self._browser.ask({**command, "code": "return page.innerText('body')"})
            raise PageFailed(f"{failure}\nThe page ends in:\n{shown[-1500:]}") from None

    def go(self, path: str) -> None:
        """Open a path of this site."""
        self.run("await page.goto(given.path)", path=path)

    def sign_in(self, name: str, password: str) -> None:
        """Fill in the form of the sign-in page, and wait for the assistant."""
        self.run(
            "await page.getByLabel('Name', { exact: true }).fill(given.name);"
            "await page.getByLabel('Password', { exact: true }).fill(given.password);"
            "await page.getByRole('button', { name: 'Sign in', exact: true }).click();"
            "await page.getByRole('button', { name: 'Tools' }).waitFor();",
            name=name, password=password,
        )  # fmt: skip

    def say(self, text: str, until: str = RETRY) -> None:
        """Send a message, and wait until `until` is to be read below it."""
        self.run("await page.getByRole('textbox', { name: 'Message' }).fill(given.text)", text=text)
        self.send()
        self.wait_below(text, until)

    def send(self) -> None:
        """Press Enter in the field, once what is in it can be sent."""
        self.run(
            "await page.locator('button[aria-label=\"Send\"]:enabled').waitFor();"
            "await page.keyboard.press('Enter')"
        )

    def wait_below(self, text: str, until: str) -> None:
        """Wait until `until` is to be read somewhere after the last `text`."""
        self.run(
            "await page.waitForFunction(({ text, until }) => {"
            "  const shown = document.querySelector('main')?.innerText ?? '';"
            "  const at = shown.lastIndexOf(text);"
            "  return at >= 0 && shown.indexOf(until, at + text.length) >= 0;"
            "}, given)",
            text=text, until=until,
        )  # fmt: skip

    def click(self, role: str, name: str) -> None:
        """Click the last thing of this role and name."""
        self.run(
            "await page.getByRole(given.role, { name: given.name }).last().click()",
            role=role, name=name,
        )  # fmt: skip

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        self.run("for (const key of given.keys) await page.keyboard.press(key)", keys=list(keys))

    def wait_for(self, role: str, name: str) -> None:
        """Wait until something of this role and name is visible."""
        self.run(
            "await page.getByRole(given.role, { name: given.name }).last().waitFor()",
            role=role, name=name,
        )  # fmt: skip

    def wait_for_text(self, text: str) -> None:
        """Wait until the last thing that says `text` is visible."""
        self.run("await page.getByText(given.text).last().waitFor()", text=text)

    def text(self, selector: str = "main") -> str:
        """What is to be read there."""
        return self.run("return page.locator(given.selector).innerText()", selector=selector)

    def findings(self) -> list[str]:
        """What axe has against the page, and whether it is too wide."""
        return self.run("return axe(page)")

    def requests(self) -> list[str]:
        """Each request that the page made, "GET http://…"."""
        return self.run("return seen.requests")

    def complaints(self) -> list[str]:
        """What the browser warned of: errors, and what the policy kept from being loaded."""
        return self.run("return seen.complaints")

    def shoot(self, name: str, folders: Sequence[Path]) -> None:
        """Take a picture of what is visible into each of `folders`."""
        for folder in folders:
            self.run("await page.screenshot({ path: given.path })", path=str(folder / name))
