//! How a client is told to speak to its daemon.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::{Client, Error};

/// How long the daemon has to take a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection is kept that nothing is said on: less than the daemon keeps it.
const IDLE_PATIENCE: Duration = Duration::from_secs(20);

/// How a client is told to speak to its daemon.
#[must_use]
pub struct ClientBuilder {
    server: String,
    token: Option<String>,
    ca_file: Option<PathBuf>,
}

impl ClientBuilder {
    pub(super) fn new(server: &str) -> Self {
        Self { server: server.to_owned(), token: None, ca_file: None }
    }

    /// The access token to show.
    pub fn token(self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    /// A file of certificates in PEM, of which one must stand behind the daemon's, rather than those
    /// that this machine trusts.
    pub fn ca_file(self, path: impl Into<PathBuf>) -> Self {
        Self { ca_file: Some(path.into()), ..self }
    }

    /// The client. Doesn't connect yet.
    ///
    /// # Errors
    /// [`Error::InvalidServer`], [`Error::InvalidToken`], [`Error::Certificates`], [`Error::Tls`].
    pub fn build(self) -> Result<Client, Error> {
        let invalid = || Error::InvalidServer(self.server.clone());
        let server: Url = self.server.parse().map_err(|_| invalid())?;
        if !matches!(server.scheme(), "http" | "https") || server.host().is_none() {
            return Err(invalid());
        }
        let tls = match (server.scheme(), &self.ca_file) {
            // Nothing is trusted, and the certificates of this machine needn't be read.
            ("http", _) => trusting(RootCertStore::empty())?,
            (_, Some(path)) => trusting(roots(path)?)?,
            (_, None) => trusting_as_this_machine()?,
        };
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT_PATIENCE)
            .pool_idle_timeout(IDLE_PATIENCE)
            .default_headers(headers(self.token.as_deref())?);
        // No proxy leads to this machine.
        if server.scheme() == "http" {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| Error::Tls(error.to_string()))?;
        Ok(Client { http, server })
    }
}

fn headers(token: Option<&str>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
        let value = HeaderValue::from_str(&format!("Bearer {token}"));
        let mut value =
            value.ok().filter(|_| is_visible && !token.is_empty()).ok_or(Error::InvalidToken)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

fn roots(path: &Path) -> Result<RootCertStore, Error> {
    let unreadable = |reason: String| Error::Certificates { path: path.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    let all = CertificateDer::pem_file_iter(path).map_err(|e| unreadable(e.to_string()))?;
    for certificate in all {
        let certificate = certificate.map_err(|e| unreadable(e.to_string()))?;
        roots.add(certificate).map_err(|e| unreadable(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unreadable("it has none".to_owned()));
    }
    Ok(roots)
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, Error> {
    Ok(begun()?.with_root_certificates(roots).with_no_client_auth())
}

fn trusting_as_this_machine() -> Result<ClientConfig, Error> {
    let config =
        begun()?.with_platform_verifier().map_err(|error| Error::Tls(error.to_string()))?;
    Ok(config.with_no_client_auth())
}

fn begun() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    config.with_safe_default_protocol_versions().map_err(|error| Error::Tls(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(server: &str, token: &str) -> Error {
        Client::builder(server).token(token).build().unwrap_err()
    }

    #[test]
    fn a_server_and_a_token_are_checked_before_anything_is_sent() {
        assert!(Client::builder("https://a.example").token("abc").build().is_ok());
        assert!(matches!(refused("ftp://a.example", "abc"), Error::InvalidServer(_)));
        for token in ["", "a b", "a\n", "ä"] {
            assert!(matches!(refused("http://a.example", token), Error::InvalidToken), "{token}");
        }
        let here = Client::builder("https://a.example").ca_file("Cargo.toml").build();
        assert!(matches!(here, Err(Error::Certificates { .. })));
    }
}
