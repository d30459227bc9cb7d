from datamate.services.gateway.documents.merge import MergedDocument, merge
from datamate.services.gateway.documents.page import render_page
from datamate.services.gateway.routing.table import ROUTES, RouteTable

ROUTE_TABLE = RouteTable.of(ROUTES, services={"main", "data_management", "runtime"})


def document(path: str) -> dict:
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    operation = {"operationId": "list", "description": "Lists <things>.", "responses": {"200": answer}}
    thing = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Thing"}}}
    return {"paths": {path: {"get": operation}}, "components": {"schemas": {"Thing": thing}}}


def test_equal_names_do_not_clash_when_two_services_have_them():
    merged = merge({"main": document("/users"), "runtime": document("/runtime/runs")}, ROUTE_TABLE)
    assert set(merged["components"]["schemas"]) == {"main_Thing", "runtime_Thing"}
    operation = merged["paths"]["/api/v1/runtime/runs"]["get"]
    assert operation["operationId"] == "runtime_list"
    reference = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert reference == "#/components/schemas/runtime_Thing"
    nested = merged["components"]["schemas"]["main_Thing"]["properties"]["next"]["$ref"]
    assert nested == "#/components/schemas/main_Thing"


def test_path_is_left_out_when_the_gateway_does_not_route_it_to_that_service():
    merged = merge({"main": document("/internal/x"), "runtime": document("/users")}, ROUTE_TABLE)
    assert merged["paths"] == {}


def test_page_escapes_what_the_document_says_when_it_is_rendered():
    page = render_page(merge({"main": document("/users")}, ROUTE_TABLE))
    assert "Lists &lt;things&gt;." in page


async def test_missing_service_is_named_and_asked_again_when_it_does_not_answer():
    class Silent:
        async def fetch(self, _path: str) -> tuple[int, bytes]:
            return 503, b"{}"

    merged = MergedDocument({"main": Silent()}, ROUTE_TABLE)
    for _ in range(2):
        assert "main" in (await merged.read())["info"]["description"]
