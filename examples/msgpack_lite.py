"""The part of msgpack that the activation stream uses, in plain Python; the `msgpack` package does the same."""

import struct


def pack(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if 0 <= value < 128:
            return bytes([value])
        return struct.pack(">Bq", 0xD3, value) if value < 2**63 else struct.pack(">BQ", 0xCF, value)
    if isinstance(value, float):
        return struct.pack(">Bd", 0xCB, value)
    if isinstance(value, str):
        raw = value.encode()
        return struct.pack(">BI", 0xDB, len(raw)) + raw
    if isinstance(value, (bytes, bytearray, memoryview)):
        return struct.pack(">BI", 0xC6, len(value)) + bytes(value)
    if isinstance(value, (list, tuple)):
        return struct.pack(">BI", 0xDD, len(value)) + b"".join(pack(item) for item in value)
    items = b"".join(pack(key) + pack(item) for key, item in value.items())
    return struct.pack(">BI", 0xDF, len(value)) + items


def unpack(data):
    value, _ = _unpack(data, 0)
    return value


_FIXED = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
            0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_LENGTHS = {0xC4: ("bin", ">B"), 0xC5: ("bin", ">H"), 0xC6: ("bin", ">I"),
            0xD9: ("str", ">B"), 0xDA: ("str", ">H"), 0xDB: ("str", ">I"),
            0xDC: ("list", ">H"), 0xDD: ("list", ">I"), 0xDE: ("map", ">H"), 0xDF: ("map", ">I")}


def _unpack(data, at):
    token = data[at]
    at += 1
    if token < 0x80:
        return token, at
    if token >= 0xE0:
        return token - 256, at
    if token < 0xC0:
        kind = "map" if token < 0x90 else "list" if token < 0xA0 else "str"
        return _unpack_many(data, at, kind, token & (0x1F if kind == "str" else 0x0F))
    if token in _FIXED:
        return _FIXED[token], at
    if token in _NUMBERS:
        form = _NUMBERS[token]
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    kind, form = _LENGTHS[token]
    length = struct.unpack_from(form, data, at)[0]
    return _unpack_many(data, at + struct.calcsize(form), kind, length)


def _unpack_many(data, at, kind, length):
    if kind == "str":
        return bytes(data[at : at + length]).decode(), at + length
    if kind == "bin":
        return bytes(data[at : at + length]), at + length
    items = []
    for _ in range(length * 2 if kind == "map" else length):
        item, at = _unpack(data, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2])) if kind == "map" else items), at
