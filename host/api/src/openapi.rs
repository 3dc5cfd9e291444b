//! The description of this API, made of the code: paths and bodies of the handlers, who may take a
//! route and how it refuses of the table of routes.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use gristmill_job::media;
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, PathItem, Ref, RefOr,
    ResponseBuilder,
};

use crate::access::Needs;
use crate::problem::Kind;
use crate::routes::{Described, ROUTES, Route};

const DESCRIPTION: &str = "Jobs that are WebAssembly components, over HTTP. Every answer that isn't \
                           what was asked for is a problem (RFC 9457). Times are RFC 3339; what isn't \
                           known yet is null; keys that aren't known are errors that name the key.";

/// The document, as it is served.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(text()));

/// Show this description
#[utoipa::path(get, path = "/openapi.json", operation_id = "describe", tag = "daemon",
    responses((status = 200, body = serde_json::Value, description = "OpenAPI 3.1")))]
pub(crate) async fn show() -> Response {
    ([(header::CONTENT_TYPE, media::JSON)], DOCUMENT.clone()).into_response()
}

/// The document as text.
pub(crate) fn text() -> String {
    let mut document = serde_json::to_value(document()).unwrap_or_default();
    for route in ROUTES {
        let operation = &mut document["paths"][route.path][route.method];
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            never_null(&mut parameter["schema"]);
        }
        let body = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
        for (_, content) in body.into_iter().flatten() {
            never_null(&mut content["schema"]);
        }
    }
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// A parameter or a body that may be left out is there or not; it can't be null.
fn never_null(schema: &mut Value) {
    let is_null = |value: &Value| *value == "null" || value["type"] == "null";
    for key in ["type", "oneOf"] {
        let Some(choices) = schema.get_mut(key).and_then(Value::as_array_mut) else { continue };
        choices.retain(|choice| !is_null(choice));
        match (key, choices.as_mut_slice()) {
            ("type", [only]) => schema["type"] = only.take(),
            ("oneOf", [only]) => *schema = only.take(),
            _ => {}
        }
    }
}

fn document() -> OpenApi {
    let mut document = Described::openapi();
    document.info = InfoBuilder::new()
        .title("Gristmill")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()))
        .contact(None::<utoipa::openapi::Contact>)
        .build();
    let tags = [
        ("jobs", "Enqueue jobs, wait for them, and change them"),
        ("queues", "See where jobs wait, and what to do to all of them"),
        ("plugins", "See what jobs can call, and put it there"),
        ("cache", "See and change what jobs remember"),
        ("daemon", "See what the daemon is, and what happens in it"),
    ];
    document.tags = Some(
        tags.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build())
            .to_vec(),
    );
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An access token, where the daemon has any"))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    for route in ROUTES {
        let item = document.paths.paths.get_mut(route.path);
        if let Some(operation) = item.and_then(|item| operation(item, route.method)) {
            complete(operation, route);
        }
    }
    document
}

fn operation<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut Operation> {
    match method {
        "get" => item.get.as_mut(),
        "post" => item.post.as_mut(),
        "put" => item.put.as_mut(),
        _ => item.delete.as_mut(),
    }
}

/// Adds who may take a route and how it refuses.
fn complete(operation: &mut Operation, route: &Route) {
    if route.needs != Needs::Nobody {
        let token = SecurityRequirement::new("token", <[String; 0]>::default());
        // Without tokens, nobody has to show one, but for what is the owner's.
        let none = (route.needs != Needs::Owner).then(SecurityRequirement::default);
        operation.security = Some(none.into_iter().chain([token]).collect());
        let words = format!("Takes a token of role {}.", route.needs.words());
        let described = operation.description.take().filter(|text| !text.is_empty());
        operation.description = Some(match described {
            Some(text) => format!("{text}\n\n{words}"),
            None => words,
        });
    }
    let mut kinds = refusals(route);
    kinds.sort_by_key(|kind| kind.facts().2);
    for same in kinds.chunk_by(|one, other| one.facts().2 == other.facts().2) {
        let described: Vec<String> = same
            .iter()
            .map(|kind| kind.facts())
            .map(|(name, title, _)| format!("`{name}`: {title}"))
            .collect();
        let problem = ContentBuilder::new()
            .schema(Some(RefOr::Ref(Ref::from_schema_name("Problem"))))
            .build();
        let response = ResponseBuilder::new()
            .description(described.join("; "))
            .content("application/problem+json", problem)
            .build();
        let status = same[0].facts().2.as_str().to_owned();
        operation.responses.responses.insert(status, RefOr::T(response));
    }
}

/// How a route may refuse: by itself, and as all of its kind.
pub(crate) fn refusals(route: &Route) -> Vec<Kind> {
    let mut kinds = route.refusals.to_vec();
    kinds.push(Kind::ForeignHost);
    if route.needs != Needs::Nobody {
        kinds.extend([Kind::Unauthorized, Kind::Forbidden]);
    }
    if matches!(route.method, "post" | "put") {
        kinds.extend([Kind::BodyTooLarge, Kind::TooSlow]);
    }
    if route.method == "post" {
        kinds.push(Kind::UnsupportedMediaType);
    }
    if !matches!(route.path, "/healthz" | "/openapi.json" | "/v1/workers" | "/v1/events") {
        kinds.push(Kind::Unavailable);
    }
    kinds
}
