"""The main service: signing in, users, roles and tasks."""

from collections.abc import AsyncGenerator

from pydantic import SecretStr

from datamate.clients.caller import Call, Caller, segment
from datamate.clients.pages import iterate_pages
from datamate.clients.transport import Transport
from datamate.clients.watch import watch
from datamate.contracts.main.auth import AccessToken, LoginRequest
from datamate.contracts.main.tasks import FINAL_STATUSES, Task, TaskStatus
from datamate.contracts.main.users import CreateUserRequest, Role, UpdateUserRequest, User
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE


class MainClient:
    """Typed calls of the main service; every one raises the `DatamateError` that the service raised."""

    def __init__(self, transport: Transport, *, deadline_seconds: float = 30.0) -> None:
        self._caller = Caller(transport, deadline_seconds=deadline_seconds)

    async def login(self, username: str, password: SecretStr) -> AccessToken:
        """Return an access token for a user.

        Raises:
            UnauthenticatedError: There is no such user, the password is wrong, or the account is disabled.
        """
        body = LoginRequest(username=username, password=password)
        return await self._caller.fetch(Call("POST", "/auth/login", body=body), AccessToken)

    async def get_me(self) -> User:
        """Return the account that the calls are made with."""
        return await self._caller.fetch(Call("GET", "/users/me"), User)

    async def list_users(self, *, cursor: str | None = None, limit: int = DEFAULT_PAGE_SIZE) -> Page[User]:
        """Return a page of accounts."""
        return await self._caller.fetch(Call("GET", "/users", {"cursor": cursor, "limit": limit}), Page[User])

    def iterate_users(self, *, page_size: int = 200) -> AsyncGenerator[User, None]:
        """Yield every account."""
        return iterate_pages(lambda cursor: self.list_users(cursor=cursor, limit=page_size))

    async def create_user(self, request: CreateUserRequest) -> User:
        """Make an account.

        Raises:
            ConflictError: The name is taken.
        """
        return await self._caller.fetch(Call("POST", "/users", body=request), User)

    async def get_user(self, user_id: int) -> User:
        """Return one account."""
        return await self._caller.fetch(Call("GET", f"/users/{segment(user_id)}"), User)

    async def update_user(self, user_id: int, request: UpdateUserRequest) -> User:
        """Change an account; fields left out stay as they are."""
        return await self._caller.fetch(Call("PATCH", f"/users/{segment(user_id)}", body=request), User)

    async def list_roles(self) -> Page[Role]:
        """Return every role with its permissions."""
        return await self._caller.fetch(Call("GET", "/roles"), Page[Role])

    async def list_tasks(
        self,
        *,
        status: TaskStatus | None = None,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int = DEFAULT_PAGE_SIZE,
    ) -> Page[Task]:
        """Return a page of tasks, newest first."""
        query = {"status": status, "kind": kind, "cursor": cursor, "limit": limit}
        return await self._caller.fetch(Call("GET", "/tasks", query), Page[Task])

    def iterate_tasks(
        self, *, status: TaskStatus | None = None, kind: str | None = None, page_size: int = 200
    ) -> AsyncGenerator[Task, None]:
        """Yield every task, newest first."""
        return iterate_pages(lambda cursor: self.list_tasks(status=status, kind=kind, cursor=cursor, limit=page_size))

    async def get_task(self, task_id: str) -> Task:
        """Return one task."""
        return await self._caller.fetch(Call("GET", f"/tasks/{segment(task_id)}"), Task)

    async def cancel_task(self, task_id: str) -> Task:
        """Ask a task to stop and return it as it is then; one that has ended stays as it is."""
        return await self._caller.fetch(Call("POST", f"/tasks/{segment(task_id)}/cancel"), Task)

    def watch_task(self, task_id: str) -> AsyncGenerator[Task, None]:
        """Yield a task as it is now and at every change until it has ended, across broken connections."""
        path = f"/tasks/{segment(task_id)}/events"
        return watch(self._caller, path, Task, has_ended=lambda task: task.status in FINAL_STATUSES)
