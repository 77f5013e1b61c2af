"""nginx with the configuration of reflow/deploy/, in front of a site."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests import programs
from tests.resilience.site import Site
from tests.server import ROOT, free_port, wait_for

REMEDY = "Install nginx (on Debian and Ubuntu: apt install nginx-light)."
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


class Unavailable(Exception):
    """No nginx could be started; says why not."""


@contextmanager
def proxied(site: Site) -> Iterator[Site]:
    """The site as clients reach it through nginx, over plain HTTP. Raises Unavailable."""
    nginx = programs.find("nginx", package="nginx-light")
    if nginx is None:
        raise Unavailable("no nginx was found.")
    with tempfile.TemporaryDirectory(prefix="reflow-nginx-") as name:
        folder = Path(name)
        make_certificate(folder)
        port = free_port()
        (folder / "site.conf").write_text(configuration(folder, site.port, port))
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
        output = folder / "output"
        with output.open("w") as log:
            process = subprocess.Popen(
                [nginx, "-c", str(folder / "nginx.conf"), "-e", str(output)], stdout=log, stderr=log
            )
        try:
            wait_for(process, port, output)
            yield replace(site, port=port)
        finally:
            process.terminate()
            process.wait()


def configuration(folder: Path, upstream: int, port: int) -> str:
    """The configuration as it is shipped, with ports that are free here and a certificate of our own."""
    text = CONFIGURATION.read_text()
    for shipped, ours in {
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "listen 443 ssl": f"listen 127.0.0.1:{free_port()} ssl",
        "/etc/letsencrypt/live/api.example.com": str(folder),
    }.items():
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
