"""Tables of Lua as Prosody writes them, and what is none."""

import io

import pytest

from hausbote.moving.lua_tables import LuaError, Table, items, parse

TABLES = {
    b"return {};": Table({}, []),
    b'return {["a"]=1;[false]=-2.5;"x",true;nil};': Table({"a": 1, False: -2.5}, ["x", True, None]),
    b'return {\n\t["J\\195\\188"] = {\n\t\t["x"] = 1796015868.40777135;\n\t};\n};\n': Table(
        {"Jü": Table({"x": 1796015868.40777135}, [])}, []
    ),
    b'return { "it\\\'s \\"so\\"\\n\\\\ \\65\\x41 \\\n" };': Table({}, ['it\'s "so"\n\\ AA \n']),
    b"return { 'one', 1e3 }": Table({}, ["one", 1000.0]),
}
BAD = [
    b"", b"return", b"return 1;", b"return {", b"return {a};", b"return {os.exit()};", b'return {"x};',
    b"return {[{}]=1};", b'return {["a"] 1};', b"return {1 2};", b"return " + b"{" * 1_000, b'return {"\\xzz"};',
    b"return {-};", b"{};",
]  # fmt: skip


@pytest.mark.parametrize("text", TABLES)
def test_tables(text):
    assert parse(text) == TABLES[text]


@pytest.mark.parametrize("text", BAD)
def test_what_is_none_is_refused(text):
    with pytest.raises(LuaError):
        parse(text)


def test_lists():
    text = b'item({\n\t"a});";\n});\nitem({ "b" });\nitem({\n\t{ "c"; };\n});\n'
    found = [one.items for one in items(io.BytesIO(text))]
    assert found == [["a});"], ["b"], [Table({}, ["c"])]]
    for bad in (b"item({\n});\nitem({", b"item({\n});\nitem(1);\nrm({\n});\n"):
        with pytest.raises(LuaError, match="line 3"):
            list(items(io.BytesIO(bad)))
