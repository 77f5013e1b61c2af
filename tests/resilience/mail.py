"""A mail server that does what a test asks of it, and workers that send through it."""

import socketserver
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

from tests.programs import wait_until
from tests.resilience import site
from tests.server import Program, free_port

PATIENCE_SECONDS = 60


class MailServer:
    """Takes e-mail at a port: ``received`` are the recipient and the Message-ID of each that it accepted.

    While ``is_silent``, it accepts connections and says nothing. After ``hold()`` it takes the next e-mail
    whole, and keeps its answer to itself.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.received: list[tuple[str, str]] = []
        self.is_silent = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def hold(self) -> None:
        self.may_answer.clear()

    @property
    def recipients(self) -> Counter[str]:
        return Counter(recipient for recipient, _ in self.received)

    def await_emails(self, count: int) -> None:
        """Come back when so many different e-mails have arrived."""
        wait_until(lambda: len(set(self.received)) >= count)


class Conversation(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self) -> None:
        mail: MailServer = self.server.mail  # type: ignore[attr-defined]
        while mail.is_silent.is_set():
            time.sleep(0.05)
        recipient = ""
        try:
            self.say("220 ready")
            while line := self.rfile.readline():
                command = line[:4].upper()
                if command == b"RCPT":
                    recipient = line.decode().partition("<")[2].partition(">")[0]
                    self.say("250 ok")
                elif command == b"DATA":
                    self.say("354 go ahead")
                    body = b"".join(iter(self.rfile.readline, b".\r\n"))
                    mail.received.append((recipient, str(message_from_bytes(body)["Message-ID"])))
                    mail.may_answer.wait(PATIENCE_SECONDS)
                    self.say("250 taken")
                elif command == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")
        except OSError:
            """The client has gone."""

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def mail_server(mail: MailServer) -> Iterator[MailServer]:
    """Listen at the mail server's port. It may go away and come back."""
    with Server(("127.0.0.1", mail.port), Conversation) as server:
        server.mail = mail  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        try:
            yield mail
        finally:
            mail.is_silent.clear()
            mail.may_answer.set()
            server.shutdown()


def new_mail_server() -> MailServer:
    return MailServer(free_port())


def environment(mail: MailServer, database_url: str, **settings: str) -> dict[str, str]:
    """Return the environment of a process that sends through the mail server, and soon tries again."""
    return site.environment(database_url, EMAIL_URL=f"smtp://127.0.0.1:{mail.port}", **settings)


@contextmanager
def worker(mail: MailServer, database_url: str, output: Path, **settings: str) -> Iterator[Program]:
    """A worker that is started again whenever it ends, as systemd and Compose do."""
    command = ["sh", "-c", f"while :; do {sys.executable} -m django db_worker; done"]
    program = Program(command, output, options={"env": environment(mail, database_url, **settings)})
    with program.running():
        yield program
