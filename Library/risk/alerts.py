"""Alerts to people: routes, de-duplication, rate limit, delivery in a thread of its own.

LEAN's `notify` sends nothing when LEAN runs locally (its local messaging only logs), so alerts have routes of their
own. `AlertDesk` is an alert hook: ``executor.on_alert(desk)``. It takes any object with the attributes of
`atomic.ports.Alert` (at, severity, code, group_id, text, facts). Delivery happens in a daemon thread; a failure is
counted and logged without secrets and never disturbs trading.
"""

from __future__ import annotations

import json
import os
import queue
import smtplib
import ssl
import threading
import urllib.request
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: seconds a network route may take before it counts as failed
NETWORK_TIMEOUT = 10.0


class AlertLike(Protocol):
    """What the desk needs of an alert."""

    @property
    def at(self) -> float: ...  # noqa: D102 - see atomic.ports.Alert
    @property
    def severity(self) -> int: ...  # noqa: D102
    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def group_id(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def facts(self) -> Mapping[str, Any]: ...  # noqa: D102


def line(alert: AlertLike) -> str:
    """The alert as one line: severity, code, group, text."""
    where = f" {alert.group_id}" if alert.group_id else ""
    return f"[P{int(alert.severity)}] {alert.code}{where}: {alert.text}"


class Route(Protocol):
    """One way to a person."""

    #: what logs and health call it; never holds a secret
    name: str
    #: True when `send` may block: it is then called in the desk's thread
    slow: bool

    def send(self, alert: AlertLike) -> None:
        """Deliver one alert; any exception counts as a failed delivery."""


class CallRoute:
    """Hands every alert to a callable on the caller's thread (an algorithm's `log`, a test, LEAN's `notify` on its cloud)."""  # noqa: E501

    slow = False

    def __init__(self, call: Callable[[AlertLike], Any], name: str = "callable") -> None:
        self.name = name
        self._call = call

    def send(self, alert: AlertLike) -> None:
        """Call it."""
        self._call(alert)


class LogRoute(CallRoute):
    """Writes the alert's line with a `log(text)` function."""

    def __init__(self, log: Callable[[str], Any]) -> None:
        super().__init__(lambda alert: log(line(alert)), "log")


class WebHookRoute:
    """Posts JSON to a URL: plain, or as Slack and Telegram want it.

    Args:
        url: http or https address; it may hold a token and is never logged.
        style: "json" (all fields), "slack" (``{"text": ...}``) or "telegram" (``{"chat_id", "text"}``).
        chat_id: Telegram chat.
        headers: further request headers (authorisation).

    Raises:
        ValueError: unknown style or an address that is not http(s).
    """

    slow = True

    def __init__(
        self, url: str, style: str = "json", chat_id: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError("the web hook's address must start with http:// or https://")
        if style not in ("json", "slack", "telegram"):
            raise ValueError(f"web hook style {style!r}: use json, slack or telegram")
        if style == "telegram" and not chat_id:
            raise ValueError("a telegram web hook needs chat_id")
        self.name = f"webhook-{style}"
        self._url, self._style, self._chat = url, style, chat_id
        self._headers = {"Content-Type": "application/json", **(headers or {})}

    def send(self, alert: AlertLike) -> None:
        """Post it; an HTTP error or time-out raises."""
        body: dict[str, Any]
        if self._style == "slack":
            body = {"text": line(alert)}
        elif self._style == "telegram":
            body = {"chat_id": self._chat, "text": line(alert)}
        else:
            body = {
                "at": alert.at,
                "severity": f"P{int(alert.severity)}",
                "code": alert.code,
                "group": alert.group_id,
                "text": alert.text,
                "facts": dict(alert.facts),
            }
        data = json.dumps(body, default=str).encode()
        request = urllib.request.Request(self._url, data=data, headers=self._headers)
        with urllib.request.urlopen(request, timeout=NETWORK_TIMEOUT):
            pass


class MailRoute:
    """Sends a mail over SMTP: encrypted from the start on port 465, else with STARTTLS where the server offers it.

    A password is never sent over an open line: with a server that offers no encryption the delivery fails.
    """

    slow = True

    def __init__(
        self, host: str, sender: str, to: Sequence[str], port: int = 587, user: str = "", password: str = ""
    ) -> None:
        if not host or not sender or not to:
            raise ValueError("mail needs host, sender and at least one recipient")
        self.name = "mail"
        self._host, self._port, self._sender, self._to = host, port, sender, list(to)
        self._user, self._password = user, password

    def send(self, alert: AlertLike) -> None:
        """Send it; any SMTP error raises."""
        mail = EmailMessage()
        mail["Subject"] = line(alert)[:150].replace("\n", " ")
        mail["From"], mail["To"] = self._sender, ", ".join(self._to)
        mail.set_content(line(alert) + "\n\n" + json.dumps(dict(alert.facts), default=str, indent=2))
        with self._connect() as server:
            if self._user:
                server.login(self._user, self._password)
            server.send_message(mail)

    def _connect(self) -> smtplib.SMTP:
        """A connection on which a password may be sent, where there is one to send."""
        if self._port == 465:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self._host, self._port, timeout=NETWORK_TIMEOUT, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=NETWORK_TIMEOUT)
        try:
            server.ehlo()  # without it no extension is known
            if server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            elif self._user:
                raise smtplib.SMTPNotSupportedError("the server offers no encryption for the password")
        except BaseException:
            server.close()
            raise
        return server


def routes_from_settings(read: Callable[[str], str | None]) -> list[WebHookRoute | MailRoute]:
    """Network routes from LEAN parameters or the environment, the only places for secrets.

    Args:
        read: LEAN's ``algorithm.get_parameter`` or anything like it; the environment is asked where it answers
            nothing (``alert-webhook`` becomes ``ALERT_WEBHOOK``).

    Keys: ``alert-webhook`` (+ ``alert-webhook-style``, ``alert-webhook-chat``), ``alert-mail-host``,
    ``alert-mail-port``, ``alert-mail-from``, ``alert-mail-to`` (comma separated), ``alert-mail-user``,
    ``alert-mail-password``.

    Raises:
        ValueError: a key is malformed; the text names the key, never its value.
    """

    def get(key: str) -> str:
        return str(read(key) or os.environ.get(key.upper().replace("-", "_")) or "")

    routes: list[WebHookRoute | MailRoute] = []
    if url := get("alert-webhook"):
        routes.append(WebHookRoute(url, get("alert-webhook-style") or "json", get("alert-webhook-chat")))
    if host := get("alert-mail-host"):
        port = get("alert-mail-port") or "587"
        if not port.isdigit():
            raise ValueError("alert-mail-port is not a whole number")
        to = [part.strip() for part in get("alert-mail-to").split(",") if part.strip()]
        routes.append(
            MailRoute(host, get("alert-mail-from"), to, int(port), get("alert-mail-user"), get("alert-mail-password"))
        )
    return routes


@dataclass(slots=True)
class _State:
    sent: int = 0
    failed: int = 0
    #: None until the first delivery was tried
    works: bool | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class DeskHealth:
    """What the desk did so far.

    Attributes:
        routes: per route name: sent, failed, works (None = not tried yet), last error (class name only).
        suppressed: alerts not sent because the same one was sent within the window.
        limited: alerts not sent because of the rate limit (P0 is never limited).
        dropped: alerts lost because the queue was full.
    """

    routes: Mapping[str, tuple[int, int, bool | None, str]] = field(default_factory=dict)
    suppressed: int = 0
    limited: int = 0
    dropped: int = 0


class AlertDesk:
    """Takes alerts, drops repeats, limits the rate, delivers to every route.

    Args:
        routes: where alerts go; a route with a minimum is given as (route, worst severity number it takes).
        window: seconds in which the same (code, group) is sent once; a louder severity is sent all the same.
        per_minute: alerts per minute over all codes; P0 is never limited.
        log: where delivery failures are noted (no secrets, class of the error only).
    """

    def __init__(
        self,
        routes: Sequence[Route | tuple[Route, int]],
        *,
        window: float = 300.0,
        per_minute: int = 30,
        log: Callable[[str], Any] | None = None,
    ) -> None:
        self._routes: list[tuple[Route, int]] = [r if isinstance(r, tuple) else (r, 3) for r in routes]
        self._window, self._per_minute = window, per_minute
        self._log = log or (lambda text: None)
        self._seen: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._minute: list[float] = []
        self._state = {route.name: _State() for route, _ in self._routes}
        self._suppressed = self._limited = self._dropped = 0
        self._warned = ""
        self._queue: queue.Queue[tuple[Route, AlertLike] | None] = queue.Queue(maxsize=1000)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def __call__(self, alert: AlertLike) -> None:
        """Take one alert; never raises, never blocks."""
        with self._lock:
            if not self._wanted(alert):
                return
        for route, worst in self._routes:
            if int(alert.severity) > worst:
                continue
            if route.slow:
                self._enqueue(route, alert)
            else:
                self._deliver(route, alert)

    def _wanted(self, alert: AlertLike) -> bool:
        key, severity = (alert.code, alert.group_id), int(alert.severity)
        before = self._seen.get(key)
        if before is not None and alert.at - before[0] < self._window and severity >= before[1]:
            self._suppressed += 1
            return False
        self._minute = [at for at in self._minute if alert.at - at < 60.0]
        if severity > 0 and len(self._minute) >= self._per_minute:
            self._limited += 1
            return False
        self._minute.append(alert.at)
        self._seen[key] = (alert.at, severity)
        self._seen.move_to_end(key)
        while len(self._seen) > 4096:
            self._seen.popitem(last=False)
        return True

    def _enqueue(self, route: Route, alert: AlertLike) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
                self._thread.start()
        try:
            self._queue.put_nowait((route, alert))
        except queue.Full:
            self._dropped += 1

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            self._deliver(*item)
            self._queue.task_done()
        self._queue.task_done()

    def _deliver(self, route: Route, alert: AlertLike) -> None:
        state = self._state[route.name]
        try:
            route.send(alert)
        except Exception as error:
            state.failed += 1
            state.works, state.error = False, type(error).__name__
            if route.slow or route.name != "log":
                with suppress(Exception):
                    self._log(f"alert route {route.name} failed: {type(error).__name__}")
        else:
            state.sent += 1
            state.works = True

    def flush(self, timeout: float = NETWORK_TIMEOUT) -> bool:
        """Wait until queued alerts were tried; True when all were within `timeout` seconds. Not for handlers."""
        done = threading.Event()

        def drain() -> None:
            self._queue.join()
            done.set()

        threading.Thread(target=drain, daemon=True).start()
        return done.wait(timeout)

    def test(self, make: Callable[[str], AlertLike]) -> None:
        """Send a test alert on every route, whatever its minimum; results show in `health`.

        Args:
            make: builds an alert from a text (the executor's own class, clock and severity P3).
        """
        for route, _ in self._routes:
            alert = make(f"test of alert route {route.name}")
            if route.slow:
                self._enqueue(route, alert)
            else:
                self._deliver(route, alert)

    def warning(self) -> str:
        """Empty, or why a P0 alert would reach nobody; to be shown at every start."""
        people = [(r, self._state[r.name]) for r, _ in self._routes if r.name != "log"]
        if not people:
            return "no alert route to a person: a P0 alert would only be logged (set alert-webhook or alert-mail-host)"
        if all(state.works is False for _, state in people):
            names = ", ".join(f"{r.name} ({state.error})" for r, state in people)
            return f"no alert route works: {names}; a P0 alert would only be logged"
        return ""

    def new_warning(self) -> str:
        """The warning when it is another one than at the newest call, else empty; for callers that ask regularly."""
        text = self.warning()
        before, self._warned = self._warned, text
        return text if text != before else ""

    def health(self) -> DeskHealth:
        """Counters so far."""
        routes = {name: (s.sent, s.failed, s.works, s.error) for name, s in self._state.items()}
        return DeskHealth(routes, self._suppressed, self._limited, self._dropped)

    def close(self) -> None:
        """Let the thread end after what is queued."""
        if self._thread is not None and self._thread.is_alive():
            self._queue.put(None)
