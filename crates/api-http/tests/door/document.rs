//! The OpenAPI document says what is served, no more and no less.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cast::{Door, FIELDS, request};

/// Every route of the door.
const ROUTES: [(&str, &str); 26] = [
    ("post", "/v1/delegations"),
    ("get", "/v1/delegations"),
    ("post", "/v1/delegations/batch"),
    ("get", "/v1/delegations/{delegation_id}"),
    ("get", "/v1/delegations/{delegation_id}/events"),
    ("get", "/v1/delegations/{delegation_id}/explain"),
    ("get", "/v1/delegations/{delegation_id}/late-results"),
    ("get", "/v1/delegations/{delegation_id}/children"),
    ("post", "/v1/delegations/{delegation_id}/dispatch"),
    ("post", "/v1/delegations/{delegation_id}/accept"),
    ("post", "/v1/delegations/{delegation_id}/heartbeat"),
    ("post", "/v1/delegations/{delegation_id}/complete"),
    ("post", "/v1/delegations/{delegation_id}/fail"),
    ("post", "/v1/delegations/{delegation_id}/release"),
    ("post", "/v1/delegations/{delegation_id}/cancel"),
    ("post", "/v1/delegations/{delegation_id}/retry"),
    ("post", "/v1/delegations/{delegation_id}/extend"),
    ("put", "/v1/delegations/{delegation_id}/status"),
    ("post", "/v1/heartbeats"),
    ("get", "/v1/agents/{agent_id}/inbox"),
    ("get", "/v1/stats"),
    ("get", "/v1/sweeps"),
    ("post", "/v1/sweeps"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/openapi.json"),
];

async fn document() -> (Door, Value) {
    let door = Door::open().await;
    let document = door.send(request("GET", "/openapi.json", "")).await.json();
    (door, document)
}

#[tokio::test]
async fn every_route_is_served_and_described() {
    let (door, document) = document().await;
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            described.insert((method.as_str(), path.as_str()));
        }
    }
    assert_eq!(described, BTreeSet::from(ROUTES));
    for (method, path) in ROUTES {
        let path = path.replace("{delegation_id}", "none").replace("{agent_id}", "none");
        let answer = door.send(request(&method.to_uppercase(), &path, "")).await;
        assert!(answer.status != 405, "{method} {path}");
        assert!(!answer.text.contains("no-such-route"), "{method} {path}");
    }
}

#[tokio::test]
async fn it_is_openapi_3_1() {
    let (_, document) = document().await;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
}

#[tokio::test]
async fn every_operation_names_its_problems_and_its_body() {
    let (_, document) = document().await;
    for (method, path) in ROUTES {
        let operation = &document["paths"][path][method];
        for status in ["400", "403", "429", "500", "503"] {
            let problem = &operation["responses"][status]["content"]["application/problem+json"];
            assert!(problem.is_object(), "{method} {path} {status}");
        }
        let has_body = method != "get";
        assert_eq!(operation["requestBody"].is_object(), has_body, "{method} {path}");
        assert_eq!(operation["responses"]["413"].is_object(), has_body, "{method} {path}");
        assert!(operation["summary"].is_string(), "{method} {path}");
    }
}

#[tokio::test]
async fn a_delegation_is_described_field_by_field() {
    let (_, document) = document().await;
    let fields = |schema: &str, key: &str| -> BTreeSet<String> {
        let list = &document["components"]["schemas"][schema][key];
        match list {
            Value::Object(map) => map.keys().cloned().collect(),
            Value::Array(items) => {
                items.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
            }
            _ => panic!("{schema} has no {key}"),
        }
    };
    let all: BTreeSet<String> = FIELDS.iter().map(ToString::to_string).collect();
    let listed =
        all.iter().filter(|it| !["task", "result"].contains(&it.as_str())).cloned().collect();
    for key in ["properties", "required"] {
        assert_eq!(fields("Delegation", key), all);
        assert_eq!(fields("ListedDelegation", key), listed);
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let (_, document) = document().await;
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let mut led = 0;
    let mut todo = vec![&document];
    while let Some(value) = todo.pop() {
        match value {
            Value::Object(object) => {
                if let Some(to) = object.get("$ref").and_then(Value::as_str) {
                    let name = to.strip_prefix("#/components/schemas/").expect("a schema");
                    assert!(schemas.contains_key(name), "{to}");
                    led += 1;
                }
                todo.extend(object.values());
            }
            Value::Array(items) => todo.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    assert!(led > 100, "only {led} references");
}

#[tokio::test]
async fn the_document_is_as_it_was() {
    let (_, document) = document().await;
    let mut document = document;
    document["info"]["version"] = "as built".into();
    insta::assert_json_snapshot!(document);
}
