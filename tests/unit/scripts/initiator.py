"""A small iSCSI initiator (RFC 7143): logs in, sends SCSI commands, holds its session.

    initiator.py ADDRESS TARGET [USER SECRET] [from=ADDRESS] [KEY=VALUE ...]

A KEY is one of the login's, as InitiatorAlias.

It says `logged in`, or `refused: ...` and ends. Then it answers each line of its input:
`LUN CDB [DATA]` (hexadecimal; DATA is written) with `good HEX` or `failed KEY/ASC`.
"""

import hashlib
import os
import socket
import struct
import sys


class Refused(Exception):  # noqa: N818 (the protocol's own word)
    """The target does not let us in, or ended the connection."""


class Session:
    def __init__(self, address: str, target: str, *more: str) -> None:
        keys = dict(each.split("=", 1) for each in more if "=" in each)
        user, secret = [each for each in more if "=" not in each] or ("", "")
        # Not from the portal's own address, from which a node's watch is admitted.
        own = keys.pop("from", f"{address.rpartition('.')[0]}.10")
        self.wire = socket.create_connection((address, 3260), timeout=10, source_address=(own, 0))
        self.command = 1
        self.isid = b"\x80\0" + os.getpid().to_bytes(4, "big")  # two of us are two sessions
        who = {"InitiatorName": "iqn.2009-02.com.example:probe", "TargetName": target}
        who |= {"SessionType": "Normal", **keys}
        if user:
            self.login(0x00, {**who, "AuthMethod": "CHAP"})
            challenge = self.login(0x00, {"CHAP_A": "5"})
            answer = hashlib.md5(  # noqa: S324 (CHAP's algorithm 5)
                bytes([int(challenge["CHAP_I"])])
                + secret.encode()
                + bytes.fromhex(challenge["CHAP_C"][2:])
            ).hexdigest()
            self.login(0x81, {"CHAP_N": user, "CHAP_R": f"0x{answer}"})
            who = {}
        self.login(0x87, who)

    def receive(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            more = self.wire.recv(count - len(got))
            if not more:
                raise Refused("connection closed")
            got += more
        return got

    def answer(self) -> tuple[bytes, bytes]:
        head = self.receive(48)
        length = int.from_bytes(head[5:8], "big")
        return head, self.receive((length + 3) // 4 * 4)[:length]

    def login(self, flags: int, keys: dict[str, str]) -> dict[str, str]:
        data = b"".join(f"{key}={value}\0".encode() for key, value in keys.items())
        head = struct.pack(">BBBB", 0x43, flags, 0, 0) + len(data).to_bytes(4, "big")
        head += struct.pack(">6sHIHHII16x", self.isid, 0, 1, 1, 0, self.command, 0)
        self.wire.sendall(head + data + b"\0" * (-len(data) % 4))
        head, data = self.answer()
        if head[36]:
            raise Refused(f"status {head[36]:02x}{head[37]:02x}")
        return dict(pair.split("=", 1) for pair in data.decode().split("\0") if pair)

    def scsi(self, lun: int, cdb: bytes, data: bytes = b"") -> str:
        flags, expected = (0xA1, len(data)) if data else (0xC1, 255)
        head = struct.pack(">BBH", 0x01, flags, 0) + len(data).to_bytes(4, "big")
        head += struct.pack(">HHIIIII", lun, 0, 0, self.command, expected, self.command, 0)
        self.wire.sendall(head + cdb.ljust(16, b"\0") + data)
        self.command += 1
        found = b""
        while True:
            head, data = self.answer()
            if head[0] == 0x25:
                found += data
                if head[1] & 1:
                    return f"good {found.hex()}"
            elif head[0] == 0x21:
                if head[3]:
                    return f"failed {data[4] & 15:x}/{data[14]:02x}{data[15]:02x}"
                return f"good {found.hex()}"


def main() -> None:
    try:
        session = Session(*sys.argv[1:])
    except (Refused, OSError) as error:
        print(f"refused: {error}", flush=True)
        return
    print("logged in", flush=True)
    for line in sys.stdin:
        lun, *rest = line.split()
        try:
            print(session.scsi(int(lun), *map(bytes.fromhex, rest)), flush=True)
        except (Refused, OSError) as error:
            print(f"refused: {error}", flush=True)


if __name__ == "__main__":
    main()
