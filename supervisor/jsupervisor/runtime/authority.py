"""Signs identities: a P-256 authority that lives as long as one boot of an instance.

Its certificates have no end, since the authority has: it is forgotten with init, and a clock that jumps
(a router that boots in 1970) must not cut a router to pieces. P-256, because gRPC's TLS accepts no
Ed25519 leaf. `cryptography` is imported when something is signed, which a restart never does.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from jsupervisor.runtime.identity import Identity, IdentityError, uri_of

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""RFC 5280, section 4.1.2.5: for a certificate without a well-defined end."""


@dataclass(frozen=True, slots=True)
class Authority:
    """What can make somebody be somebody. Both parts are PEM text."""

    instance: str
    certificate: str
    key: str = field(repr=False)

    @classmethod
    def make(cls, instance: str) -> Authority:
        """A new one, which knows nobody yet."""
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        return cls(instance, _certificate(_authority_builder(instance, key), key), _private(key))

    def to_bytes(self) -> bytes:
        """As it is kept."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Authority:
        """What `to_bytes` gave; raises IdentityError for anything else."""
        try:
            return cls(**{name: str(value) for name, value in json.loads(data).items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise IdentityError(f"cannot read an authority: {error}") from error

    def sign(self, name: str) -> Identity:
        """An identity of `name`, with a key of its own; 0.2 ms once `cryptography` is there."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        signer = serialization.load_pem_private_key(self.key.encode(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(_leaf_builder(self.instance, name, key), signer)
        return Identity(self.instance, name, certificate, self.certificate, _private(key))


def _authority_builder(instance: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        _builder(instance, key)
        .subject_name(_authority_name(instance))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
    )


def _leaf_builder(
    instance: str, name: str, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    names = [x509.DNSName(name), x509.UniformResourceIdentifier(uri_of(instance, name))]
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return (
        _builder(instance, key)
        .subject_name(x509.Name([]))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(both), critical=False)
        # Critical, as the subject is empty (RFC 5280, section 4.2.1.6).
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
    )


def _builder(instance: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .issuer_name(_authority_name(instance))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(END)
    )


def _authority_name(instance: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"jsupervisor {instance}")])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate(builder: x509.CertificateBuilder, signer: ec.EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import hashes, serialization

    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
