"""Whether it lives and is ready, and what stands at the root."""

from service.api.services import Dependency
from tests.service.api.ground import Ground


def test_health_says_that_the_process_lives(ground: Ground) -> None:
    assert ground.get("/v1/health") == {"status": "ok", "version": "1.2.3"}


def test_ready_names_each_dependency(ground: Ground) -> None:
    ground.dependencies["database"] = Dependency(True, True, "at schema 0001")
    assert ground.get("/v1/ready") == {
        "ready": True,
        "dependencies": {"database": {"ok": True, "required": True, "detail": "at schema 0001"}},
    }


def test_a_required_dependency_that_is_away_makes_it_unready(ground: Ground) -> None:
    ground.dependencies["broker"] = Dependency(False, True, "connection refused")
    answer = ground.client.get("/v1/ready")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False


def test_a_mail_server_that_is_away_is_shown_but_does_not_make_it_unready(ground: Ground) -> None:
    ground.dependencies["mail"] = Dependency(False, False, "connection refused")
    answer = ground.get("/v1/ready")
    assert answer["ready"] is True
    assert answer["dependencies"]["mail"]["ok"] is False


def test_metrics_are_prometheus_text(ground: Ground) -> None:
    answer = ground.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "overfly_positions_total" in answer.text


def test_the_root_leads_to_the_documentation(ground: Ground) -> None:
    answer = ground.client.get("/")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/docs"


def test_the_documentation_needs_no_other_server(ground: Ground) -> None:
    page = ground.client.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    script = ground.client.get("/docs/swagger-ui-bundle.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "SwaggerUIBundle" in script.text
    assert ground.client.get("/docs/swagger-ui.css").headers["content-type"].startswith("text/css")


def test_the_documentation_tells_of_every_operation_what_it_is_for(ground: Ground) -> None:
    document = ground.get("/openapi.json")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert len(operation["summary"]) > 10, (method, path)
            assert all(each.get("description") for each in operation.get("parameters", ())), (method, path)
