"""A page in Chromium without a screen: what it draws, what it complains of, what it asks for."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def _found() -> tuple[str, str]:
    """Driver and browser; the test skips where there is none."""
    driver = shutil.which("chromedriver")
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if driver is None or browser is None:
        pytest.skip("needs a browser: chromium and chromedriver are not in PATH")
    return driver, browser


@contextmanager
def opened(page: Path) -> Iterator[webdriver.Chrome]:
    """The page in a wide window and light colours."""
    driver, browser = _found()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    # Containers and root have no sandbox, and our own page needs none; a machine for tests seldom
    # has a graphics card.
    for said in (
        "headless=new",
        "no-sandbox",
        "disable-dev-shm-usage",
        "enable-unsafe-swiftshader",
    ):
        options.add_argument(f"--{said}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options, Service(driver))
    try:
        resize(chrome, 1280)
        prefer(chrome, "light")
        chrome.get(page.as_uri())
        yield chrome
    finally:
        chrome.quit()


def resize(chrome: webdriver.Chrome, width: int) -> None:
    """Look through a window of that width."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def prefer(chrome: webdriver.Chrome, scheme: str) -> None:
    """Prefer "light" or "dark" colours."""
    wish = {"name": "prefers-color-scheme", "value": scheme}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [wish]})


def complaints(chrome: webdriver.Chrome) -> list[str]:
    """Errors on the console since the last call, those of refused addresses among them."""
    return [said["message"] for said in chrome.get_log("browser") if said["level"] == "SEVERE"]


def requests(chrome: webdriver.Chrome) -> list[str]:
    """Addresses that were asked for since the last call, but for what is inside the page."""
    log = (json.loads(entry["message"])["message"] for entry in chrome.get_log("performance"))
    sent = (said["params"] for said in log if said["method"] == "Network.requestWillBeSent")
    asked = (params["request"]["url"] for params in sent)
    return [url for url in asked if not url.startswith(("data:", "blob:"))]
