//! The root certificates that connections to AWS are verified with.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::TrustStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{self, PemObject as _};

use super::variable;

/// Names roots to use instead of those for the region. The AWS CLI and most SDKs read it too.
const VARIABLE: &str = "AWS_CA_BUNDLE";

/// The value of [`VARIABLE`] for the system's own store, instead of a file's path.
const SYSTEM: &str = "system";

/// Amazon's roots. Reading these five embedded certificates takes microseconds. Reading the
/// system's store takes milliseconds of every cold start, for authorities that certify nothing of
/// AWS's.
const AMAZON: &str = include_str!("amazon-roots.pem");

/// Prefixes of the regions whose endpoints are certified by Amazon.
///
/// Amazon says so of AWS's services in general, names these roots for trust stores, and includes the
/// European Sovereign Cloud: <https://www.amazontrust.com/repository/>,
/// <https://aws.amazon.com/blogs/security/how-to-prepare-for-aws-move-to-its-own-certificate-authority/>.
/// It does not say so of China, whose regions have other operators. A region that is not listed
/// uses the system's store, which is slower but does not depend on who certifies the region.
const CERTIFIED_BY_AMAZON: [&str; 10] =
    ["af-", "ap-", "ca-", "eu-", "eusc-", "il-", "me-", "mx-", "sa-", "us-"];

/// Part of the names of regions that are isolated from the internet and have their own authorities.
const ISOLATED: &str = "-iso";

/// Why the value of `AWS_CA_BUNDLE` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error(
        "AWS_CA_BUNDLE: {} cannot be read; set it to a PEM file, to `system` for the system's root \
         certificates, or unset it for Amazon's", .0.display()
    )]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// The file is not a PEM file.
    #[error("AWS_CA_BUNDLE: {} is not a PEM file of certificates", .0.display())]
    NotPem(PathBuf, #[source] pem::Error),
    /// The file has no certificate.
    #[error("AWS_CA_BUNDLE: {} has no certificate (-----BEGIN CERTIFICATE-----)", .0.display())]
    Empty(PathBuf),
    /// A certificate in the file cannot be used as a root.
    #[allow(missing_docs, reason = "the names say it")]
    #[error("AWS_CA_BUNDLE: certificate {place} of {} cannot be used as a root", path.display())]
    NotARoot { path: PathBuf, place: usize, source: webpki::Error },
}

/// Returns the roots for a region's endpoints, or those that the environment names instead.
pub(super) fn store(region: &str) -> Result<TrustStore, TrustError> {
    match variable(VARIABLE).as_deref() {
        None if is_certified_by_amazon(region) => Ok(amazon()),
        None | Some(SYSTEM) => Ok(system()),
        Some(path) => of_file(Path::new(path)),
    }
}

/// Returns the system's roots, or those that the environment names instead.
pub(super) fn operators_store() -> Result<TrustStore, TrustError> {
    match variable(VARIABLE).as_deref() {
        None | Some(SYSTEM) => Ok(system()),
        Some(path) => of_file(Path::new(path)),
    }
}

/// Returns only Amazon's roots.
pub(super) fn amazon() -> TrustStore {
    TrustStore::empty().with_pem_certificate(AMAZON)
}

/// Returns the system's roots, which are read at the first connection.
fn system() -> TrustStore {
    TrustStore::empty().with_native_roots(true)
}

fn is_certified_by_amazon(region: &str) -> bool {
    CERTIFIED_BY_AMAZON.iter().any(|prefix| region.starts_with(prefix))
        && !region.contains(ISOLATED)
}

