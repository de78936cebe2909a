"""The paths of the live board: the page, its files, what it asks, and what goes out live."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

import msgspec
from aiohttp import web

from grafana.filling import Blanks
from manometer import __version__
from manometer.board.alert_list import AlertList, alert_list_of
from manometer.board.answering import Asker
from manometer.board.asking import (
    board_of,
    check_names,
    chosen_of,
    frame_of,
    one,
    panel_of,
    variable_of,
    watched_of,
)
from manometer.board.csv_export import csv_text
from manometer.board.describing import Boards
from manometer.board.live import VIEWERS, Live
from manometer.board.pages import login_page, own_address
from manometer.board.reading import Reader, TooMuch, Unreadable
from manometer.board.replaying import Replays
from manometer.board.requests import check_site, form_in, given_in
from manometer.board.runbooks import Runbooks
from manometer.board.sessions import LASTS, Tries, check_session, cookie_name, session
from manometer.board.static_files import PAGE, StaticFile
from manometer.board.work import Answers, Body, Work, body_of
from manometer.intake.access import Access, Denied

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONNECTIONS: Final = 4 * VIEWERS
"""Browsers keep some open for a while."""
WRITE_SECONDS: Final = 30.0
"""A viewer that takes nothing for so long is let go."""
_JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}
_OPEN: Final = ("/static/", "/login")
_OWN: Final = ("/api/", "/runbooks/", *_OPEN)
_AGAIN: Final = b"retry: 1000\n\n"


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown."""

    boards: Boards
    reader: Reader
    store: str
    """What the reader reads, for people."""
    files: Mapping[str, StaticFile]
    runbooks: Runbooks
    replays: Replays
    alert_tags: Sequence[str] = ()
    """Names of tags that alerts may have."""


