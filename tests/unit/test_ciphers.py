"""The order of ciphers follows the processor."""

import pytest

from hausbote.net.ciphers import cheapest

PI_4 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
"""
PI_5 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid
CPU implementer\t: 0x41
"""
PC = """model name\t: A processor with aes in its name
flags\t\t: fpu vme de pse tsc msr aes xsave avx
"""
OLD_PC = """model name\t: A processor with aes in its name
flags\t\t: fpu vme de pse tsc msr vaes
"""


@pytest.mark.parametrize(
    ("cpuinfo", "first"),
    [
        (PI_4, b"CHACHA20"),
        (PI_5, b"AES_128"),
        (PC, b"AES_128"),
        (OLD_PC, b"CHACHA20"),
        ("", b"CHA"),
    ],
)
def test_the_cheapest_is_first(cpuinfo, first):
    assert cheapest(cpuinfo).tls13.startswith(b"TLS_" + first)
    assert cheapest(cpuinfo).tls12.startswith(b"ECDHE+" + first[:3])
