"""Nodes as a drill finds them in the end."""

from san.drill import state

LOOKED = """\
version: 8.4.11 (api:1/proto:86-101)

 0: cs:{connection} ro:{role}/Unknown ds:{disk} C {flow}-----
    ns:540 nr:8 dw:548 dr:2217 al:6 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
heartbeat: {heartbeat}
holds: all
portals: {portals}
"""
RUNS = "Heartbeat is running on machine otter"


def node(name, role, portals=0, connection="Connected", disk="UpToDate/UpToDate", **other):
    told = {"heartbeat": RUNS, "flow": "r"} | other
    text = LOOKED.format(role=role, portals=portals, connection=connection, disk=disk, **told)
    return state.parse(name, text)


STANDS_BY = node("weasel", "Secondary")
SERVES = node("otter", "Primary", 2)
WHOLE = (STANDS_BY, SERVES)
