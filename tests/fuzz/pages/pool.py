"""What documents are changed with."""

from tests.doubles.secret_spellings import CODE

KNOWN = {b'"id"', b'"object"', b'"created"', b'"customer"', b'"has_more"', b'"client_secret"', b'"data"'}
NAMES = (
    *(b'"id"', b'"id"', b'"object"', b'"created"', b'"created"', b'"customer"', b'"customer"', b'"client_secret"'),
    *(b'"client_secret"', b'"client_secret"', b'"data"', b'"has_more"', b'"url"', b'"secret"', b'"use_stripe_sdk"'),
    *(b'"payment_intent_client_secret"', b'"Client_secret"', b'"client_secret "', b'"metadata"', b'""'),
    *(b'"next_page"',),
    *(b'"client\\u005fsecret"', b'"\\u0069d"', b'"a]"', b'"{"', b'"\xc3\xa9"', b'"next_action"', b'"a\xc2\xa0b"'),
)
_NUMBERS = (
    *(b"0", b"-0", b"-0.0", b"1", b"-1", b"1.0", b"1e3", b"1E+2", b"0.1", b"999999999999", b"1000000000000"),
    *(b"1e12", b"9223372036854775807", b"9223372036854775808", b"18446744073709551615", b"18446744073709551616"),
    *(b"-9223372036854775808", b"-9223372036854775809", b"4611686018427387904", b"1e308", b"1.7976931348623159e308"),
    *(b"1e999", b"-1e999", b"1e-999", b"7" * 400, b"-" + b"7" * 400, b"0." + b"3" * 400, b"1e99999999999999999999"),
    *(b"123456789012345678901234567890", b"5e-324", b"1760000000", b"1234567890123456789", b"0.30000000000000004"),
)
_NO_NUMBERS = (
    b"01",
    b"1.",
    b".5",
    b"+1",
    b"-",
    b"1e",
    b"1e+",
    b"0x1",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1_0",
    b"--1",
)
_TEXTS = (
    *(b'"pi_1"', b'"cus_1"', b'"customer"', b'"payment_intent"', b'"ephemeral_key"', b'"list"'),
    *(b'"client_secret"', b'""'),
    *(b'"a]b"', b'"}{"', b"\"],'data':[\"", b'"a\\"b"', b'"\\u00e9"', b'"\\ud83d\\ude00"', b'"\\ud800"'),
    *(b'"\\udc00"',),
    *(b'"\xf0\x9f\x98\x80"', b'"a\x7f"', b'"a\tb"', b'"a\x00b"', b'"\\\\"', b'"\\/"', b'"\\x"'),
    *(b'"\xed\xa0\x80"', b'"\xff"'),
    *(b'"has_more"', b'"a,b:c"', b'"\xc2\xa0"', b'"\xe2\x80\xa8"', b'"a%20b"', b'"\'"', b'"billing.meter_event"'),
    *(b'"apps.secret"', b'"product"', b'"true"', b'"null"'),
)
_SECRETS = tuple(
    one.replace("CODE", CODE).encode()
    for one in (
        *('"pi_1_secret_CODE"', '"sk_live_CODE"', '"whsec_CODE"', '"tok_CODE"', '"pi_1%5fsecret_CODE"'),
        *('"ek_test_CODE"',),
        *('{"client_secret":"CODE"}', '{"a":1,"client_secret":"CODE"}', '{"client_secret":"CODE","a":1}'),
        *('{"client_secret": {"a":"CODE"},"a":1}', '{"client_secret":["CODE"],"a":1}', '["pi_1_secret_CODE"]'),
        *('{"pi_1_secret_CODE":1}', '{"use_stripe_sdk":{"a":"CODE"}}', '{"client_secret" :\\t"CODE" , "a":1}'),
        *('"pi_1\\u005fsecret_CODE"', '[{"client_secret":"CODE","client_secret":"CODE","a":1}]'),
    )
)
VALUES = (
    *_NUMBERS,
    *_NO_NUMBERS[:4],
    *_TEXTS,
    *_SECRETS,
    *_SECRETS,
    *(b"true", b"false", b"null", b"true", b"false", b"null", b"null", b"True", b"nul", b"{}", b"[]"),
    *(b"[null]", b"[{}]"),
    *(b'{"id":"cus_1"}', b'{"id":null}', b'{"id":1}', b'{"id":{}}'),
    *(b'{"object":"customer","id":"cus_1","deleted":true}',),
    *(b'[{"id":"a"}]', b'{"a":[{"b":[]}]}', b"[" * 20 + b"]" * 20, b"[1,]", b'{"a":1,}', b"[ ]", b"{ }"),
    *(b"[1 2]", b"{1:2}"),
)
SPACES = (
    *(b" ", b"\t", b"\n", b"\r", b"\r\n", b"\f", b"\v", b"\xc2\xa0", b"\xef\xbb\xbf"),
    *(b"\xe2\x80\xa8", b"\x00", b"\x1f", b"\x85"),
)
PIECES = (
    *(b",", b":", b"{", b"}", b"[", b"]", b'"', b"\\", b"],", b'"data":[', b'],"data":[', b'"has_more":true,'),
    *(b"},{", b"/**/"),
    *(b'"client_secret"', b'"client_secret":"x",', b'"client_secret":null,'),
    *(b'"client_secret":"client_secret",', b"null", b"1"),
    *_NO_NUMBERS,
)
IN_TEXTS = (
    *(b"\\", b'"', b'\\"', b"\n", b"\x00", b"\x7f", b"\xff", b"\xed\xb0\x80", b"\xc3\xa9", b"]", b"}", b"["),
    *(b",", b":", b"%"),
    *(b"%5F", b"%2520", b"_secret_" + CODE.encode() + b"abcdefgh", b"sk_live_" + CODE.encode()),
    *(b"client_secret", b"\\u0065"),
    *(b"\\ud800", b"\xef\xbb\xbf", b"\xf4\x90\x80\x80", b"\xc0\x80"),
)
BESIDE = (
    *(b'"data":[]', b'"data":null', b'"data":[{"id":"pi_2"}]', b'"has_more":false', b'"has_more":null'),
    *(b'"has_more":1',),
    *(b'"has_more" : true', b'"has_more":"true"', b'"object":"search_result"', b'"object":null', b'"url":"]"'),
    *(b'"url":1',),
    *(b'"next_page":"abc"', b'"next_page":null', b'"total_count":1e999', b'"x":"]"', b'"url":"\\u005d"'),
    *(b'"url":"\n"',),
    *(b'"url":"\\"data\\":[]"', b'"object":"list","url":"a"', b'"url":"pi_1_secret_' + CODE.encode() + b'"'),
    *(b'"a":[1]',),
    *(b'"url":"sk_live_' + CODE.encode() + b'"', b'"has_more":true', b'"url":"\xff"', b'"url":"{,}"'),
)
BYTES = (*SPACES, *PIECES, *IN_TEXTS, *_NUMBERS[:12])
