"""Signed XML: an enveloped signature over the whole document, by a certificate that we name.

XML Signature Syntax and Processing 1.1 (W3C), as CAP 1.2 section 3.3.4.1 has it. What is read is
what was signed, and nothing else of the document. A certificate inside the document vouches for
nothing.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from cryptography import x509
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from signxml.exceptions import InvalidInput, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from services.triggers.feeds.formats.xml import Element, parsed, written
from shared.values import Text, YesNo

_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_OLD = ("#sha1", "#rsa-sha1", "#dsa-sha1", "#hmac-sha1", "#ecdsa-sha1")


def _of_pem(text: str) -> str:
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
        _ = certificate.public_key()
    except Exception:
        # Whatever a library says of what is none.
        raise ValueError("It is no certificate in PEM.") from None
    return text


class Signing(BaseModel):
    """By whom alerts are signed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    certificates: Annotated[
        list[Annotated[str, Text(longest=4_000, lines=True), AfterValidator(_of_pem)]],
        Field(
            min_length=1,
            max_length=5,
            description="In PEM: a signature is good that one of these makes, while it is valid.",
        ),
    ]
    required: Annotated[
        YesNo, Field(description="Whether an alert without a signature is refused.")
    ] = True


class SignatureRefused(ValueError):
    """A document that is not by whom it has to be; says why."""


def signed_part(content: bytes, signing: Signing, *, on: date) -> Element:
    """The root of what was signed; without a signature, where none is required, of all.

    Raises SignatureRefused, and XmlRefused.
    """
    root = parsed(content)
    signatures = root.findall(f".//{_SIGNATURE}")
    if not signatures:
        if signing.required:
            raise SignatureRefused("It is not signed, and the feed's document requires that.")
        return root
    if len(signatures) > 1 or signatures[0].getparent() is not root:
        raise SignatureRefused("It has a signature elsewhere than once, in its root.")
    if any(str(value).endswith(_OLD) for value in _algorithms(signatures[0])):
        raise SignatureRefused("It is signed by SHA-1, which can be forged. Sign it by SHA-256.")
    at = datetime.combine(on, time(12), tzinfo=UTC)
    certificates = [
        certificate
        for certificate in map(_certificate, signing.certificates)
        if certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    ]
    if not certificates:
        raise SignatureRefused(
            "None of the certificates in the feed's document is valid today. Post a version of the "
            "feed with the publisher's new certificate."
        )
    return _verified(content, certificates, root, at=at)


def _verified(
    content: bytes, certificates: Sequence[x509.Certificate], root: Element, *, at: datetime
) -> Element:
    config = SignatureConfiguration(location="./", expect_references=1, verification_time=at)
    for certificate in certificates:
        try:
            verified = XMLVerifier().verify(content, x509_cert=certificate, expect_config=config)
        except (SignXMLException, InvalidInput, ValueError, TypeError, KeyError):
            continue
        signed = _first(verified).signed_xml
        if signed is None or signed.tag != root.tag:
            raise SignatureRefused("Its signature is not over the whole of it.")
        return parsed(written(signed))
    raise SignatureRefused("Its signature is by none of the certificates in the feed's document.")


def _first(verified: Any) -> Any:
    return verified[0] if isinstance(verified, list) else verified


def _certificate(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(text.encode())


def _algorithms(signature: Element) -> list[str]:
    return [element.get("Algorithm", "") for element in signature.iter()]
