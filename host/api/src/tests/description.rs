//! The OpenAPI document: complete, and as it is checked in.

use std::path::Path;

use serde_json::Value;

use super::fixture::{Server, json};
use crate::access::Needs;
use crate::routes::ROUTES;
use crate::{Kind, openapi};

fn document() -> Value {
    serde_json::from_str(&openapi::text()).unwrap()
}

#[tokio::test]
async fn the_document_is_served_and_is_the_one_that_is_checked_in() {
    let server = Server::start().await;
    assert_eq!(json(server.get("/openapi.json"), 200).await, document());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if kept != openapi::text() {
        if std::env::var_os("GRISTMILL_UPDATE_DOCS").is_some() {
            std::fs::write(&path, openapi::text()).unwrap();
            return;
        }
        panic!(
            "docs/openapi.json isn't what the code says: run this test with \
                GRISTMILL_UPDATE_DOCS=1, and read what changed"
        );
    }
}

#[test]
fn every_route_is_described_with_an_id_a_summary_and_its_refusals() {
    let document = document();
    let described: usize = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|item| item.as_object().unwrap().len())
        .sum();
    assert_eq!(described, ROUTES.len());
    let mut ids = std::collections::BTreeSet::new();
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method];
        let name = format!("{} {}", route.method, route.path);
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{name}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name}");
        for kind in openapi::refusals(route) {
            let (kind, _, status) = kind.facts();
            let described = responses[status.as_str()]["description"].as_str().unwrap();
            assert!(described.contains(&format!("`{kind}`")), "{name}: {described}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(!parameter["description"].as_str().unwrap_or_default().is_empty(), "{name}");
        }
    }
}

#[test]
fn every_kind_of_event_can_be_asked_for() {
    let document = document();
    let kinds = document["components"]["schemas"]["EventKind"]["enum"].as_array().unwrap();
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str().unwrap()).collect();
    let parameters = document["paths"]["/v1/events"]["get"]["parameters"].as_array().unwrap();
    let kind = parameters.iter().find(|parameter| parameter["name"] == "kind").unwrap();
    let any = kinds.join("|");
    assert_eq!(kind["schema"]["pattern"], format!("^({any})(,({any}))*$"));
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

/// Rows of the tables of docs/http.md, each as its cells.
fn rows() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/http.md");
    let page = std::fs::read_to_string(path).unwrap();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect();
    page.lines().filter(|line| line.starts_with("| ")).map(cells).collect()
}

#[test]
fn the_page_on_http_has_every_route_with_its_roles() {
    let rows = rows();
    for route in ROUTES {
        let name = format!("`{} {}`", route.method.to_uppercase(), route.path);
        let row = rows.iter().find(|row| row[1] == name);
        let row = row.unwrap_or_else(|| panic!("docs/http.md has no row {name}"));
        // An administrator may do everything, which is said once.
        let roles = route.needs.roles().iter().map(|role| role.as_str());
        let roles: Vec<&str> = match route.needs {
            Needs::Admin | Needs::Owner => roles.collect(),
            _ => roles.filter(|role| *role != "admin").collect(),
        };
        assert_eq!(row[2], roles.join(", "), "{name}");
    }
}

#[test]
fn the_page_on_http_has_every_refusal_with_its_status() {
    let rows = rows();
    let of_routes = ROUTES.iter().flat_map(openapi::refusals);
    for kind in of_routes.chain([Kind::UnknownRoute, Kind::MethodNotAllowed, Kind::AccessDenied]) {
        let (name, _, status) = kind.facts();
        let row = rows.iter().find(|row| row[1] == status.as_str()).unwrap();
        assert!(row[2].contains(&format!("`{name}`")), "docs/http.md lacks {name} at {status}");
    }
}
