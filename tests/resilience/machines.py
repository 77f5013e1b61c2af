"""The site on several machines, as the guide deploys it, all of them this one: each part can be killed."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests import valkey_cluster
from tests.postgres import Postgres, own_postgres
from tests.programs import Unavailable
from tests.resilience import pooler, proxy
from tests.resilience.pooler import PgBouncer
from tests.resilience.proxy import Nginx
from tests.resilience.servers import standby
from tests.resilience.site import Site, await_answer, environment, make_shop
from tests.server import ROOT, free_port
from tests.valkey_cluster import Cluster, Node

Part = TypeVar("Part")

WEB_SERVERS = 2
# What systemd does: the third file of the process is the socket.
WITH_SOCKET = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--config", "python:reflow.server.gunicorn"])
"""


@dataclass
class WebServer:
    """A machine with reflow.socket and reflow.service: connections wait in the socket during a restart."""

    environment: dict[str, str]
    output: Path
    port: int = field(default_factory=free_port)
    listener: socket.socket | None = None
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        if self.listener is None:
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=2048)
        handle = self.listener.fileno()
        with self.output.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WITH_SOCKET, str(handle)],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                pass_fds=[handle],
                start_new_session=True,
            )

    def stop(self) -> None:
        """As systemctl does: what is begun is finished."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill(self) -> None:
        """As when the machine loses its power: the socket goes as well."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.listener is not None:
            self.listener.close()
            self.listener = None


@dataclass
class Worker:
    """Sends e-mail, and whatever else is a background task."""

    environment: dict[str, str]
    output: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        command = [sys.executable, "manage.py", "db_worker"]
        with self.output.open("a") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True)
class Machines:
    """``site`` is what clients reach through nginx. ``databases`` have a name each."""

    site: Site
    nginx: Nginx
    web_servers: list[WebServer]
    worker: Worker
    databases: dict[str, Postgres]
    bouncer: PgBouncer | None
    cluster: Cluster | None

    @property
    def nodes(self) -> list[Node]:
        """Those of the Valkey Cluster."""
        return self.cluster.nodes if self.cluster else []

    def pids(self) -> dict[str, list[int]]:
        """The first processes of each part."""
        parts: dict[str, Sequence[WebServer | Nginx | PgBouncer | Node]] = {
            "web servers": self.web_servers,
            "nginx": [self.nginx],
            "PgBouncer": [self.bouncer] if self.bouncer else [],
            "Valkey": self.nodes,
        }
        found = {
            name: [server.process.pid for server in servers if server.process]
            for name, servers in parts.items()
            if servers
        }
        return found | {"PostgreSQL": [database.pid for database in self.databases.values()]}


@contextmanager
def machines(*, web_processes: int = 2) -> Iterator[Machines]:
    """Start all of it, as far as it can be had. Raises Unavailable without the rest."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        primary = stack.enter_context(own_postgres())
        bouncer = enter(stack, lambda: pooler.pgbouncer(primary))
        cluster = enter(stack, valkey_cluster.cluster)
        # Migrations need a connection of their own: PgBouncer gives them a shared one.
        key, brief_key = make_shop(environment(primary.url))
        replica = stack.enter_context(standby(primary))
        given = environment(
            bouncer.url if bouncer else primary.url,
            **({"REDIS_URL": cluster.url} if cluster else {}),
            DATABASE_REPLICA_URL=replica.url,
            PREPARE_THRESHOLD="5",
            WEB_PROCESSES=str(web_processes if cluster else 1),
            EMAIL_URL=f"filemail://{folder}/e-mail",
        )
        web_servers = [WebServer(given, folder / f"output-{number}") for number in range(WEB_SERVERS)]
        for web_server in web_servers:
            stack.callback(web_server.kill)
            web_server.start()
        worker = Worker(given, folder / "worker")
        stack.callback(worker.kill)
        worker.start()
        nginx = stack.enter_context(proxy.in_front_of(*(server.port for server in web_servers)))
        process = web_servers[0].process
        assert process is not None
        for web_server in web_servers:
            await_answer(Site(web_server.port, process, key, brief_key, web_server.output))
        site = Site(nginx.port, process, key, brief_key, web_servers[0].output)
        databases = {"primary": primary, "replica": replica}
        yield Machines(site, nginx, web_servers, worker, databases, bouncer, cluster)


def enter(stack: ExitStack, start: Callable[[], AbstractContextManager[Part]]) -> Part | None:
    """Start a part that the others can do without; None, and one line, where it cannot be had."""
    try:
        return stack.enter_context(start())
    except Unavailable as reason:
        print(f"Left out: {reason}", file=sys.stderr)
        return None
