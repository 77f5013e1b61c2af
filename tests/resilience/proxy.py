"""nginx with the configuration of reflow/deploy/, in front of a site."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests import programs
from tests.resilience.site import Site
from tests.server import ROOT, Program, free_port

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


@contextmanager
def nginx(*servers: int) -> Iterator[Program]:
    """nginx in front of the servers at these ports; its files are beside its output. Raises Unavailable."""
    program = programs.get("nginx", package="nginx-light")
    with tempfile.TemporaryDirectory(prefix="reflow-nginx-") as name:
        folder, port = Path(name), free_port()
        make_certificate(folder)
        (folder / "site.conf").write_text(configuration(folder, servers, port))
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
        output = folder / "output"
        started = Program([program, "-c", str(folder / "nginx.conf"), "-e", str(output)], output, port)
        with started.running():
            yield started


@contextmanager
def proxied(site: Site) -> Iterator[Site]:
    """The site as clients reach it through nginx, over plain HTTP. Raises Unavailable."""
    with nginx(site.port) as proxy:
        yield replace(site, url=f"http://127.0.0.1:{proxy.port}")


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
