import pytest

from tests.shop import Caller, refused


@pytest.mark.parametrize("order", ["price", "%", "100%_asc", "%(known)s", "date_desc,\ud83d"])
def test_an_unknown_order_is_named_whatever_it_is(api: Caller, order: str) -> None:
    answer = api.get("/products/", {"order": order.encode(errors="replace")})
    unknown = order.encode(errors="replace").decode().removeprefix("date_desc,")
    assert refused(answer)["order"][0].startswith(f"Unknown order {unknown}: use some of name_asc, ")
