"""Forwarder from a cluster's uplink to the emulated AWS, which listens only on the loopback interface."""

from __future__ import annotations

import asyncio
import logging
import threading

_CHUNK = 64 * 1024
_LOG = logging.getLogger(__name__)


class Forwarder:
    """TCP forwarder that listens on `address`:`port` and connects to 127.0.0.1:`target`, in its own thread."""

    def __init__(self, address: str, port: int, target: int) -> None:
        self._listen = (address, port)
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="forwarder", daemon=True)
        self._server: asyncio.Server | None = None

    def start(self) -> None:
        """Start to listen. Raises OSError if the address is not available."""
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(timeout=10)

    def stop(self) -> None:
        if self._server is not None:
            asyncio.run_coroutine_threadsafe(self._end(self._server), self._loop).result(timeout=5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._connect, *self._listen, reuse_address=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()  # the emulator is down or starting, and its clients retry
            return
        await asyncio.gather(_copy(reader, forth), _copy(back, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy data until one side has sent everything. The other direction may continue."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()
        return
    except asyncio.CancelledError:
        writer.close()
        raise