class BoardPaths:
    """A part of a server: the live board."""

    paths = (
        "/",
        "/api/boards",
        "/api/query",
        "/api/series",
        "/api/alerts",
        "/api/health",
        "/api/live",
        "/runbooks/NAME",
    )
    connections = CONNECTIONS

    def __init__(self, content: Content, access: Access) -> None:
        """Prepare; the reader belongs to it from now on."""
        self._content = content
        self._access = access
        self._work = Work()
        self._answers = Answers()
        self._tries = Tries()
        self.live = Live(self._work, content.reader, content.boards, now)
        self._described = body_of(msgspec.json.encode(content.boards.described(__version__)))

    def routes(self) -> Iterable[web.RouteDef]:
        """Give the paths with their handlers."""
        yield web.get("/", self._checked(self._page))
        yield web.get("/static/{name:.+}", self._static)
        yield web.post("/login", self._login)
        yield web.get("/runbooks/{name}", self._checked(self._runbook))
        yield web.get("/api/boards", self._checked(self._boards))
        yield web.get("/api/query", self._checked(self._query))
        yield web.get("/api/series", self._checked(self._series))
        yield web.get("/api/alerts", self._checked(self._alerts))
        yield web.get("/api/health", self._checked(self._health))
        yield web.get("/api/live", self._checked(self._live), allow_head=False)

    def guards(self, path: str) -> bool:
        """Say whether a path is one of the board's: a cookie opens these too."""
        return path == "/" or path.startswith(_OWN)

    async def end(self) -> None:
        """Let the viewers go."""
        self.live.close()

    def close(self) -> None:
        """Let go of the store, once nobody is served any more. Blocks."""
        self._work.close()
        self._content.reader.close()

    def _checked(self, handler: Handler) -> Handler:
        """Look who asks, and say what is wrong with the store in the form of all failures."""

        async def checked(request: web.Request) -> web.StreamResponse:
            try:
                check_session(self._access, request.headers, time.time())
                check_site(request.headers)
                return await handler(request)
            except TooMuch as error:
                raise Denied(413, "too-much", str(error)) from None
            except Unreadable as error:
                raise Denied(503, "store", str(error)) from None
            except Denied as denied:
                if denied.status == web.HTTPUnauthorized.status_code and not request.path.startswith("/api/"):
                    return _login_page(request.path_qs)
                raise

        return checked

    # --- pages

    async def _page(self, request: web.Request) -> web.Response:
        return _file(request, self._content.files.get(PAGE))

    async def _static(self, request: web.Request) -> web.Response:
        return _file(request, self._content.files.get(request.match_info["name"]))

    async def _runbook(self, request: web.Request) -> web.Response:
        render = partial(self._content.runbooks.render, request.match_info["name"])
        found, text = await self._work.asked(render)
        return web.Response(text=text, content_type="text/html", status=200 if found else 404)

    async def _login(self, request: web.Request) -> web.StreamResponse:
        form = await form_in(request)
        token, following = (form.get(name, [""])[-1] for name in ("token", "next"))
        seconds = time.time()
        self._tries.check(seconds)
        if not self._access.is_token(token):
            self._tries.failed(seconds)
            return _login_page(following, "This is not the token.")
        answer = web.Response(status=303, headers={"Location": own_address(following)})
        if self._access.token is not None:
            name, content = cookie_name(self._access.token), session(self._access.token, int(seconds) + LASTS)
            answer.set_cookie(name, content, max_age=LASTS, httponly=True, samesite="Strict", path="/")
        return answer

    # --- what the page asks

    async def _boards(self, request: web.Request) -> web.Response:
        check_names(self._content.boards, given_in(request), set())
        return _json(request, self._described)

    async def _query(self, request: web.Request) -> web.Response:
        given = given_in(request)
        check_names(self._content.boards, given, {"board", "panel", "from", "to", "width", "format"})
        board = board_of(self._content.boards, given)
        number, panel = panel_of(board, given)
        chosen, frame = chosen_of(board, given), frame_of(given).shared(now())
        form = one(given, "format", "json")
        if form not in {"json", "csv"}:
            raise Denied(400, "format", f"expected format=json or format=csv, got {form[:20]!r}")
        asker = Asker(self._content.reader, board.uid, number, panel, chosen)

        def make() -> Body:
            answer = asker.answer(frame)
            return body_of(csv_text(answer).encode() if form == "csv" else msgspec.json.encode(answer))

        key = (board.uid, number, frame, chosen, form)
        body = await self._answers.get(key, lambda: self._work.asked(make))
        if form == "json":
            return _json(request, body)
        name = f"{board.uid}-{number}.csv"
        kind = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'}
        return _sent(request, body, {**kind, "Cache-Control": "no-store"})

    async def _series(self, request: web.Request) -> web.Response:
        given = given_in(request)
        check_names(self._content.boards, given, {"board", "variable"})
        board = board_of(self._content.boards, given)
        variable, chosen = variable_of(board, given), chosen_of(board, given)

        def make() -> Body:
            blanks = Blanks(start=0, end=now(), interval=1, chosen=dict(chosen))
            values = self._content.reader.choices(variable.choices, blanks)
            return body_of(msgspec.json.encode({"variable": variable.choices.tag, "values": values}))

        key = ("series", board.uid, variable.choices.tag, chosen)
        return _json(request, await self._answers.get(key, lambda: self._work.asked(make)))

    async def _alerts(self, request: web.Request) -> web.Response:
        given = given_in(request)
        asked = alert_list_of(self._content.boards, given, now())

        def make() -> Body:
            content = self._content
            alerts = AlertList(content.reader, content.replays, content.alert_tags).answer(asked)
            return body_of(msgspec.json.encode({"alerts": alerts}))

        return _json(request, await self._answers.get(asked, lambda: self._work.asked(make)))

    async def _health(self, request: web.Request) -> web.Response:
        newest, reason = None, None
        try:
            newest = await self._work.asked(self._content.reader.newest)
        except (TooMuch, Unreadable) as error:
            reason = str(error)
        found = {"ok": reason is None, "store": self._content.store, "newest": newest, "now": now()}
        return _json(request, body_of(msgspec.json.encode({**found, "viewers": self.live.viewers, "reason": reason})))

    async def _live(self, request: web.Request) -> web.StreamResponse:
        watched = watched_of(self._content.boards, given_in(request))
        async with aclosing(self.live.events(watched)) as events:
            first = await anext(events)
            kind = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            response = web.StreamResponse(headers=kind)
            try:
                await response.prepare(request)
                await response.write(_AGAIN + first)
                async for text in events:
                    async with asyncio.timeout(WRITE_SECONDS):
                        await response.write(text)
            except (ConnectionError, TimeoutError):
                if request.transport is not None:
                    request.transport.abort()  # what it did not take must not wait in memory
        return response


def now() -> int:
    """Give the wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


def _login_page(following: str, trouble: str = "") -> web.Response:
    # With no-referrer a browser would send the form with an origin of nobody.
    headers = {"Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
    text = login_page(own_address(following), trouble)
    return web.Response(text=text, content_type="text/html", status=401, headers=headers)


def _file(request: web.Request, file: StaticFile | None) -> web.Response:
    if file is None:
        raise Denied(404, "path", f"there is no file {request.path[:100]!r}")
    headers = {"ETag": file.tag, "Cache-Control": "no-cache", "Content-Type": file.type}
    if file.tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return _sent(request, Body(file.data, file.packed), headers)


def _json(request: web.Request, body: Body) -> web.Response:
    return _sent(request, body, _JSON)


def _sent(request: web.Request, body: Body, headers: Mapping[str, str]) -> web.Response:
    sent = {**headers, "Vary": "Accept-Encoding"}
    if body.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=body.packed, headers={**sent, "Content-Encoding": "gzip"})
    return web.Response(body=body.data, headers=sent)
