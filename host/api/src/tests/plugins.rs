//! Plugins over HTTP: looked at, put in and taken out.

use std::path::{Path, PathBuf};

use gristmill_queue::Config;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tempfile::TempDir;

use super::fixture::{Server, desk_over, expect, json, problem};
use crate::{Access, Kind, Tokens};

const ADMIN: &str = "aaaaaaaaaaaaaaaa";
const READ: &str = "rrrrrrrrrrrrrrrr";

fn built(name: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins");
    std::fs::read(dir.join(name)).unwrap()
}

/// A desk over a folder of its own, in which echo is.
async fn server() -> (Server, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("echo.wasm"), built("echo.wasm")).unwrap();
    let desk = desk_over(Config::default(), dir.path().to_owned());
    let tokens = Tokens::parse(&format!("admin:{ADMIN},read:{READ}")).unwrap();
    let mut server = Server::serving(desk, Access::default().tokens(tokens)).await;
    server.token = Some(ADMIN);
    (server, dir)
}

fn parts(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        let head = format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--X--\r\n");
    body
}

impl Server {
    fn put(&self, name: &str, media_type: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let url = format!("{}/v1/plugins/{name}", self.url);
        let request = super::fixture::http().put(url).header("content-type", media_type);
        request.bearer_auth(ADMIN).body(body)
    }

    fn put_parts(&self, name: &str, all: &[(&str, &[u8])]) -> RequestBuilder {
        self.put(name, "multipart/form-data; boundary=X", parts(all))
    }
}

/// What is in a folder, sorted.
fn files(dir: &Path) -> Vec<String> {
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|entry| name(entry.unwrap().path())).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_plugin_that_is_put_in_serves_at_once() {
    let (server, dir) = server().await;
    let (wasm, manifest) = (built("wordcount.wasm"), b"version = \"7\"\n".as_slice());
    let pushed = server.put_parts("wordcount", &[("component", &wasm), ("manifest", manifest)]);
    let view = json(pushed, 200).await;
    assert_eq!((&view["name"], &view["version"]), (&json!("wordcount"), &json!("7")));
    let expected = ["echo.wasm", "wordcount.toml", "wordcount.wasm"];
    assert_eq!(files(dir.path()), expected);
    let body = json!({"plugin": "wordcount", "input": "a b"}).to_string();
    expect(server.post(body), 201).await;
    // Without a manifest, the one that was there goes too.
    let view = json(server.put("wordcount", "application/wasm", wasm), 200).await;
    assert_eq!(view.get("version"), None);
    assert_eq!(files(dir.path()), ["echo.wasm", "wordcount.wasm"]);
}

#[tokio::test]
async fn a_plugin_with_faults_is_refused_with_all_of_them_and_changes_nothing() {
    let (server, dir) = server().await;
    let before = json(server.get("/v1/plugins/echo"), 200).await;
    let manifest = b"speed = \"fast\"\n[grants]\nnetwork = true\n".as_slice();
    let pushed = server.put_parts("echo", &[("component", b"dear diary"), ("manifest", manifest)]);
    let refused = problem(pushed, 422).await;
    assert!(refused.is(Kind::FaultyPlugin), "{refused:?}");
    let files_named: Vec<&str> =
        refused.more.faults.iter().map(|fault| fault.file.as_str()).collect();
    assert_eq!(files_named, ["manifest", "manifest", "component"], "{refused:?}");
    assert!(refused.detail.contains("more, in `faults`"), "{}", refused.detail);
    assert_eq!(files(dir.path()), ["echo.wasm"]);
    assert_eq!(json(server.get("/v1/plugins/echo"), 200).await, before);
}

#[tokio::test]
async fn a_plugin_is_taken_out() {
    let (server, dir) = server().await;
    expect(server.get("/v1/plugins/echo"), 200).await;
    expect(server.change(Method::DELETE, "/v1/plugins/echo"), 204).await;
    assert!(files(dir.path()).is_empty());
    assert!(problem(server.get("/v1/plugins/echo"), 404).await.is(Kind::NoPlugin));
    let again = server.change(Method::DELETE, "/v1/plugins/echo");
    assert!(problem(again, 404).await.is(Kind::NoPlugin));
}

#[tokio::test]
async fn a_plugin_shows_its_schema_and_its_versions() {
    let (server, _dir) = server().await;
    let schema = json(server.get("/v1/plugins/echo/schema"), 200).await;
    assert_eq!(schema["functions"][0]["name"], "echo");
    let first = json(server.get("/v1/plugins/echo/versions"), 200).await["versions"][0].clone();
    assert_eq!(first["serving"], true);
    expect(server.put("echo", "application/wasm", built("wordcount.wasm")), 200).await;
    let versions = json(server.get("/v1/plugins/echo/versions"), 200).await;
    assert_eq!(versions["versions"][1]["digest"], first["digest"]);
    assert_eq!(versions["versions"][1]["serving"], false);
    assert_ne!(versions["versions"][0]["digest"], first["digest"]);
}

#[tokio::test]
async fn nobody_brings_a_plugin_without_a_token_of_the_owner() {
    let server = Server::start().await;
    let request = |method| server.change(method, "/v1/plugins/echo");
    for method in [Method::PUT, Method::DELETE] {
        let refused = problem(request(method), 401).await;
        assert!(refused.detail.contains("this daemon has none: give it one"), "{refused:?}");
    }
    expect(server.get("/v1/plugins/echo"), 200).await;
}

#[tokio::test]
async fn a_body_that_is_no_plugin_says_why() {
    let (server, dir) = server().await;
    let refused = problem(server.put("x", "text/plain", "hi"), 415).await;
    assert_eq!(refused.field.as_deref(), Some("content-type"));
    let wasm = b"x".as_slice();
    for (all, said) in [
        (&[("manifest", wasm)][..], "no part `component`"),
        (&[("component", wasm), ("component", wasm)][..], "there twice"),
        (&[("component", wasm), ("licence", wasm)][..], "\"licence\" is no part"),
    ] {
        let refused = problem(server.put_parts("x", all), 400).await;
        assert!(refused.detail.contains(said), "{}", refused.detail);
    }
    let refused = problem(server.put("Not-A-Name", "application/wasm", "x"), 400).await;
    assert_eq!(refused.field.as_deref(), Some("name"));
    let large = vec![0; crate::PLUGIN_BODY_BYTES_MAX + 1];
    let refused = problem(server.put("x", "application/wasm", large), 413).await;
    assert!(refused.is(Kind::BodyTooLarge));
    assert_eq!(files(dir.path()), ["echo.wasm"]);
}
