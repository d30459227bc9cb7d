"""Who gets in, and what each role may do."""

import pytest

from datamate import Client
from datamate.core.errors import PermissionDeniedError, UnauthenticatedError
from e2e.conftest import PASSWORD
from e2e.http_calls import call, get_token

DATASETS = "/api/v1/data-management/datasets"


def test_own_account_is_shown_when_signed_in(admin, site):
    me = admin.users.me()
    assert (me.username, me.role, me.enabled) == (site.username, "ADMIN", True)


@pytest.mark.parametrize("username", ["admin", "nobody"])
def test_sign_in_is_refused_when_password_is_wrong(site, username):
    answer = call(site, "POST", "/api/v1/auth/login", {"username": username, "password": "wrong"})
    problem = answer.problem(401)
    assert "password" in problem["detail"].lower()
    with pytest.raises(UnauthenticatedError):
        Client.login(site.url, username, "wrong")


@pytest.mark.parametrize("token", [None, "x", "a.b.c"])
def test_request_is_refused_when_token_is_none_of_ours(site, token):
    answer = call(site, "GET", DATASETS, token=token)
    answer.problem(401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_client_says_how_to_sign_in_when_token_is_old(site):
    with Client(site.url, "an.old.token") as client, pytest.raises(UnauthenticatedError, match="datamate login --url"):
        client.users.me()


def test_viewer_reads_and_changes_nothing_when_signed_in(site, viewer):
    token = get_token(site, "viewer", PASSWORD)
    assert list(viewer.datasets.list(tag="no such tag")) == []
    assert viewer.operators.get("text_length_filter").kind == "filter"
    for method, path, body in (
        ("POST", DATASETS, {"name": "x"}),
        ("POST", "/api/v1/runtime/runs", {"recipe": "process: []", "dataset_id": "x"}),
        ("GET", "/api/v1/users", None),
        ("POST", "/api/v1/users", {"username": "x", "password": PASSWORD, "role": "ADMIN"}),
    ):
        call(site, method, path, body, token=token).problem(403)


def test_editor_changes_data_and_no_users_when_signed_in(editor):
    dataset = editor.datasets.create("of the editor")
    editor.datasets.delete(dataset)
    with pytest.raises(PermissionDeniedError):
        list(editor.users.list())


def test_dataset_of_another_stays_when_editor_deletes_it(admin, editor):
    dataset = admin.datasets.create("of the administrator")
    with pytest.raises(PermissionDeniedError):
        editor.datasets.delete(dataset)
    admin.datasets.delete(dataset)


def test_user_is_out_at_once_when_disabled(site, admin):
    user = admin.users.create("leaver", PASSWORD, role="EDITOR")
    with Client.login(site.url, "leaver", PASSWORD) as client:
        assert client.users.me().username == "leaver"
        admin.users.update(user.id, enabled=False)
        with pytest.raises(UnauthenticatedError):
            client.users.me()
    with pytest.raises(UnauthenticatedError):
        Client.login(site.url, "leaver", PASSWORD)


def test_identity_is_not_taken_from_headers_when_client_sends_them(site):
    call(site, "GET", DATASETS, User="admin", X_User_Name="admin", X_Datamate_Principal="admin").problem(401)


def test_documents_of_all_services_are_one_when_asked(site, admin):
    assert admin.users.me()
    paths = call(site, "GET", "/api/v1/openapi.json", token=get_token(site, site.username, site.password)).json["paths"]
    for path in ("/auth/login", "/data-management/uploads", "/runtime/runs", "/tasks"):
        assert f"/api/v1{path}" in paths


def test_address_is_a_problem_when_there_is_nothing(site):
    token = get_token(site, site.username, site.password)
    call(site, "GET", "/api/v1/nothing", token=token).problem(404)
    call(site, "GET", "/nothing").problem(404)
    call(site, "DELETE", "/api/v1/users/me", token=token).problem(405)


def test_gateway_is_ready_when_it_runs(site):
    assert call(site, "GET", "/health/live").status == 200
    assert call(site, "GET", "/health/ready").status == 200
