//! Whom the suite takes for AWS: the root certificates that its connections are verified with.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::TrustStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{self, PemObject as _};

use super::variable;

/// Names other roots than those chosen by the region. The AWS CLI and most SDKs know it too.
const VARIABLE: &str = "AWS_CA_BUNDLE";

/// What stands in [`VARIABLE`] for the system's own store, rather than a file's path.
const SYSTEM: &str = "system";

/// Amazon's roots. Reading five certificates that are here already takes microseconds; the system's
/// store takes milliseconds of every cold start, for authorities that certify nothing of AWS's.
const AMAZON: &str = include_str!("amazon-roots.pem");

/// What the regions' names begin with whose endpoints are certified by Amazon.
///
/// Amazon says so of AWS's services in general, names these roots for trust stores, and includes the
/// European Sovereign Cloud: <https://www.amazontrust.com/repository/>,
/// <https://aws.amazon.com/blogs/security/how-to-prepare-for-aws-move-to-its-own-certificate-authority/>.
/// It does not say so of China, whose regions others operate. A region that is not listed is served
/// by the system's store: more slowly, but whoever certifies it.
const CERTIFIED_BY_AMAZON: [&str; 10] =
    ["af-", "ap-", "ca-", "eu-", "eusc-", "il-", "me-", "mx-", "sa-", "us-"];

/// Part of the names of regions that are cut off from the internet, and have authorities of their own.
const ISOLATED: &str = "-iso";

/// `AWS_CA_BUNDLE` names no root certificates.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error(
        "AWS_CA_BUNDLE: {} cannot be read; name a PEM file, say `system` for the system's root \
         certificates, or leave the variable out for Amazon's", .0.display()
    )]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// The file is not in PEM.
    #[error("AWS_CA_BUNDLE: {} is not a PEM file of certificates", .0.display())]
    NotPem(PathBuf, #[source] pem::Error),
    /// The file has no certificate.
    #[error("AWS_CA_BUNDLE: {} has no certificate (-----BEGIN CERTIFICATE-----)", .0.display())]
    Empty(PathBuf),
    /// What is in the file as a certificate is none.
    #[allow(missing_docs, reason = "the names say it")]
    #[error("AWS_CA_BUNDLE: certificate {place} of {} cannot be used as a root", path.display())]
    NotARoot { path: PathBuf, place: usize, source: webpki::Error },
}

/// The roots for a region's endpoints, or those that the environment names instead.
pub(super) fn store(region: &str) -> Result<TrustStore, TrustError> {
    match variable(VARIABLE).as_deref() {
        None if is_certified_by_amazon(region) => Ok(amazon()),
        None | Some(SYSTEM) => Ok(system()),
        Some(path) => of_file(Path::new(path)),
    }
}

/// The system's roots, or those that the environment names instead.
pub(super) fn operators_store() -> Result<TrustStore, TrustError> {
    match variable(VARIABLE).as_deref() {
        None | Some(SYSTEM) => Ok(system()),
        Some(path) => of_file(Path::new(path)),
    }
}

/// Amazon's roots, and no others.
pub(super) fn amazon() -> TrustStore {
    TrustStore::empty().with_pem_certificate(AMAZON)
}

/// The system's roots, which are read at the first connection.
fn system() -> TrustStore {
    TrustStore::empty().with_native_roots(true)
}

fn is_certified_by_amazon(region: &str) -> bool {
    CERTIFIED_BY_AMAZON.iter().any(|prefix| region.starts_with(prefix))
        && !region.contains(ISOLATED)
}

/// Read and tried here, because the HTTP client takes what is no certificate for a bug and panics.
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

    /// As openssl writes it.
    fn fingerprint(certificate: &[u8]) -> String {
        let bytes: Vec<_> =
            Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }

    #[test]
    fn amazons_five_roots_are_what_their_fingerprints_say() {
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

    /// Of the whole structure (RFC 5280, section 4.1), of which an anchor has the content only.
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
    fn regions_whose_authority_is_not_known_are_served_by_the_systems_store() {
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
    fn a_file_of_roots_is_taken_and_anything_else_says_what_is_wrong_with_it() {
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
        let cut_off = AMAZON.rsplit_once("-----END").unwrap().0;
        let error = of_file(&file(cut_off)).unwrap_err();
        assert!(matches!(error, TrustError::NotPem(..)), "{error}");
        let key = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let error = of_file(&file(&format!("{AMAZON}{key}"))).unwrap_err();
        assert!(matches!(error, TrustError::NotARoot { place: 6, .. }), "{error}");
    }
}