/// Reads and checks a file here, because the HTTP client panics if a certificate is invalid.
fn of_file(path: &Path) -> Result<TrustStore, TrustError> {
    let text =
        std::fs::read(path).map_err(|error| TrustError::Unreadable(path.to_owned(), error))?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TrustError::NotPem(path.to_owned(), error))?;
    if certificates.is_empty() {
        return Err(TrustError::Empty(path.to_owned()));
    }
    for (place, certificate) in certificates.iter().enumerate() {
        webpki::anchor_from_trusted_cert(certificate).map_err(|source| TrustError::NotARoot {
            path: path.to_owned(),
            place: place + 1,
            source,
        })?;
    }
    Ok(TrustStore::empty().with_pem_certificate(text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sha2::{Digest as _, Sha256};

    use super::*;

    fn certificates() -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(AMAZON.as_bytes()).collect::<Result<_, _>>().unwrap()
    }

    /// Returns the fingerprint in openssl's format.
    fn fingerprint(certificate: &[u8]) -> String {
        let bytes: Vec<_> =
            Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }

    #[test]
    fn amazons_five_roots_match_their_fingerprints() {
        let fingerprints: Vec<_> = AMAZON
            .lines()
            .filter(|line| line.len() == 95 && line.matches(':').count() == 31)
            .collect();
        let of_certificates: Vec<_> =
            certificates().iter().map(|certificate| fingerprint(certificate)).collect();
        assert_eq!(of_certificates, fingerprints);
        assert_eq!(fingerprints.len(), 5);
    }

    /// The hashes of the public keys, from <https://www.amazontrust.com/repository/>.
    #[test]
    fn amazons_roots_have_the_keys_that_amazon_publishes() {
        let published = [
            "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
            "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
            "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
            "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
            "2b071c59a0a0ae76b0eadb2bad23bad4580b69c3601b630c2eaf0613afa83f92",
        ];
        let keys = certificates()
            .iter()
            .map(|certificate| {
                let anchor = webpki::anchor_from_trusted_cert(certificate).unwrap();
                public_key_hash(&anchor.subject_public_key_info)
            })
            .collect::<Vec<_>>();
        assert_eq!(keys, published);
    }

    /// Hashes the whole structure (RFC 5280, section 4.1); an anchor has only its content.
    fn public_key_hash(content: &[u8]) -> String {
        let length = content.len();
        let header = if length < 0x80 {
            vec![0x30, u8::try_from(length).unwrap()]
        } else if length < 0x100 {
            vec![0x30, 0x81, u8::try_from(length).unwrap()]
        } else {
            let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
            vec![0x30, 0x82, high, low]
        };
        let hash = Sha256::new().chain_update(header).chain_update(content).finalize();
        let digits: Vec<_> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    }

    #[test]
    fn regions_with_an_unknown_authority_use_the_systems_store() {
        for region in
            ["eu-central-1", "us-east-1", "us-gov-west-1", "eusc-de-east-1", "mx-central-1"]
        {
            assert!(is_certified_by_amazon(region), "{region}");
        }
        for region in [
            "cn-north-1",
            "cn-northwest-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "xx-new-1",
            "",
        ] {
            assert!(!is_certified_by_amazon(region), "{region}");
        }
    }

    #[test]
    fn a_file_of_roots_is_accepted_and_any_other_file_gets_a_specific_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = |text: &str| {
            let path = folder.path().join("roots.pem");
            fs::write(&path, text).unwrap();
            path
        };
        assert!(of_file(&file(AMAZON)).is_ok());

        let error = of_file(&folder.path().join("none.pem")).unwrap_err();
        assert!(matches!(error, TrustError::Unreadable(..)), "{error}");
        let error = of_file(&file("no certificates here")).unwrap_err();
        assert!(matches!(error, TrustError::Empty(_)), "{error}");
        let truncated = AMAZON.rsplit_once("-----END").unwrap().0;
        let error = of_file(&file(truncated)).unwrap_err();
        assert!(matches!(error, TrustError::NotPem(..)), "{error}");
        let key = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let error = of_file(&file(&format!("{AMAZON}{key}"))).unwrap_err();
        assert!(matches!(error, TrustError::NotARoot { place: 6, .. }), "{error}");
    }
}
