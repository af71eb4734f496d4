"""A small iSCSI target (RFC 7143) with one LUN, which gives no block while a file is there.

    slow_target.py FILE

It takes every login, says that it has LUN 1 of 8 blocks, and answers a READ once FILE is gone.
"""

import socketserver
import struct
import sys
import time
from pathlib import Path

LOGIN, COMMAND, LOGOUT = 0x03, 0x01, 0x06
REPORT_LUNS, READ_CAPACITY, READ = 0xA0, 0x25, 0x28
BLOCK = 512


class Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.number = 1
        while head := self.rfile.read(48):
            opcode, length = head[0] & 0x3F, int.from_bytes(head[5:8], "big")
            self.rfile.read((length + 3) // 4 * 4)
            if opcode == LOGIN:
                self.answer(0x23, head[1], head, b"")
            elif opcode == COMMAND:
                self.answer(0x25, 0x81, head, self.data(head[32:48]))  # final, with its status
            elif opcode == LOGOUT:
                return self.answer(0x26, 0x80, head, b"")
        return None

    def answer(self, opcode: int, flags: int, head: bytes, data: bytes) -> None:
        pdu = struct.pack(">BBH", opcode, flags, 0) + len(data).to_bytes(4, "big")
        pdu += head[8:20] + struct.pack(">I", 0xFFFFFFFF)
        pdu += struct.pack(">III12x", self.number, self.number + 1, self.number + 64)
        self.number += 1
        self.wfile.write(pdu + data + b"\0" * (-len(data) % 4))

    def data(self, cdb: bytes) -> bytes:
        if cdb[0] == REPORT_LUNS:
            return struct.pack(">I4xHHI", 8, 1, 0, 0)
        if cdb[0] == READ_CAPACITY:
            return struct.pack(">II", 7, BLOCK)
        while HANGS.exists():
            time.sleep(0.05)
        return b"\0" * BLOCK


class Target(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_request) -> None:
        """A client that left meanwhile."""


HANGS = Path(sys.argv[1])
Target(("0.0.0.0", 3260), Connection).serve_forever()  # noqa: S104 (of a private machine)
