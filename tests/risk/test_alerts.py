"""Alert routes: what is sent, what is held back, and that nothing of it disturbs the caller."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from risk.alerts import AlertDesk, CallRoute, LogRoute, WebHookRoute, line, routes_from_settings


@dataclass(frozen=True)
class Sample:
    at: float = 0.0
    severity: int = 1
    code: str = "orphan-order"
    group_id: str = "condor-000001"
    text: str = "one order without a living group"
    facts: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def hook():
    bodies: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if self.path == "/broken" else 200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_alert_reads_as_one_line_with_severity_code_and_group():
    """A person sees severity, code, group and text in one line."""
    assert line(Sample()) == "[P1] orphan-order condor-000001: one order without a living group"


def test_the_same_alert_is_sent_once_within_the_window_and_again_when_it_gets_louder():
    """Repeats are held back; a louder severity and the time after the window are not."""
    got: list[Sample] = []
    desk = AlertDesk([CallRoute(got.append)], window=300.0)
    for alert in (Sample(at=0), Sample(at=10), Sample(at=20, severity=0), Sample(at=30, severity=0), Sample(at=400)):
        desk(alert)

    assert [(a.at, a.severity) for a in got] == [(0, 1), (20, 0), (400, 1)]
    assert desk.health().suppressed == 2


def test_the_rate_limit_never_holds_back_a_p0():
    """Beyond the limit of a minute only P0 gets through."""
    got: list[Sample] = []
    desk = AlertDesk([CallRoute(got.append)], per_minute=3)
    for n in range(10):
        desk(Sample(at=float(n), code=f"c{n}", severity=0 if n == 9 else 2))

    assert [a.code for a in got] == ["c0", "c1", "c2", "c9"]
    assert desk.health().limited == 6


@pytest.mark.parametrize(
    ("style", "expected"),
    [("slack", {"text": line(Sample())}), ("telegram", {"chat_id": "42", "text": line(Sample())})],
)
def test_a_web_hook_posts_what_the_service_expects(hook, style, expected):
    """Slack and Telegram get their own shape of JSON."""
    url, bodies = hook
    desk = AlertDesk([WebHookRoute(url, style, chat_id="42")])
    desk(Sample())

    assert desk.flush(5.0)
    assert bodies == [expected]


def test_a_plain_web_hook_carries_every_field(hook):
    """The json style carries severity, code, group, text and facts."""
    url, bodies = hook
    desk = AlertDesk([WebHookRoute(url)])
    desk(Sample(facts={"order": 7}))
    desk.flush(5.0)

    assert bodies[0]["severity"] == "P1"
    assert bodies[0]["facts"] == {"order": 7}


def test_a_route_that_fails_is_counted_and_logged_without_its_address(hook):
    """A failing web hook neither raises nor shows its secret address."""
    url, _ = hook
    lines: list[str] = []
    desk = AlertDesk([WebHookRoute(url + "/broken")], log=lines.append)
    desk(Sample())
    desk.flush(5.0)

    assert desk.health().routes["webhook-json"][:3] == (0, 1, False)
    assert lines == ["alert route webhook-json failed: HTTPError"]
    assert "no alert route works" in desk.warning()


def test_a_callable_that_raises_does_not_disturb_the_caller():
    """Trading goes on when a person's callback is broken."""

    def broken(alert: Any) -> None:
        raise RuntimeError("boom")

    got: list[Sample] = []
    desk = AlertDesk([CallRoute(broken, "mine"), CallRoute(got.append, "other")])
    desk(Sample())

    assert len(got) == 1
    assert desk.health().routes["mine"][1] == 1


def test_without_a_route_to_a_person_every_start_warns():
    """A log alone is no route for a P0."""
    assert "only be logged" in AlertDesk([LogRoute(lambda text: None)]).warning()
    assert AlertDesk([CallRoute(lambda alert: None)]).warning() == ""


def test_the_start_test_reaches_every_route_and_shows_in_health():
    """After the test each route is known to work or not."""
    got: list[str] = []
    desk = AlertDesk([(CallRoute(lambda alert: got.append(alert.text)), 0)])
    desk.test(lambda text: Sample(text=text, severity=3))

    assert got == ["test of alert route callable"]
    assert desk.health().routes["callable"][2] is True


def test_routes_come_from_parameters_or_the_environment(monkeypatch):
    """Secrets are read from LEAN parameters first, then from the environment."""
    monkeypatch.setenv("ALERT_MAIL_HOST", "mail.example")
    monkeypatch.setenv("ALERT_MAIL_FROM", "bot@example.org")
    monkeypatch.setenv("ALERT_MAIL_TO", "a@example.org, b@example.org")
    routes = routes_from_settings({"alert-webhook": "http://hook.example/x", "alert-webhook-style": "slack"}.get)

    assert [route.name for route in routes] == ["webhook-slack", "mail"]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"alert-webhook": "ftp://x"}, "must start with http"),
        ({"alert-webhook": "http://x", "alert-webhook-style": "fax"}, "use json, slack or telegram"),
        ({"alert-webhook": "http://x", "alert-webhook-style": "telegram"}, "needs chat_id"),
        ({"alert-mail-host": "m", "alert-mail-port": "x"}, "alert-mail-port is not a whole number"),
    ],
)
def test_a_malformed_setting_is_named(settings, match):
    """A bad setting is refused with its name and the cure."""
    with pytest.raises(ValueError, match=match):
        routes_from_settings(settings.get)


def test_a_log_that_fails_disturbs_nothing_either():
    """A failing route whose failure cannot even be logged: the caller goes on, and so does the thread."""

    def broken(text: str) -> None:
        raise OSError("no log")

    desk = AlertDesk(
        [CallRoute(lambda alert: 1 / 0), WebHookRoute("http://127.0.0.1:9/nobody-listens")], window=0.0, log=broken
    )
    desk(Sample(at=0.0))
    desk(Sample(at=1.0))
    assert desk.flush(5.0)
    routes = desk.health().routes
    assert [routes[name][1] for name in ("callable", "webhook-json")] == [2, 2]
    desk.close()
