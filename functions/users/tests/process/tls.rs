//! Which certificates a function accepts from `DynamoDB`.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use storefront_core::UserId;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use crate::dynamodb::DynamoDb;
use crate::{lines, show_me, start};

/// An unknown authority, and a server that it certifies.
struct Authority {
    root: String,
    acceptor: TlsAcceptor,
}

impl Authority {
    fn new() -> Self {
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_key = KeyPair::generate().unwrap();
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &Issuer::new(root, root_key))
            .unwrap();
        let certificate = CertificateDer::from(certificate.der().to_vec());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self { root: root_pem, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

struct TlsListener(TcpListener, TlsAcceptor);

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            // A client that does not trust the certificate hangs up.
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A `DynamoDB` behind TLS, whose only user is Anna.
struct Server {
    anna: UserId,
    url: String,
    /// The root that certifies it.
    root: PathBuf,
    _folder: TempDir,
}

impl Server {
    async fn start() -> Self {
        let anna = UserId::new();
        let authority = Authority::new();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root.pem");
        fs::write(&root, authority.root).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let listener = TlsListener(listener, authority.acceptor);
        let routes = DynamoDb::new(&[anna], 1).routes();
        tokio::spawn(async { axum::serve(listener, routes).await });
        Self { anna, url, root, _folder: folder }
    }

    /// Starts a function with these variables, lets Anna read her own data, and returns the answer
    /// and what the function wrote.
    async fn show_anna(&self, variables: &[(&str, &str)]) -> (Value, Vec<Value>) {
        let endpoint = [("AWS_ENDPOINT_URL_DYNAMODB", &*self.url)];
        let mut function = start(&[&endpoint, variables].concat()).await;
        function.invoke("request-1", &show_me(self.anna, "gateway-1"));
        let (_, answer) = function.answer().await;
        (answer, function.end().await)
    }
}

#[tokio::test]
async fn a_function_trusts_the_roots_that_the_environment_names() {
    let server = Server::start().await;
    let root = server.root.to_str().unwrap();
    for variables in [
        &[("AWS_CA_BUNDLE", root)][..],
        &[("AWS_CA_BUNDLE", "system"), ("SSL_CERT_FILE", root)],
        // As in a region that Amazon does not certify.
        &[("AWS_REGION", "cn-north-1"), ("SSL_CERT_FILE", root)],
    ] {
        let (answer, written) = server.show_anna(variables).await;
        assert_eq!(answer["statusCode"], 200, "{variables:?}: {written:?}");
    }
}

#[tokio::test]
async fn a_function_trusts_only_amazon_unless_it_is_told_otherwise() {
    let server = Server::start().await;
    let root = server.root.to_str().unwrap();
    let (answer, written) = server.show_anna(&[("SSL_CERT_FILE", root)]).await;

    assert_eq!(answer["statusCode"], 503);
    let [in_advance] = lines(&written, "DynamoDB could not be reached in advance")[..] else {
        panic!("a line for the try in advance: {written:?}");
    };
    let [served] = lines(&written, "request served")[..] else {
        panic!("a line for the request: {written:?}");
    };
    for line in [in_advance, served] {
        assert!(line["cause"].as_str().unwrap().contains("UnknownIssuer"), "{line}");
    }
}

#[tokio::test]
async fn a_function_that_cannot_read_the_roots_says_why_and_exits() {
    let function = start(&[("AWS_CA_BUNDLE", "/nowhere/roots.pem")]).await;
    let (succeeded, lines) = function.ended().await;
    assert!(!succeeded);
    let cause = lines[0]["cause"].as_str().unwrap();
    assert!(cause.contains("AWS_CA_BUNDLE: /nowhere/roots.pem cannot be read"), "{cause}");
    assert!(cause.contains("No such file"), "{cause}");
}
