//! Tokens, roles, and who is refused.

use gristmill_job::JobId;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::fixture::{Server, expect, http, problem};
use crate::access::Needs;
use crate::routes::ROUTES;
use crate::{Access, Kind, Role, Tokens};

const TOKENS: [(Role, &str); 3] = [
    (Role::Enqueue, "eeeeeeeeeeeeeeee"),
    (Role::Read, "rrrrrrrrrrrrrrrr"),
    (Role::Admin, "aaaaaaaaaaaaaaaa"),
];

async fn guarded() -> Server {
    let text: String = TOKENS.iter().map(|(role, token)| format!("{role}:{token}\n")).collect();
    Server::with_access(Access::default().tokens(Tokens::parse(&text).unwrap())).await
}

/// A request to a route, as somebody without a token makes it.
fn request(server: &Server, method: &str, path: &str) -> RequestBuilder {
    let path = path.replace("{id}", &JobId::random().to_string()).replace("{name}", "none");
    let method: Method = method.to_uppercase().parse().unwrap();
    server.change(method, &path)
}

#[tokio::test]
async fn every_route_that_tells_of_jobs_takes_a_token_of_its_role() {
    let server = guarded().await;
    for route in ROUTES {
        let (method, path) = (route.method, route.path);
        if route.needs == Needs::Nobody {
            expect(request(&server, method, path), 200).await;
            continue;
        }
        let refused = problem(request(&server, method, path), 401).await;
        assert!(refused.is(Kind::Unauthorized), "{method} {path}");
        assert_eq!(refused.more.roles, route.needs.roles(), "{method} {path}");
        for (role, token) in TOKENS {
            let request = request(&server, method, path).bearer_auth(token);
            let status = request.send().await.unwrap().status().as_u16();
            let suffices = route.needs.roles().contains(&role);
            assert_eq!(status != 403, suffices, "{role} {method} {path}: {status}");
            assert_ne!(status, 401, "{role} {method} {path}");
        }
    }
}

#[tokio::test]
async fn a_role_that_is_too_small_is_told_which_one_would_do() {
    let server = guarded().await;
    let request = server.get("/v1/queues").bearer_auth(TOKENS[0].1);
    let refused = problem(request, 403).await;
    assert!(refused.is(Kind::Forbidden));
    assert_eq!(refused.more.roles, [Role::Read, Role::Admin]);
    let said = "this takes a token of role read or admin; this one is of enqueue";
    assert_eq!((refused.detail.as_str(), refused.field.as_deref()), (said, Some("authorization")));
}

#[tokio::test]
async fn a_wrong_token_is_refused_as_none_is() {
    let server = guarded().await;
    let job = json!({"plugin": "echo"}).to_string();
    let wrong = server.post(job.clone()).bearer_auth("eeeeeeeeeeeeeeeX");
    let response = expect(wrong, 401).await;
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    let basic = server.post(job.clone()).basic_auth("eeeeeeeeeeeeeeee", None::<&str>);
    assert!(problem(basic, 401).await.detail.contains("Authorization: Bearer TOKEN"));
    // In other cases, too, as other servers take it.
    let lower = server.post(job).header("authorization", "bearer eeeeeeeeeeeeeeee");
    expect(lower, 201).await;
}

#[tokio::test]
async fn a_producer_sees_and_cancels_its_job_and_nothing_else() {
    let server = guarded().await;
    let as_producer = |request: RequestBuilder| request.bearer_auth(TOKENS[0].1);
    let response = expect(as_producer(server.post(r#"{"plugin": "echo"}"#)), 201).await;
    let job = response.headers()["location"].to_str().unwrap().to_owned();
    expect(as_producer(server.get(&job)), 200).await;
    expect(as_producer(server.get(&format!("{job}/logs"))), 200).await;
    expect(as_producer(server.change(Method::POST, &format!("{job}/cancel"))), 200).await;
    problem(as_producer(server.change(Method::POST, &format!("{job}/retry"))), 403).await;
    problem(as_producer(server.change(Method::DELETE, &job)), 403).await;
    problem(as_producer(server.get("/v1/jobs")), 403).await;
}

#[tokio::test]
async fn without_tokens_a_name_of_another_host_is_not_answered() {
    let server = Server::start().await;
    let request = server.get("/v1/info").header("host", "evil.example");
    assert!(problem(request, 403).await.is(Kind::ForeignHost));
    expect(server.get("/v1/info").header("host", "localhost:1"), 200).await;
}

#[tokio::test]
async fn pages_of_other_origins_read_nothing_unless_they_may() {
    let allow = "access-control-allow-origin";
    let server = Server::start().await;
    let answered = expect(server.get("/healthz").header("origin", "https://a.example"), 200).await;
    assert!(!answered.headers().contains_key(allow));
    let access = Access::default().allow_origin("https://a.example").unwrap();
    let server = Server::with_access(access).await;
    let answered = expect(server.get("/healthz").header("origin", "https://a.example"), 200).await;
    assert_eq!(answered.headers()[allow], "https://a.example");
    let answered = expect(server.get("/healthz").header("origin", "https://b.example"), 200).await;
    assert!(!answered.headers().contains_key(allow));
    let preflight = http()
        .request(Method::OPTIONS, format!("{}/v1/jobs", server.url))
        .header("origin", "https://a.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,idempotency-key");
    let answered = expect(preflight, 200).await;
    let asked = answered.headers()["access-control-allow-headers"].to_str().unwrap();
    assert!(asked.contains("authorization") && asked.contains("idempotency-key"), "{asked}");
}
