"""Whatever is wrong is answered with a problem document that says what would be right."""

import socket

import pytest
from sqlalchemy import text

from tests.service.api.ground import Ground, square

LISTS = [
    "/v1/devices",
    "/v1/events",
    "/v1/rejects",
    "/v1/alerts",
    "/v1/geofences",
    "/v1/trackers",
    "/v1/collections",
    "/v1/trackers/default/collections",
    "/v1/collections/default/trackers",
]
NO_LISTS = ["/v1/health", "/v1/ready", "/metrics", "/v1/geofences/x", "/v1/trackers/default"]
OURS = ["localhost", "localhost:99", "127.0.0.1:80", "[::1]:80", "[::1]", "fleet.example:1", "LocalHost"]
NOT_OURS = ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "evil.example:80", "", "[::2]"]
WRITES = [("POST", "/v1/positions"), ("PUT", "/v1/geofences/x"), ("DELETE", "/v1/devices/x")]


def test_nothing_is_at_an_unknown_path(ground: Ground) -> None:
    problem = ground.problem(404, "GET", "/v2/devices")
    assert problem == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is nothing at /v2/devices; /docs lists what there is",
    }
    for path in ("/v1", "/v1/", "/v1/devices/", "/v1/devices//positions", "/v1/health/x"):
        ground.problem(404, "GET", path)


def test_a_method_that_is_not_possible_is_answered_with_those_that_are(ground: Ground) -> None:
    for path, allowed in [
        ("/v1/devices/x", "DELETE, GET, HEAD"),
        ("/v1/geofences", "GET, HEAD, POST"),
        ("/v1/geofences/x", "DELETE, GET, HEAD, PUT"),
        ("/v1/trackers/a/collections/b", "DELETE, PUT"),
        ("/docs", "GET, HEAD"),
    ]:
        answer = ground.client.patch(path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == allowed
        assert answer.headers["content-type"] == "application/problem+json"
        assert allowed in answer.json()["detail"]


def test_head_is_get_without_its_content(ground: Ground) -> None:
    for path in ("/v1/devices", "/docs", "/metrics"):
        head, get = ground.client.head(path), ground.client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", LISTS)
def test_every_list_judges_its_limit_cursor_and_parameters(ground: Ground, path: str) -> None:
    for limit in ("0", "1001", "-1", "", "ten", "1.5", "9" * 30, "1e3", "NaN"):
        problem = ground.problem(400, "GET", path, params={"limit": limit})
        assert problem["errors"][0]["parameter"] == "limit"
    for cursor in ("", "x", "!!", "bnVsbA", "W10", "é", "a" * 5000):
        assert "cursor" in ground.problem(400, "GET", path, params={"cursor": cursor})["detail"]
    (fault,) = ground.problem(400, "GET", path, params={"limitt": "1"})["errors"]
    assert (fault["in"], fault["parameter"], fault["reason"]) == ("query", "limitt", "unknown_parameter")
    assert "limit" in ground.problem(400, "GET", f"{path}?limit=1&limit=2")["detail"]


def test_an_unknown_parameter_is_named_everywhere(ground: Ground) -> None:
    for path in NO_LISTS:
        assert "verbose" in ground.problem(400, "GET", path, params={"verbose": "1"})["detail"]


def test_a_cursor_of_another_list_is_refused(ground: Ground) -> None:
    ground.client.post("/v1/trackers", json={"trackerName": "trucks"})
    cursors = {path: ground.get(path)["resumeCursor"] for path in LISTS}
    for path in LISTS:
        for other, cursor in cursors.items():
            if other == path:
                ground.get(path, cursor=cursor)
            else:
                ground.problem(400, "GET", path, params={"cursor": cursor})
    ground.problem(400, "GET", "/v1/events", params={"cursor": cursors["/v1/events"], "tracker": "trucks"})


def test_a_name_in_a_path_that_cannot_be_is_refused(ground: Ground) -> None:
    for name in ("%00", "a%00b", "%FF", "a b", "%0Ab", "x" * 101, "%F0%9F%9B%A9", "%3Cscript%3E", "'--"):
        for noun in ("devices", "geofences", "trackers", "collections"):
            for method in ("GET", "DELETE"):
                ground.problem(400, method, f"/v1/{noun}/{name}")
    ground.problem(400, "PUT", "/v1/geofences/a b", json=square("a b", 1, 1))


def test_an_escaped_slash_is_part_of_no_name(ground: Ground) -> None:
    ground.problem(404, "GET", "/v1/devices/x%2Fpositions")
    ground.problem(404, "DELETE", "/v1/trackers/default%2fcollections%2Fdefault")
    assert len(ground.get("/v1/trackers/default/collections")["items"]) == 1


def test_names_of_any_script_are_names(ground: Ground) -> None:
    for name in ("Zürich", "東京", "..", ".", "a_b-c.d", "x" * 100):
        path = f"/v1/geofences/{name.replace('.', '%2E')}"
        assert ground.client.put(path, json=square(name, 1, 1)).status_code == 201
        assert ground.client.get(path).json()["id"] == name


def test_only_our_own_hosts_are_served(ground: Ground) -> None:
    for host in OURS:
        assert ground.client.get("/v1/health", headers={"Host": host}).status_code == 200
    for host in NOT_OURS:
        ground.problem(421, "GET", "/v1/health", headers={"Host": host})


def test_a_page_of_another_site_changes_nothing(ground: Ground) -> None:
    own = str(ground.client.base_url)
    for origin in ("http://evil.example", "null", "http://localhost:1", "https://127.0.0.1", "file://"):
        for method, path in WRITES:
            ground.problem(403, method, path, headers={"Origin": origin})
    answer = ground.client.put("/v1/geofences/x", json=square("x", 1, 1), headers={"Origin": own})
    assert answer.status_code == 201
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_is_away_is_said_with_when_to_come_again(ground: Ground) -> None:
    with ground.database.write() as connection:
        connection.execute(text("ALTER TABLE event RENAME TO gone"))
    answer = ground.client.get("/v1/events")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0


def test_an_error_nobody_foresaw_is_a_problem_document_too(ground: Ground) -> None:
    @ground.app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError

    problem = ground.problem(500, "GET", "/broken")
    assert "ZeroDivision" not in problem["detail"]


def test_a_client_that_hangs_up_in_the_middle_of_its_body_harms_nobody(ground: Ground) -> None:
    url = ground.client.base_url
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(b"POST /v1/positions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n[")
    assert ground.get("/v1/health")["status"] == "ok"
