"""pyftpdlib in one process, with strangers who may write: pyftpdlib_server.py PORT FOLDER"""

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


class Handler(FTPHandler):
    authorizer = DummyAuthorizer()
    timeout = 3600


def main(port: str, folder: str) -> None:
    logging.basicConfig(level=logging.CRITICAL)
    Handler.authorizer.add_anonymous(folder, perm="elradfmw")
    server = FTPServer(("127.0.0.1", int(port)), Handler, backlog=4096)
    server.max_cons = 10_000
    server.serve_forever()


main(*sys.argv[1:])
