//! Who may reach the desk: tokens with roles, TLS, and which addresses are open without them.
//!
//! [`tokens`] keeps hashes alone, [`guard`] asks every request for its token, [`tls`] reads
//! certificates.

mod guard;
mod tls;
mod tokens;

use std::net::IpAddr;

use axum::http::HeaderValue;

pub(crate) use self::guard::{Needs, guard};
pub use self::tls::{Tls, TlsError};
pub use self::tokens::{InvalidToken, Role, Tokens};

/// Who may reach a served desk. By default this machine alone, without a token.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub(crate) tokens: Tokens,
    pub(crate) tls: Option<Tls>,
    pub(crate) origins: Vec<HeaderValue>,
    insecure_http: bool,
}

/// Why an address must not be listened on as things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exposure {
    /// Whoever reaches it could run jobs.
    WithoutTokens,
    /// Whoever is on the way could read the tokens.
    WithoutTls,
}

impl Access {
    /// Asks for one of these tokens.
    #[must_use]
    pub fn tokens(self, tokens: Tokens) -> Self {
        Self { tokens, ..self }
    }

    /// Speaks TLS.
    #[must_use]
    pub fn tls(self, tls: Tls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// The certificate that is shown, where TLS is spoken: to be renewed while it is.
    #[must_use]
    pub fn certificate(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Whether other machines may speak to it without TLS, because somebody in front of it does.
    #[must_use]
    pub fn insecure_http(self, insecure_http: bool) -> Self {
        Self { insecure_http, ..self }
    }

    /// Lets pages of this origin, such as `https://dashboard.example`, read what they are answered.
    ///
    /// # Errors
    /// What is no origin comes back.
    pub fn allow_origin(mut self, origin: &str) -> Result<Self, String> {
        let (scheme, host) = origin.split_once("://").unwrap_or_default();
        let is_origin = matches!(scheme, "http" | "https")
            && !host.is_empty()
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
        match HeaderValue::from_str(origin) {
            Ok(value) if is_origin => {
                self.origins.push(value);
                Ok(self)
            }
            _ => Err(format!("{origin:?} is no origin such as https://dashboard.example")),
        }
    }

    /// Whether an address may be listened on.
    pub(crate) fn exposure(&self, address: IpAddr) -> Option<Exposure> {
        if address.is_loopback() {
            None
        } else if self.tokens.is_empty() {
            Some(Exposure::WithoutTokens)
        } else if self.tls.is_none() && !self.insecure_http {
            Some(Exposure::WithoutTls)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_and_a_host_and_no_path() {
        for origin in ["https://a.example", "http://localhost:3000", "http://[::1]:80"] {
            assert!(Access::default().allow_origin(origin).is_ok(), "{origin}");
        }
        for origin in ["*", "null", "a.example", "https://a.example/", "ftp://a", "https://"] {
            assert!(Access::default().allow_origin(origin).is_err(), "{origin}");
        }
    }

    #[test]
    fn an_address_of_other_machines_takes_tokens_and_tls() {
        let (local, other) = ("127.0.0.1".parse().unwrap(), "0.0.0.0".parse().unwrap());
        let open = Access::default();
        assert_eq!(open.exposure(local), None);
        assert_eq!(open.exposure(other), Some(Exposure::WithoutTokens));
        let tokens = Tokens::parse("admin:0123456789abcdef").unwrap();
        let plain = Access::default().tokens(tokens);
        assert_eq!(plain.exposure(other), Some(Exposure::WithoutTls));
        assert_eq!(plain.insecure_http(true).exposure(other), None);
        let proxied = Access::default().insecure_http(true);
        assert_eq!(proxied.exposure(other), Some(Exposure::WithoutTokens));
    }
}
