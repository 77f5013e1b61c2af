"""Linters of other people's CI accept the OpenAPI schema, and generators make typed clients that work."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.wsgi import get_wsgi_application
from django.test import Client

from reflow.api.schema import get_schema
from stores.models import Store
from stores.resources import Resource
from tests import programs
from tests.conftest import IssueKey
from tests.kept import kept
from tests.shop import make_customer, make_order, make_product
from tests.specimens import Specimens, make_specimens

HERE = Path(__file__).parent
# A generator reads the second beside its package.
PACKAGES = (HERE / "package.json", HERE / "tsconfig.json")
REMEDY = "Install Node.js 20 or newer, with npm and access to a registry."


def run_package(program: str, *arguments: str, cwd: Path) -> str:
    """Run a program of the packages. npx takes half a second to find it."""
    return run(str(cwd / "node_modules" / ".bin" / program), *arguments, cwd=cwd)


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schema in a file, as the server sends it."""
    path = tmp_path_factory.mktemp("schema") / "openapi.json"
    server = {"url": "https://api.reflowhq.com", "x-internal": False}
    path.write_text(json.dumps(get_schema() | {"servers": [server]}))
    return path


def install_packages(folder: Path) -> None:
    for path in PACKAGES:
        shutil.copy(path, folder)
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefer-offline"]
    subprocess.run(install, cwd=folder, check=True, timeout=300, capture_output=True)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, schema: Path) -> Path:
    """A folder with the packages of package.json, the programs beside it and the schema."""
    folder = tmp_path_factory.mktemp("node")
    for pattern in ("*.json", "*.yaml", "*.ts", "*.mjs"):
        for path in HERE.glob(pattern):
            shutil.copy(path, folder)
    shutil.copy(schema, folder)
    try:
        with kept("node", PACKAGES, install_packages) as packages:
            (folder / "node_modules").symlink_to(packages / "node_modules")
    except (OSError, subprocess.SubprocessError) as error:
        programs.skip(f"No linters ({error}). {REMEDY}")
    return folder


@pytest.fixture
def specimens(store: Store) -> Specimens:
    return make_specimens(store)


def test_redocly_has_no_finding(node: Path) -> None:
    lint = ("lint", "openapi.json", "--extends=recommended", "--format=json")
    findings = json.loads(run_package("redocly", *lint, cwd=node))
    assert findings["problems"] == []


def test_spectral_has_no_finding(node: Path) -> None:
    lint = ("lint", "openapi.json", "--ruleset=spectral.yaml", "--fail-severity=hint", "--format=text")
    run_package("spectral", *lint, cwd=node)


@pytest.fixture
def generated(tmp_path: Path, schema: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client that openapi-python-client has made of the schema, imported."""
    folder = tmp_path / "generated_client"
    generate = ("generate", "--meta=none", f"--path={schema}", f"--output-path={folder}")
    run(sys.executable, "-m", "openapi_python_client", *generate, cwd=tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "generated_client"]:
        del sys.modules[name]


def part(name: str) -> Any:
    return importlib.import_module(f"generated_client.{name}")


@pytest.mark.django_db(transaction=True)
def test_a_generated_python_client_works(generated: Path, issue: IssueKey, specimens: Specimens) -> None:
    _, key = issue(access=["products:write"])
    transport = httpx.WSGITransport(app=get_wsgi_application())
    client = part("client").AuthenticatedClient(
        base_url="http://testserver", token=key, httpx_args={"transport": transport}
    )
    store_id = str(specimens.store.pk)
    product_id = str(specimens.ids[Resource.PRODUCTS][0])

    page = part("api.products.list_products").sync(store_id, client=client, perpage=1)
    assert (len(page.data), page.meta.total, page.meta.last_page) == (1, 2, 2)
    by_cursor = part("api.products.list_products").sync(store_id, client=client, cursor="")
    assert [product.name for product in by_cursor.data] == ["Gift card", "Mug"]

    models = part("models")
    body = models.PatchedProductRequest(name="Bigger mug")
    changed = part("api.products.update_product").sync(store_id, product_id, client=client, body=body)
    assert (changed.name, len(changed.variants.items)) == ("Bigger mug", 2)
    refused = part("api.orders.list_orders").sync(store_id, client=client)
    assert refused.code == "resource_not_allowed"
    received = part("api.own_key.revoke_api_keys").sync(
        client=client, body=models.LeakedKeysRequest(keys=[key])
    )
    assert received.received == 1
    assert Client().get("/v1/api-key/", headers={"Authorization": f"Bearer {key}"}).status_code == 401


@pytest.fixture(scope="module")
def typed(node: Path) -> Path:
    """The same folder once the generators have made their clients, and TypeScript found no mistake."""
    generators = (
        "openapi-typescript openapi.json --output=schema.ts",
        "openapi-ts -i openapi.json -o hey-api -c @hey-api/client-fetch",
        "orval --input openapi.json --output orval/client.ts",
    )
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda generator: run_package(*generator.split(), cwd=node), generators))
    run_package("tsc", cwd=node)
    return node


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("client", ["openapi-fetch", "hey-api", "orval"])
def test_a_generated_typescript_client_is_typed_and_works(
    typed: Path, live_server: Any, issue: IssueKey, specimens: Specimens, client: str
) -> None:
    _, key = issue(access=["products:write"])
    product = str(specimens.ids[Resource.PRODUCTS][0])
    found = json.loads(run("node", f"{client}.js", live_server.url, key, product, cwd=typed))
    assert found == {
        "names": ["Gift card", "Mug"],
        "changed": "Mug!",
        "variants": 2,
        "code": "resource_not_allowed",
    }


@pytest.mark.django_db(transaction=True)
def test_got_and_undici_read_a_whole_list_by_its_links(
    node: Path, live_server: Any, store: Store, issue: IssueKey
) -> None:
    ada = make_customer(store)
    for number in range(1, 8):
        make_order(ada, number)
    _, key = issue(access=["orders:read"])
    read = json.loads(run("node", "paging.mjs", live_server.url, key, cwd=node))
    assert read == {"byGot": [7, 6, 5, 4, 3, 2, 1], "byUndici": [7, 6, 5, 4, 3, 2, 1]}


@pytest.mark.django_db(transaction=True)
def test_the_published_add_to_cart_sells_no_more_than_there_is(
    node: Path, live_server: Any, store: Store
) -> None:
    mug = make_product(store, max_quantity=30)
    for name, quantity in (("Small", 22), ("Large", 200), ("Huge", 0)):
        mug.variants.create(name=name, price=1, quantity=quantity)
    clicked = run(
        "node", "add-to-cart.mjs", f"{live_server.url}/v1/projects/{store.pk}/products/{mug.pk}", cwd=node
    )
    button = "add_to_cart.button_text"
    assert json.loads(clicked) == {"Small": [22, button], "Large": [30, button], "Huge": [1, "out_of_stock"]}
