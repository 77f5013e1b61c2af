"""nginx with the configuration of reflow/deploy/, in front of a site."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests import programs
from tests.resilience.site import Site
from tests.server import ROOT, free_port, wait_for

CONFIGURATION = ROOT / "reflow" / "deploy" / "nginx.conf"
# What a distribution's nginx.conf says around it. Root drops to a user who cannot read the folder.
MAIN = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes 2;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass
class Nginx:
    """Listens at a port for clients, with a configuration in its folder."""

    program: str
    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        output = self.folder / "output"
        with output.open("a") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", str(self.folder / "nginx.conf"), "-e", str(output)],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self.process, self.port, output)

    def kill(self) -> None:
        """As the kernel does, with all its processes."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def in_front_of(*servers: int) -> Iterator[Nginx]:
    """nginx in front of the servers at these ports. Raises Unavailable."""
    program = programs.get("nginx", package="nginx-light")
    with tempfile.TemporaryDirectory(prefix="reflow-nginx-") as name:
        nginx = Nginx(program, Path(name), free_port())
        make_certificate(nginx.folder)
        (nginx.folder / "site.conf").write_text(configuration(nginx.folder, servers, nginx.port))
        user = "user root;" if os.geteuid() == 0 else ""
        (nginx.folder / "nginx.conf").write_text(MAIN.format(folder=nginx.folder, user=user))
        try:
            nginx.start()
            yield nginx
        finally:
            nginx.kill()


@contextmanager
def proxied(site: Site) -> Iterator[Site]:
    """The site as clients reach it through nginx, over plain HTTP. Raises Unavailable."""
    with in_front_of(site.port) as nginx:
        yield replace(site, port=nginx.port)


def configuration(folder: Path, servers: Sequence[int], port: int) -> str:
    """The configuration as it is shipped, with ports that are free here and a certificate of our own."""
    text = CONFIGURATION.read_text()
    changes = {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "listen 443 ssl": f"listen 127.0.0.1:{free_port()} ssl",
        "/etc/letsencrypt/live/api.example.com": str(folder),
        "/var/log/nginx": str(folder),
    }
    if len(servers) == 1:
        changes["127.0.0.1:8000"] = f"127.0.0.1:{servers[0]}"
    else:
        changes["    server 127.0.0.1:8000 max_fails=0;\n"] = ""
        for number, server in enumerate(servers, start=1):
            changes[f"# server 10.0.0.1{number}:8000"] = f"server 127.0.0.1:{server}"
    for shipped, ours in changes.items():
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    return "".join(line for line in text.splitlines(keepends=True) if "listen [::]" not in line)


def make_certificate(folder: Path) -> None:
    names = ("-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", *names],
        check=True,
        capture_output=True,
    )
