//! TLS: trusted certificates, and the client's own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::Failure;

/// Files in PEM.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Files {
    /// Trusted certificates.
    pub authorities: Option<PathBuf>,
    /// The client's certificate with its chain.
    pub certificate: Option<PathBuf>,
    /// The client's private key.
    pub key: Option<PathBuf>,
}

impl Files {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if a required file is not named, [`Failure::File`] if a file cannot be
    /// read.
    pub fn read(&self) -> Result<Arc<ClientConfig>, Failure> {
        let Some(authorities) = &self.authorities else {
            let message = "TLS needs --cafile".to_owned();
            return Err(Failure::Usage(message));
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(authorities)? {
            let added = roots.add(certificate);
            added.map_err(|error| Failure::of_file(authorities, io::Error::other(error)))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::Unreachable(io::Error::other(error)))?
            .with_root_certificates(roots);
        let config = match (&self.certificate, &self.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate)?;
                let private =
                    PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error))?;
                builder
                    .with_client_auth_cert(chain, private)
                    .map_err(|error| Failure::of_file(certificate, io::Error::other(error)))?
            }
            _ => {
                return Err(Failure::Usage(
                    "--cert and --key need each other".to_owned(),
                ));
            }
        };
        Ok(Arc::new(config))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: pem::Error) -> Failure {
    Failure::of_file(path, io::Error::other(error))
}

/// Returns the name that the server's certificate must have.
///
/// # Errors
///
/// If it is neither a name nor an IP address.
pub fn server_name(host: &str) -> io::Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).map_err(io::Error::other)
}
