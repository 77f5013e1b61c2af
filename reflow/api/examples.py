"""Examples of bodies in the OpenAPI schema, from the demo's store. A test holds them to the schema."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STORE_ID = "267418190"
ADDRESS = f"https://api.reflowhq.com/v1/stores/{STORE_ID}"

# A body for each component, by its name; of a page or an array, one object.
EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text("utf-8"))


def add_examples(paths: dict[str, Any]) -> None:
    """Add to each operation an example of the object's id in its path and of every JSON body."""
    for path, operations in paths.items():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path" and "example" not in parameter:
                    parameter["example"] = id_of(path.split("/")[-2])
            for media in json_bodies(operation):
                media["example"] = example_of(media["schema"], path)


def parameter_example(name: str, path: str) -> str:
    """Return the example of a parameter in a path."""
    if name == "prefix":
        return str(EXAMPLES["ApiKey"]["prefix"])
    return STORE_ID if name == "store_id" else id_of(path.split("/")[-2])


def json_bodies(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    successes = [body for status, body in operation["responses"].items() if status.startswith("2")]
    for body in [operation.get("requestBody", {}), *successes]:
        yield from body.get("content", {}).values()


def example_of(schema: dict[str, Any], path: str) -> Any:
    """Return the example of an object, of an array of them, or of a page of them."""
    if schema.get("type") == "array":
        return [example_of(schema["items"], path)]
    name = schema["$ref"].rpartition("/")[2]
    if name in EXAMPLES:
        return EXAMPLES[name]
    address = f"{ADDRESS}/{path.rpartition('/')[2]}?page="
    return {
        "data": [EXAMPLES[name.removeprefix("Paginated").removesuffix("List")]],
        "links": {"first": f"{address}1", "last": f"{address}9", "prev": None, "next": f"{address}2"},
        "meta": {"current_page": 1, "from": 1, "to": 1, "per_page": 1, "last_page": 9, "total": 9},
    }


def id_of(resource: str) -> str:
    """Return the id in the example of a resource's object, such as ``products``."""
    return next(str(example["id"]) for name, example in EXAMPLES.items() if plural(name) == resource)


def plural(name: str) -> str:
    return f"{name.lower().removesuffix('y')}{'ies' if name.endswith('y') else 's'}"
