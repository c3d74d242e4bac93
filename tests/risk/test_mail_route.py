"""Alerts by mail: what is spoken with the server, and that no password goes over an open line."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from risk.alerts import AlertDesk, MailRoute


@dataclass(frozen=True)
class Sample:
    at: float = 0.0
    severity: int = 0
    code: str = "naked"
    group_id: str = "condor-000001"
    text: str = "a short has no cover"
    facts: dict[str, Any] = field(default_factory=lambda: {"contracts": 2})


@dataclass
class Server:
    port: int
    said: list[str]
    mails: list[str]

    @property
    def verbs(self) -> list[str]:
        return [line.split(" ")[0].upper() for line in self.said]


@pytest.fixture
def smtp() -> Iterator[Callable[..., Server]]:
    """Starts small SMTP servers that offer what a test wants; STARTTLS is answered with "not now"."""
    running: list[Any] = []

    def start(*offers: str) -> Server:
        said: list[str] = []
        mails: list[str] = []

        class Handler(socketserver.StreamRequestHandler):
            def say(self, *lines: str) -> None:
                for line in lines:
                    self.wfile.write(f"{line}\r\n".encode())

            def handle(self) -> None:
                self.say("220 test")
                while line := self.rfile.readline().decode().strip():
                    said.append(line)
                    verb = line.split(" ")[0].upper()
                    if verb == "EHLO":
                        words = ["test", *offers]
                        self.say(*(f"250-{word}" for word in words[:-1]), f"250 {words[-1]}")
                    elif verb == "STARTTLS":
                        self.say("454 not now")
                    elif verb == "DATA":
                        self.say("354 go on")
                        mails.append("".join(iter(lambda: self.rfile.readline().decode(), ".\r\n")))
                        self.say("250 taken")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("235 welcome" if verb == "AUTH" else "250 fine")

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return Server(server.server_address[1], said, mails)

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def deliver(port: int, user: str = "", password: str = "") -> tuple[AlertDesk, list[str]]:
    log: list[str] = []
    route = MailRoute("127.0.0.1", "desk@example.com", ["anna@example.com", "ben@example.com"], port, user, password)
    desk = AlertDesk([route], log=log.append)
    desk(Sample())
    assert desk.flush(5.0)
    desk.close()
    return desk, log


def test_a_mail_says_what_happened(smtp: Callable[..., Server]) -> None:
    """Subject, recipients, line and facts; a server without a log-in and without encryption is served."""
    server = smtp("SIZE 1000000")
    desk, log = deliver(server.port)
    assert desk.health().routes["mail"][:3] == (1, 0, True)
    assert not log
    [mail] = server.mails
    assert "Subject: [P0] naked condor-000001: a short has no cover" in mail
    assert "To: anna@example.com, ben@example.com" in mail
    assert '"contracts": 2' in mail


def test_encryption_is_asked_for_before_anything_is_told(smtp: Callable[..., Server]) -> None:
    """A server that offers STARTTLS is asked for it first; when that fails neither password nor mail is sent."""
    server = smtp("STARTTLS", "AUTH PLAIN LOGIN")
    desk, log = deliver(server.port, "desk", "geheim")
    assert server.verbs[:2] == ["EHLO", "STARTTLS"]
    assert not {"AUTH", "MAIL", "DATA"} & set(server.verbs)
    assert desk.health().routes["mail"][1:3] == (1, False)
    assert log == ["alert route mail failed: SMTPResponseException"]


def test_a_password_never_goes_over_an_open_line(smtp: Callable[..., Server]) -> None:
    """A server that wants a log-in but offers no encryption gets none; the failure is told without the password."""
    server = smtp("AUTH PLAIN LOGIN")
    desk, log = deliver(server.port, "desk", "geheim")
    assert "AUTH" not in server.verbs
    assert not server.mails
    assert desk.health().routes["mail"][1:3] == (1, False)
    assert log == ["alert route mail failed: SMTPNotSupportedError"]
