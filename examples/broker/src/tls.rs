//! TLS with the user's certificate.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Reads the certificate with its chain, and the key, from files in PEM.
pub(crate) fn acceptor(certificate: &str, key: &str) -> io::Result<TlsAcceptor> {
    let named = |file: &str, error: &dyn core::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{file}: {error}"))
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| named(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| named(key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, private)
        })
        .map_err(|error| named(certificate, &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
