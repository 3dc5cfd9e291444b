//! Access: which tokens and certificates a daemon takes, and which a client shows.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::FalseyValueParser;
use gristmill::{Access, Client, Tls, Tokens};

use super::error::{Error, one_line};

/// Whom a daemon answers.
#[derive(Args)]
pub(crate) struct AccessArgs {
    /// A file of access tokens, a line each: ROLE:TOKEN, where ROLE is enqueue, read or admin, or
    /// several as enqueue+read. GRISTMILL_TOKENS has more of them, set apart by commas
    #[arg(long, value_name = "PATH", env = "GRISTMILL_TOKEN_FILE", hide_env_values = true)]
    token_file: Option<PathBuf>,
    /// A file with the daemon's certificate in PEM, and those that stand behind it: speak TLS
    #[arg(
        long,
        value_name = "PATH",
        env = "GRISTMILL_TLS_CERT",
        hide_env_values = true,
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// A file with the certificate's private key in PEM
    #[arg(
        long,
        value_name = "PATH",
        env = "GRISTMILL_TLS_KEY",
        hide_env_values = true,
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// Let other machines speak to the daemon without TLS, because a proxy in front of it speaks it
    #[arg(long, env = "GRISTMILL_INSECURE_HTTP", hide_env_values = true, value_parser = FalseyValueParser::new())]
    insecure_http: bool,
    /// Let pages of this origin, such as https://dashboard.example, read answers; may be repeated
    #[arg(
        long = "cors-origin",
        value_name = "ORIGIN",
        env = "GRISTMILL_CORS_ORIGIN",
        hide_env_values = true,
        value_delimiter = ','
    )]
    cors_origins: Vec<String>,
}

impl AccessArgs {
    /// Reads tokens and certificates.
    pub(crate) fn access(&self) -> Result<Access, Error> {
        let mut access = Access::default().tokens(self.tokens()?).insecure_http(self.insecure_http);
        if let Some((cert, key)) = self.certificate() {
            let tls = Tls::from_files(cert, key);
            access = access.tls(tls.map_err(|error| Error::Usage(one_line(&error)))?);
        }
        for origin in &self.cors_origins {
            access = access
                .allow_origin(origin)
                .map_err(|why| Error::Usage(format!("--cors-origin: {why}")))?;
        }
        Ok(access)
    }

    fn tokens(&self) -> Result<Tokens, Error> {
        let mut text = String::new();
        if let Some(path) = &self.token_file {
            text = read(path)?;
            let tokens = Tokens::parse(&text).map_err(|error| {
                Error::Usage(format!("--token-file {}: {error}", path.display()))
            })?;
            if tokens.is_empty() {
                let path = path.display();
                return Err(Error::Usage(format!("--token-file {path} has no tokens")));
            }
        }
        // A token on the command line would be there for all to see, so that no flag takes one.
        if let Ok(more) = std::env::var("GRISTMILL_TOKENS") {
            text = format!("{text}\n{more}");
        }
        Tokens::parse(&text).map_err(|error| Error::Usage(format!("GRISTMILL_TOKENS: {error}")))
    }

    /// The files of certificate and key, where TLS is to be spoken.
    pub(crate) fn certificate(&self) -> Option<(&Path, &Path)> {
        self.tls_cert.as_deref().zip(self.tls_key.as_deref())
    }

    /// Whether TLS is spoken.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls_cert.is_some() { "https" } else { "http" }
    }
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::Usage(format!("--token-file {} can't be read: {error}", path.display()))
    })
}

/// The daemon that a command speaks to.
#[derive(Args)]
pub(crate) struct DaemonArgs {
    /// The daemon's address
    #[arg(
        long,
        value_name = "URL",
        env = "GRISTMILL_SERVER",
        hide_env_values = true,
        default_value = "http://127.0.0.1:7430"
    )]
    server: String,
    #[command(flatten)]
    credentials: CredentialArgs,
}

impl DaemonArgs {
    /// A client of it.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        self.credentials.client(&self.server)
    }
}

/// What a client shows a daemon, and what it asks of it.
#[derive(Args)]
pub(crate) struct CredentialArgs {
    /// The access token to show the daemon; others can see it on the command line, so better say it in
    /// the environment
    #[arg(long, value_name = "TOKEN", env = "GRISTMILL_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// A file of certificates in PEM to trust for the daemon, rather than those that this machine
    /// trusts
    #[arg(long, value_name = "PATH", env = "GRISTMILL_CA_FILE", hide_env_values = true)]
    ca_file: Option<PathBuf>,
}

impl CredentialArgs {
    /// A client of the daemon at this address.
    pub(crate) fn client(&self, server: &str) -> Result<Client, Error> {
        let mut builder = Client::builder(server);
        if let Some(token) = &self.token {
            builder = builder.token(token);
        }
        if let Some(path) = &self.ca_file {
            builder = builder.ca_file(path);
        }
        Ok(builder.build()?)
    }
}
