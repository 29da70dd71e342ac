"""Answers in upper case: echo_asyncio.py tcp|streams|udp PORT"""

import asyncio
import socket
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data.upper())


async def talk(reader, writer):
    while data := await reader.read(65536):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


async def serve(how, port):
    if how == "tcp":
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "127.0.0.1", port, backlog=4096)
    else:
        server = await asyncio.start_server(talk, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def datagrams(port):
    """A plain loop: it is faster than asyncio's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", port))
        while True:
            data, sender = server.recvfrom(65536)
            server.sendto(data.upper(), sender)


if __name__ == "__main__":
    how, port = sys.argv[1], int(sys.argv[2])
    if how == "udp":
        datagrams(port)
    else:
        asyncio.run(serve(how, port))
