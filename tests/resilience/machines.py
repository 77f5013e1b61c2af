"""The site on several machines, as the guide deploys it, all of them this one: each part can be killed."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests import valkey_cluster
from tests.postgres import Postgres
from tests.programs import Unavailable
from tests.resilience import pooler, proxy
from tests.resilience.load import Load
from tests.resilience.pooler import PgBouncer
from tests.resilience.scenarios import Fault, Part, is_limited, killed
from tests.resilience.servers import standby
from tests.resilience.site import Site, environment, make_keys
from tests.server import Program, free_port
from tests.valkey_cluster import Cluster

Started = TypeVar("Started")

ROLLING_RESTART = "A rolling restart of both web servers"
# What systemd does: the third file of the process is the socket.
WITH_SOCKET = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--config", "python:reflow.server.gunicorn"])
"""


@dataclass
class WebServer(Program):
    """A machine with reflow.socket and reflow.service: connections wait in the socket during a restart."""

    listener: socket.socket | None = None

    def start(self) -> "subprocess.Popen[bytes]":
        if self.listener is None:
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=2048)
        handle = self.listener.fileno()
        self.command = [sys.executable, "-c", WITH_SOCKET, str(handle)]
        self.options["pass_fds"] = [handle]
        return super().start()

    def restart(self) -> None:
        """As systemctl does."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """As when the machine loses its power: the socket goes as well."""
        super().kill()
        if self.listener is not None:
            self.listener.close()
            self.listener = None


@dataclass(frozen=True)
class Machines:
    """``site`` is what clients reach through nginx. What can be killed has a name each."""

    site: Site
    web_servers: list[WebServer]
    nginx: Program
    databases: dict[str, Postgres]
    worker: Program
    bouncer: PgBouncer | None
    cluster: Cluster | None

    def pids(self) -> dict[str, list[int]]:
        """The first processes of each part that takes a share of a request."""
        parts: dict[str, Sequence[Program]] = {"web servers": self.web_servers, "nginx": [self.nginx]}
        if self.bouncer:
            parts["PgBouncer"] = [self.bouncer]
        if self.cluster:
            parts["Valkey"] = self.cluster.nodes
        found = {name: [one.process.pid for one in ones if one.process] for name, ones in parts.items()}
        return found | {"PostgreSQL": [database.pid for database in self.databases.values()]}

    def faults(self) -> dict[str, Fault]:
        """Return the faults by their names."""
        parts: dict[str, Part | None] = {
            "A web server": self.web_servers[0],
            "The worker": self.worker,
            "nginx": self.nginx,
            "PgBouncer": self.bouncer,
            **{f"PostgreSQL ({name})": database for name, database in self.databases.items()},
        }
        # One of them has the counter of the key, another one in the next minute.
        for number, node in enumerate(self.cluster.nodes if self.cluster else [], start=1):
            parts[f"Valkey node {number}"] = node
        faults = [
            Fault("Nothing", ExitStack),
            Fault(ROLLING_RESTART, ExitStack, self.restart_in_turn, is_limited),
            *(
                Fault(
                    f"{name} killed",
                    partial(killed, part),
                    is_well=is_limited,
                    loses_usage=part in self.web_servers,
                )
                for name, part in parts.items()
                if part
            ),
        ]
        return {fault.name: fault for fault in faults}

    def restart_in_turn(self, load: Load) -> None:
        """Restart one web server after the other, as for a new release."""
        for web_server in self.web_servers:
            web_server.restart()
            load.goes_well(40)


@contextmanager
def machines(primary: Postgres, *, web_processes: int = 2) -> Iterator[Machines]:
    """Start all of it around the primary, as far as it can be had. Raises Unavailable without the rest."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bouncer = enter(stack, lambda: pooler.pgbouncer(primary))
        cluster = enter(stack, valkey_cluster.cluster)
        # Migrations need a connection of their own: PgBouncer gives them a shared one.
        keys = make_keys(environment(primary.url))
        replica = stack.enter_context(standby(primary))
        variables = environment(
            bouncer.url if bouncer else primary.url,
            **({"REDIS_URL": cluster.url} if cluster else {}),
            DATABASE_REPLICA_URL=replica.url,
            PREPARE_THRESHOLD="5",
            WEB_PROCESSES=str(web_processes if cluster else 1),
            EMAIL_URL=f"filemail://{folder}/e-mail",
        )
        web_servers = [
            WebServer([], folder / f"output-{number}", free_port(), {"env": variables}) for number in (1, 2)
        ]
        worker = Program(
            [sys.executable, "manage.py", "db_worker"], folder / "worker", options={"env": variables}
        )
        for program in (*web_servers, worker):
            stack.enter_context(program.running())
        nginx = stack.enter_context(proxy.nginx(*(server.port for server in web_servers)))
        sites = []
        for program in (*web_servers, nginx):
            assert program.process is not None
            url = f"http://127.0.0.1:{program.port}"
            sites.append(Site(url, primary.url, program.output, program.process, *keys))
            sites[-1].await_answer()
        databases = {"primary": primary, "replica": replica}
        yield Machines(sites[-1], web_servers, nginx, databases, worker, bouncer, cluster)


def enter(stack: ExitStack, start: Callable[[], AbstractContextManager[Started]]) -> Started | None:
    """Start a part that the others can do without; None, and one line, where it cannot be had."""
    try:
        return stack.enter_context(start())
    except Unavailable as reason:
        print(f"Left out: {reason}", file=sys.stderr)
        return None
