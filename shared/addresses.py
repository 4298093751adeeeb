"""Which addresses things are sent to, as far as that can be seen before a connection is made."""

from ipaddress import ip_address

from yarl import URL

from shared.outbound import Judge, LeadsInwards, require_outward

MAXIMUM_CHARACTERS = 1_000


def url_of(written: str) -> URL:
    """The address that was written; raises ValueError, which says what is wrong."""
    try:
        url = URL(written)
        _ = url.port
    except ValueError:
        raise ValueError("It is no address. Write https://HOST/PATH.") from None
    if url.scheme not in ("https", "http") or not url.host or not _is_plain(written):
        raise ValueError("It is no address. Write https://HOST/PATH.")
    if url.user is not None or url.password is not None:
        raise ValueError("It carries a name or a password, which everybody reads. Take them out.")
    if url.fragment or "#" in written:
        raise ValueError("What stands behind # is never sent. Take it out.")
    if url.scheme == "http" and not is_this_machine(url.host):
        raise ValueError("What goes by http can be read and changed on its way. Write https.")
    return url


def refusal_of(url: URL, judge: Judge) -> str | None:
    """Why nothing is sent to an address, as it is written; None: it may be."""
    try:
        require_outward(url, judge)
    except LeadsInwards:
        return "Its address leads into a private network, to which nothing is sent."
    if url.host and is_this_machine(url.host) and not judge("127.0.0.1"):
        return "Its address leads back to this machine, to which nothing is sent."
    return None


def is_this_machine(host: str) -> bool:
    """Whether a host, as it is written, is the machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


def _is_plain(written: str) -> bool:
    """Whether it is written in the characters of a URL (RFC 3986, section 2)."""
    return written.isascii() and all(33 <= ord(character) < 127 for character in written)
