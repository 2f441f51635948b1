//! TLS like that of AWS's endpoints, with a temporary certificate authority.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name that the certificate is for.
pub(crate) const HOST: &str = "localhost";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Terminates TLS in front of local servers.
pub(crate) struct Terminator {
    root: String,
    acceptor: TlsAcceptor,
}

impl Terminator {
    /// Creates a root, an intermediate and a certificate, because AWS's chains also have two
    /// signatures to verify.
    pub(crate) fn new() -> Result<Self> {
        let root = CertifiedIssuer::self_signed(authority("root"), KeyPair::generate()?)?;
        let intermediate =
            CertifiedIssuer::signed_by(authority("intermediate"), KeyPair::generate()?, &root)?;
        let key = KeyPair::generate()?;
        let certificate =
            CertificateParams::new(vec![HOST.to_owned()])?.signed_by(&key, &intermediate)?;

        let chain = vec![certificate.der().clone(), intermediate.der().clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // DynamoDB speaks no HTTP/2.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { root: root.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// The root certificate in PEM, which clients must trust.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// Opens a port that decrypts connections and forwards them to this server; returns the port.
    pub(crate) async fn before(&self, server: SocketAddr) -> io::Result<u16> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let acceptor = self.acceptor.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A client may disconnect at any time: a process is killed once it has been
                // measured.
                tokio::spawn(forward(acceptor.clone(), client, server));
            }
        });
        Ok(port)
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, format!("storefront-bench {name}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

async fn forward(acceptor: TlsAcceptor, client: TcpStream, server: SocketAddr) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
