"""Bytes that get a fuzzer past the front door, by target."""

SEEDS: dict[str, list[bytes]] = {
    "jid": [
        b"juliet@example.org/balcony",
        "JÜLIET@münchen.example/♚".encode(),
        b"a@xn--mnchen-3ya.example.",
        b"a@[::1]/x y",
        "İ@ﬁ。x/a\u0308".encode(),
        b"a@127.0.0.1",
        b"\xed\xa0\x80@b",
    ],
    "sasl": [
        b"\x02n,,n=juliet,r=abc\nc=biws,r=NONCE,p=" + b"A" * 43 + b"=",
        b"\x03n,,n=nobody,r=abc\nc=biws,r=NONCE,p=" + b"A" * 27 + b"=",
        b"\x00p=tls-exporter,,n=juliet,r=abc\nc=cD10bHMtZXhwb3J0ZXIsLA==,r=NONCE,p=AAAA",
        b"\x02y,a=juliet@h,n=juliet,r=abc,x=y",
        b"\x02n,a=juliet@h,n=juli=2Cet=3D,r=abc,m=y",
    ],
    "frames": [
        b"\0<message xmlns='jabber:client'><body>x</body></message>\n<presence/>",
        b"\0<iq/><iq/>",
        b"\0<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>\n<iq/>",
        b"\0</stream:stream>",
        b"\0<!DOCTYPE x [<!ENTITY a 'b'>]>\n<iq>&a;</iq>",
        b"\0 \n<stream:error/>\n<iq",
    ],
    "body": [
        b"\0<body rid='1' xmlns='http://jabber.org/protocol/httpbind'><message/><a xmlns='u'>x</a></body>",
        b"\0<?xml version='1.0'?><body rid='1' xmlns='http://jabber.org/protocol/httpbind'"
        b" xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'/>",
        b"\0<body rid='1' xmlns='http://jabber.org/protocol/httpbind'><body/><stream:x/></body>",
        b"\0<body rid='1' xmlns='http://jabber.org/protocol/httpbind'>x</body></stream:stream>",
        b"\0<b:body rid='1' xmlns:b='http://jabber.org/protocol/httpbind'><b:iq><c/></b:iq></b:body>",
    ],
    "stream": [
        b"\x03<message to='a@b' xml:lang='de'><body>x&amp;y&#13;</body></message>",
        b"\x00<presence/> <iq xmlns:a='urn:a' a:b='c'><a:q><b xmlns=''/></a:q>x</iq>",
        b"\x01<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>biws</auth></stream:stream>",
        b"\x02<message><x xmlns='u' xml:id='1'><![CDATA[<]]></x></message>",
        b"\x01<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>b<a/>iws</auth>",
        b"\x04<!DOCTYPE x>",
        b"\x05<message><!-- x --></message>",
        b"\x06<message><x xmlns='%zz'/><xml:x/></message>",
        b"\x80<?xml version='1.0' encoding='utf-8'?><stream:stream xmlns='jabber:client'"
        b" xmlns:stream='http://etherx.jabber.org/streams'><presence/>",
        b"\x83" + "<stream:stream>".encode("utf-16-le"),
    ],
}

# Joined at random they make documents that are often right and just as often not quite.
PIECES: dict[str, list[bytes]] = {
    "jid": [b"@", b"/", b".", b"[", b"]", b":", b"xn--", b"\\20", b"%", "ß", "İ", "．", "\u0308"],
    "sasl": [
        *(b"n,,", b"y,,", b"p=tls-exporter,,", b"n=juliet", b"n=", b"r=abc", b"r=NONCE", b"c=biws"),
        *(b"a=juliet@h", b",", b"p=", b"=2C", b"=", b"m=x", b"x=y", b"\n", b"AAAA", b"\0", b"\xff"),
    ],
    "stream": [
        *(b"<message>", b"</message>", b"<a>", b"</a>", b"<a/>", b"<presence/>", b"<x xmlns='u'>"),
        *(
            b"</x>",
            b"<p:x",
            b"</p:x>",
            b" xmlns:p='v'",
            b" xmlns=''",
            b" p:y='1'",
            b" y='\"'",
            b"<x",
        ),
        *(
            b">",
            b"/>",
            b"'",
            b'"',
            b" ",
            b"\r\n",
            b"text",
            "ü🦉",
            b"&amp;",
            b"&#13;",
            b"&x;",
            b"]]>",
        ),
        *(
            b"<![CDATA[",
            b"<!--",
            b"-->",
            b"<?x ?>",
            b"<!DOCTYPE x",
            b" xml:lang='de'",
            b" xml:id='1'",
        ),
        *(b"<xml:x/>", b" xmlns:p='%'", b"</stream:stream>", b"\0", b"\xff", b"\xef\xbb\xbf"),
    ],
}
PIECES["frames"] = [
    *PIECES["stream"],
    b"\n",
    b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
]
PIECES["body"] = [
    *PIECES["stream"],
    b"<body rid='1' xmlns='http://jabber.org/protocol/httpbind'>",
    b"</body>",
]
PIECES = {
    target: [piece.encode() if isinstance(piece, str) else piece for piece in pieces]
    for target, pieces in PIECES.items()
}
