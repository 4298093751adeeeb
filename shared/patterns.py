"""What a text has to look like, in words: for whoever reads no regular expressions."""

from collections.abc import Mapping

_LETTERS = "small letters, digits and hyphens"

IN_WORDS: Mapping[str, str] = {
    "^(KH|([0-9]{2}){1,4})$": (
        "an area's code: KH, or the 2, 4, 6 or 8 digits of a province, district, commune or "
        "village, such as 010201"
    ),
    "^(KH|([0-9]{2}){1,3})$": (
        "an area's code: KH, or the 2, 4 or 6 digits of a province, district or commune, such as "
        "010201"
    ),
    "^[0-9]{2,8}$": "an area's code: 2, 4, 6 or 8 digits, such as 010201",
    "^(KH|([0-9]{2}){1,4})(,(KH|([0-9]{2}){1,4})){0,399}$": (
        "areas' codes with a comma between them, 400 at most, such as 0102,020301"
    ),
    "^[0-9]{6}$": "a commune's code: 6 digits, such as 010203",
    "^[0-9]{8}$": "a village's code: 8 digits, such as 01020301",
    "^[0-9]{6}([0-9]{2})?$": (
        "the code of a commune or village: 6 or 8 digits, such as 010203 or 01020301"
    ),
    "^[a-z0-9]+(-[a-z0-9]+)*$": (
        f"{_LETTERS}, such as flood-2022: no hyphen at either end, and no two together"
    ),
    "^[a-z0-9-]{1,32}$": f"1 to 32 {_LETTERS}, such as mekong",
    "^[a-z0-9-]{2,32}$": f"2 to 32 {_LETTERS}, such as mekong",
    "^[a-z0-9][a-z0-9-]{0,62}$": f"1 to 63 {_LETTERS}, no hyphen first, such as idpoor-excel",
    "^[a-z0-9][a-z0-9-]{0,63}$": f"1 to 64 {_LETTERS}, no hyphen first, such as shock-response",
    "^[a-z][a-z0-9-]{1,39}$": f"2 to 40 {_LETTERS}, a letter first, such as payment",
    "^[a-z0-9][a-z0-9.-]{1,40}$": (
        "2 to 41 small letters, digits, dots and hyphens, a letter or digit first, such as "
        "ncdd-2026"
    ),
    "^[a-z0-9.-]{1,100}$": (
        "1 to 100 small letters, digits, dots and hyphens, such as "
        "org.sangkroh.activation-opened.v1"
    ),
    "^[a-z][a-z0-9_]{0,62}$": (
        "a field's name: small letters, digits and underscores, a letter first, such as "
        "commune_code"
    ),
    "^[a-z_]{1,20}$": "1 to 20 small letters and underscores, such as close_match",
    "^(/[a-z0-9_]{1,60}){1,12}$": (
        "where it stands in the document, each step after a slash, such as "
        "/legs/0/method/activation/alps"
    ),
    "^[A-Za-z0-9_-]{1,64}$": (
        "1 to 64 letters of the Latin alphabet, digits, hyphens and underscores, such as "
        "incorrectState"
    ),
    "^[A-Za-z0-9_-]*$": "the cursor as an earlier page gave it, or leave it out to begin anew",
    "^[A-Za-z0-9._:-]+$": "letters of the Latin alphabet, digits, and . _ : -, such as key-1",
    "^[A-Za-z0-9][A-Za-z0-9._:-]*$": (
        "letters of the Latin alphabet, digits, and . _ : -, a letter or digit first, such as "
        "spmis.mosvy.gov.kh"
    ),
    "^[A-Za-z0-9:._/-]+$": (
        "letters of the Latin alphabet, digits, and : . _ / -, such as ns:SocialRegistry"
    ),
    "^[A-Za-z0-9_-]+=?$": "a public key of 32 bytes in base64url, as a JWK has it",
    "^[0-9A-Za-z][0-9A-Za-z/-]{2,39}$": (
        "3 to 40 letters of the Latin alphabet, digits, / and -, a letter or digit first, such as "
        "IDP-010201-000001-01"
    ),
    "^[0-9A-Za-z][0-9A-Za-z()/-]{3,29}$": (
        "4 to 30 letters of the Latin alphabet, digits, and ( ) / -, a letter or digit first, such "
        "as 010203045"
    ),
    r"^\+?[0-9A-Za-z-]{4,34}$": (
        "4 to 34 letters of the Latin alphabet, digits and hyphens, perhaps a + before them, such "
        "as +85512345678"
    ),
    "^[0-9]{6,10}-[0-9A-F]{8}$": "the list's code as it is printed on it, such as 000012-0A6F5B21",
    "^[0-9a-f]{16}$": "the pair's code as it was given: 16 digits and letters from a to f",
    "^[0-9a-f]{32}$": "the place as the stream gave it: 32 digits and letters from a to f",
    "^(KHR|USD)$": "KHR or USD",
    "^[A-Z]{3}$": "a currency's code of three capital letters (ISO 4217), such as KHR",
    r"^-?[0-9]+(\.[0-9]+)?$": "a number, such as 12 or 12.5",
    (
        "^(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])$|^(0[469]|11)-(0[1-9]|[12][0-9]|30)$"
        "|^02-(0[1-9]|1[0-9]|2[0-9])$"
    ): "a month and a day of it, such as 07-01",
    "^[!-~]+$": "printable characters of ASCII, without spaces",
    "^[ -~]*$": "printable characters of ASCII",
    r"^[,;|\t]$": "a comma, a semicolon, a vertical bar or a tab",
}
"""By the pattern as the OpenAPI documents have it."""
