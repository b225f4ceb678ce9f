"""Rows of a request over HTTP: whole or as server-sent events, ended when the client has gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from aiohttp import web

from clara_trainer.serve.answers import Answer
from clara_trainer.serve.loop import Loop
from clara_trainer.serve.problem import STOPPED, Problem, internal, stopping
from clara_trainer.serve.row import Piece, Row


class Rows:
    """The rows of one request, and their pieces as they come."""

    def __init__(self, loop: Loop, answer: Answer) -> None:
        self.loop = loop
        self.events = asyncio.get_running_loop()
        self.queue: asyncio.Queue[tuple[int, Piece]] = asyncio.Queue()
        self.rows = [self.row(index, wish) for index, wish in enumerate(answer.order.wishes)]
        self.open = len(self.rows)

    def row(self, index: int, wish: Any) -> Row:
        def tell(piece: Piece) -> None:
            try:
                self.events.call_soon_threadsafe(self.queue.put_nowait, (index, piece))
            except RuntimeError:
                # The server's loop has ended; nobody waits for the piece.
                return

        return Row(wish, tell)

    async def pieces(self) -> AsyncGenerator[list[tuple[int, Piece]]]:
        """All that have come, again and again until every row has ended. @throws Problem"""
        self.loop.submit(self.rows)
        try:
            while self.open:
                found = [await self.queue.get()]
                while not self.queue.empty():
                    found.append(self.queue.get_nowait())
                for _, piece in found:
                    if piece.error is not None:
                        raise stopping() if piece.error == STOPPED else internal(piece.error)
                    self.open -= piece.finish is not None
                yield found
        finally:
            if self.open:
                for row in self.rows:
                    self.loop.cancel(row)


async def reply_whole(rows: Rows, answer: Answer) -> web.StreamResponse:
    async with aclosing(rows.pieces()) as found:
        async for pieces in found:
            for index, piece in pieces:
                answer.add(index, piece)
    return web.json_response(answer.whole())


async def reply_stream(request: web.Request, rows: Rows, answer: Answer) -> web.StreamResponse:
    """The status comes with the first token: until then a failure is still an answer of its own."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream", "cache-control": "no-cache"})
    try:
        async with aclosing(rows.pieces()) as found:
            async for pieces in found:
                data = b"".join(event(chunk) for index, piece in pieces for chunk in answer.chunks(index, piece))
                if not response.prepared:
                    await response.prepare(request)
                if data:
                    await response.write(data)
        await response.write((event(answer.last_chunk()) if answer.asked.include_usage else b"") + b"data: [DONE]\n\n")
    except Problem as problem:
        if not response.prepared:
            raise
        await response.write(event(problem.body()))
    await response.write_eof()
    return response


def event(data: object) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
