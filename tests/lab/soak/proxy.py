"""A TCP proxy on loopback that cuts what goes through it: resets, stalls, half-closed and torn connections."""
import asyncio
import random
import socket
import struct
import threading

DELAY = 0.03  # s on the way, each direction: so there is always something under way when a connection is cut
CUTS = ("reset", "torn", "stall", "half-client", "half-server", "hiccup")


class Connection:
    def __init__(self, client, server):
        self.client, self.server = client, server  # (reader, writer) each
        self.flows = asyncio.Event()
        self.flows.set()
        self.budget = None  # bytes until the reset, of both directions
        self.closed_to = None  # "client" or "server": nothing goes there any more
        self.bytes = 0

    def reset(self):
        for _, writer in (self.client, self.server):
            sock = writer.get_extra_info("socket")
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass  # it is closed already
            writer.transport.abort()

    def half_close(self, towards):
        self.closed_to = towards
        writer = (self.client if towards == "client" else self.server)[1]
        if writer.can_write_eof():
            writer.write_eof()

    async def carry(self, towards):
        reader = (self.server if towards == "client" else self.client)[0]
        writer = (self.client if towards == "client" else self.server)[1]
        while data := await reader.read(65536):
            await asyncio.sleep(DELAY)
            await self.flows.wait()
            self.bytes += len(data)
            if self.closed_to == towards:
                continue  # read and thrown away: the sender must notice by itself
            if self.budget is not None:
                data = data[:max(self.budget, 0)]
                self.budget -= len(data)
            if data:
                writer.write(data)
                await writer.drain()
            if self.budget is not None and self.budget <= 0:
                self.reset()
                return
        if self.closed_to != towards:
            writer.write_eof()


class Proxy:
    """Runs in a thread of its own; `cut` and `live` may be called from any."""

    def __init__(self, port, target, seed):
        self.target, self.random = target, random.Random(seed)
        self.connections, self.accepted = set(), 0
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda *_: None)  # connections end in every possible way here
        self.server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", port))
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def serve(self, reader, writer):
        self.accepted += 1
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = Connection((reader, writer), upstream)
        self.connections.add(connection)
        try:
            tasks = [asyncio.ensure_future(connection.carry(to)) for to in ("client", "server")]
            await asyncio.wait(tasks)  # both: a half-closed one stays open until it is cut or the ends give up
            for task in tasks:
                task.exception()
        finally:
            self.connections.discard(connection)
            connection.reset()

    def live(self):
        """Those through which a session speaks: a handshake alone is smaller."""
        return [c for c in list(self.connections) if c.bytes > 6000 and c.closed_to is None and c.budget is None]

    async def apply(self, how, connection, seconds):
        if how == "reset":
            connection.reset()
        elif how == "torn":  # in the middle of a record
            connection.budget = self.random.randrange(1, 3000)
        elif how in ("stall", "hiccup"):
            connection.flows.clear()
            await asyncio.sleep(seconds)
            connection.flows.set()
            if how == "stall":
                connection.reset()
        else:
            connection.half_close(how.removeprefix("half-"))
            await asyncio.sleep(seconds)
            connection.reset()

    def cut(self, how, seconds):
        """Applies one of CUTS to a random live connection; False where there is none."""
        live = self.live()
        if not live:
            return False
        asyncio.run_coroutine_threadsafe(self.apply(how, self.random.choice(live), seconds), self.loop)
        return True
