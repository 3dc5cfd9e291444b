//! Sending requests, sending them again, and reading answers.

use std::error::Error as _;
use std::time::Duration;

use gristmill_api::Problem;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::{Client, Error};

/// How long the daemon has to answer, beside what it was asked to wait.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// The pauses before a request is sent again: a daemon that is restarted is back within them, and who
/// waits for an error doesn't wait long.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(150), Duration::from_millis(500)];

impl Client {
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.server.clone();
        url.set_path(path);
        url
    }

    /// What is under a path.
    pub(super) async fn look<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let request = self.http.get(self.url(path));
        self.read(self.insist(request, Duration::ZERO).await?).await
    }

    /// Sends a request once.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        wait: Duration,
    ) -> Result<Response, Error> {
        request.timeout(wait + ANSWER_PATIENCE).send().await.map_err(|e| self.unreachable(&e))
    }

    /// Sends a request that may be repeated, some times more where it may only have come at a bad
    /// moment.
    pub(super) async fn insist(
        &self,
        mut request: RequestBuilder,
        wait: Duration,
    ) -> Result<Response, Error> {
        for pause in PAUSES {
            let Some(next) = request.try_clone() else { break };
            let sent = request.timeout(wait + ANSWER_PATIENCE).send().await;
            if !may_pass(&sent) {
                return sent.map_err(|error| self.unreachable(&error));
            }
            tokio::time::sleep(pause).await;
            request = next;
        }
        self.send(request, wait).await
    }

    /// The body of an answer that is what was asked for.
    pub(super) async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Error> {
        if !response.status().is_success() {
            return Err(self.problem(response).await);
        }
        let body = response.bytes().await.map_err(|e| self.unreachable(&e))?;
        serde_json::from_slice(&body).map_err(|e| self.unexpected(e.to_string()))
    }

    /// The problem that an answer tells of.
    pub(super) async fn problem(&self, response: Response) -> Error {
        let status = response.status();
        match response.json::<Problem>().await {
            Ok(problem) => Error::Refused(Box::new(problem)),
            Err(_) => self.unexpected(format!("status {status}")),
        }
    }

    fn unexpected(&self, reason: String) -> Error {
        Error::Unexpected { server: self.address(), reason }
    }

    pub(super) fn unreachable(&self, error: &reqwest::Error) -> Error {
        // The outer layers say in long words that a request failed; the innermost says why.
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            reason = inner.to_string();
            source = inner.source();
        }
        Error::Unreachable { server: self.address(), reason }
    }

    fn address(&self) -> String {
        self.server.as_str().trim_end_matches('/').to_owned()
    }
}

/// Whether it may go better the next time. What took all of its time won't.
fn may_pass(sent: &reqwest::Result<Response>) -> bool {
    match sent {
        Ok(response) => matches!(
            response.status(),
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        ),
        Err(error) => !error.is_timeout() && !error.is_builder(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A server that does with each connection, one after another, what it is told.
    async fn server() -> (TcpListener, Client) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, Client::new(&url).unwrap())
    }

    async fn asked(listener: &TcpListener) -> TcpStream {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 1024];
        assert!(stream.read(&mut head).await.unwrap() > 0);
        stream
    }

    async fn answer(mut stream: TcpStream, status: &str, body: serde_json::Value) {
        let body = body.to_string();
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(text.as_bytes()).await.unwrap();
    }

    fn stopping() -> serde_json::Value {
        json!({"type": "/problems/stopping", "title": "", "status": 503, "detail": "stopping"})
    }

    #[tokio::test]
    async fn a_question_is_asked_again_while_the_daemon_is_away_for_a_moment() {
        let (listener, client) = server().await;
        let daemon = async {
            drop(asked(&listener).await);
            answer(asked(&listener).await, "503 Service Unavailable", stopping()).await;
            answer(asked(&listener).await, "200 OK", json!({"queues": []})).await;
        };
        let (queues, ()) = tokio::join!(client.queues(), daemon);
        assert!(queues.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_may_not_be_repeated_is_asked_once() {
        let (listener, client) = server().await;
        let id = gristmill_job::JobId::random();
        let daemon = async {
            answer(asked(&listener).await, "503 Service Unavailable", stopping()).await;
        };
        let (retried, ()) = tokio::join!(client.retry(id), daemon);
        assert!(matches!(retried, Err(Error::Refused(problem)) if problem.status == 503));
    }

    #[tokio::test]
    async fn a_daemon_that_stays_away_is_given_up_in_a_second() {
        let (listener, client) = server().await;
        drop(listener);
        assert!(matches!(client.queues().await, Err(Error::Unreachable { .. })));
    }
}
