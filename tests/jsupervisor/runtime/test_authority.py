"""What the certificates of a boot say, and that signing alone needs the library for it."""

from __future__ import annotations

import subprocess
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from jsupervisor.runtime.authority import BEGIN, END, Authority


def leaf(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(Authority.make("left").sign(name).certificate.encode())


def test_a_leaf_says_who_it_is_to_servers_and_to_clients() -> None:
    names = leaf("rpd").extensions.get_extension_for_class(x509.SubjectAlternativeName)

    assert names.critical
    assert ["rpd"] == names.value.get_values_for_type(x509.DNSName)
    assert ["spiffe://jsupervisor/left/rpd"] == names.value.get_values_for_type(
        x509.UniformResourceIdentifier
    )


def test_a_leaf_signs_nobody() -> None:
    extensions = leaf("rpd").extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    both = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value

    assert (False, True) == (constraints.value.ca, constraints.critical)
    assert (True, False) == (usage.digital_signature, usage.key_cert_sign)
    assert [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH] == list(both)


def test_the_authority_signs_leaves_only() -> None:
    certificate = x509.load_pem_x509_certificate(Authority.make("left").certificate.encode())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value

    assert (True, 0) == (constraints.ca, constraints.path_length)
    assert "CN=jsupervisor left" == certificate.subject.rfc4514_string()


def test_a_jump_of_the_clock_ends_no_certificate() -> None:
    certificate = leaf("rpd")

    assert (BEGIN, END) == (certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def test_keys_are_p_256_and_each_has_its_own() -> None:
    authority = Authority.make("left")
    keys = {authority.sign("rpd").key, authority.sign("rpd").key, authority.key}
    public = leaf("rpd").public_key()

    assert 3 == len(keys)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert "secp256r1" == public.curve.name


def test_a_leaf_is_verified_by_its_own_authority_only() -> None:
    ours, theirs = Authority.make("left"), Authority.make("left")
    signed = x509.load_pem_x509_certificate(ours.sign("rpd").certificate.encode())
    signers = [
        x509.load_pem_x509_certificate(each.certificate.encode()).public_key()
        for each in (ours, theirs)
    ]
    verified = []
    for signer in signers:
        assert isinstance(signer, ec.EllipticCurvePublicKey)
        algorithm = signed.signature_hash_algorithm
        assert algorithm is not None
        try:
            signer.verify(signed.signature, signed.tbs_certificate_bytes, ec.ECDSA(algorithm))
            verified.append(True)
        except InvalidSignature:
            verified.append(False)

    assert [True, False] == verified


def test_an_authority_is_kept_and_read_again() -> None:
    authority = Authority.make("left")

    assert authority == Authority.from_bytes(authority.to_bytes())


def test_only_signing_needs_the_library() -> None:
    program = (
        "import sys\n"
        "import jsupervisor.jlaunchd.__main__, jsupervisor.jlaunchd.identity\n"
        "import jsupervisor.runtime.process, jsupervisor.runtime.authority\n"
        "sys.exit('cryptography' in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode
