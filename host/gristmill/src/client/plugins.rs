//! The daemon's plugins and workers.

use std::time::Duration;

use bytes::Bytes;
use gristmill_api::{Kind, PluginView, VersionsView};
use gristmill_job::PluginName;
use reqwest::header::CONTENT_TYPE;

use super::{Client, Error};

/// Between the parts of a plugin: by chance, so that no component holds it.
fn boundary() -> String {
    format!("gristmill-{}", gristmill_job::JobId::random())
}

impl Client {
    /// A plugin of the daemon; none, if it has none of this name.
    ///
    /// # Errors
    /// [`Error`]; one that can't be used is [`Error::Refused`].
    pub async fn plugin(&self, name: &PluginName) -> Result<Option<PluginView>, Error> {
        match self.look(&format!("/v1/plugins/{name}")).await {
            Ok(view) => Ok(Some(view)),
            Err(Error::Refused(problem)) if problem.is(Kind::NoPlugin) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The versions of a plugin that jobs can run on.
    ///
    /// # Errors
    /// [`Error`]; a plugin that isn't there is [`Error::Refused`].
    pub async fn versions(&self, name: &PluginName) -> Result<VersionsView, Error> {
        self.look(&format!("/v1/plugins/{name}/versions")).await
    }

    /// Puts a plugin into the daemon's folder, in place of the one with its name; without a manifest
    /// it is granted nothing. Answers the plugin as it serves then.
    ///
    /// # Errors
    /// [`Error`]; one that can't be used is [`Error::Refused`], with everything that is wrong with it.
    pub async fn push(
        &self,
        name: &PluginName,
        component: &Bytes,
        manifest: Option<&str>,
    ) -> Result<PluginView, Error> {
        let boundary = boundary();
        let mut body = Vec::with_capacity(component.len() + 4096);
        let mut part = |name: &str, bytes: &[u8]| {
            let head =
                format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        };
        part("component", component);
        if let Some(manifest) = manifest {
            part("manifest", manifest.as_bytes());
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let request = self
            .http
            .put(self.url(&format!("/v1/plugins/{name}")))
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
            .body(body);
        self.read(self.send(request, PUSH_PATIENCE).await?).await
    }

    /// Takes a plugin out of the daemon's folder; false: it had none of this name.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn remove_plugin(&self, name: &PluginName) -> Result<bool, Error> {
        let request = self.http.delete(self.url(&format!("/v1/plugins/{name}")));
        let response = self.send(request, Duration::ZERO).await?;
        if response.status().is_success() {
            return Ok(true);
        }
        match self.problem(response).await {
            Error::Refused(problem) if problem.is(Kind::NoPlugin) => Ok(false),
            error => Err(error),
        }
    }
}

/// How long compiling a plugin may take, beside what every answer may: as long as the compiler has.
const PUSH_PATIENCE: Duration = Duration::from_secs(120);
