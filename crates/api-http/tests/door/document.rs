//! The OpenAPI document says what is served, no more and no less.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cast::{Door, FIELDS, request};

/// Every route of the door.
const ROUTES: [(&str, &str); 36] = [
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
    ("get", "/v1/agents"),
    ("get", "/v1/agents/{agent_id}"),
    ("put", "/v1/agents/{agent_id}"),
    ("delete", "/v1/agents/{agent_id}"),
    ("post", "/v1/agents/{agent_id}/claim"),
    ("get", "/v1/agents/{agent_id}/inbox"),
    ("post", "/v1/agents/{agent_id}/inbox/ack"),
    ("get", "/v1/stats"),
    ("get", "/v1/settings"),
    ("get", "/v1/sweeps"),
    ("post", "/v1/sweeps"),
    ("get", "/v1/prunable"),
    ("post", "/v1/prune"),
    ("get", "/healthz"),
    ("get", "/metrics"),
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

/// Ids are free, so a word of a path may be one: no route may stand between it and its operations.
#[tokio::test]
async fn every_word_of_a_path_is_an_id_like_any_other() {
    let door = Door::open().await;
    let words: BTreeSet<&str> =
        ROUTES.iter().flat_map(|(_, path)| path.split('/')).filter(|it| !it.is_empty()).collect();
    for word in words.into_iter().filter(|it| !it.contains('{')) {
        let body = json!({"delegation_id": word, "caller_id": "a", "callee_id": "b", "task": 1});
        let made = door.send(request("POST", "/v1/delegations", body.to_string())).await;
        assert_eq!(made.status, 201, "{word}: {}", made.text);
        for (method, path) in ROUTES.iter().filter(|(_, path)| path.contains("{delegation_id}")) {
            let path = path.replace("{delegation_id}", word);
            let answer = door.send(request(&method.to_uppercase(), &path, "")).await;
            assert!(![404, 405].contains(&answer.status), "{method} {path}: {}", answer.text);
        }
        let shown = door.send(request("GET", &format!("/v1/delegations/{word}"), "")).await;
        assert_eq!(shown.json()["delegation"]["delegation_id"], word);
        let head = door.send(request("HEAD", &format!("/v1/delegations/{word}"), "")).await;
        assert_eq!(head.status, 200, "{word}");
    }
}

#[tokio::test]
async fn the_path_of_the_batch_is_a_delegation_to_whoever_does_not_post() {
    let mut door = Door::open().await;
    assert_eq!(door.get("/v1/delegations/batch").await.status, 404);
    door.delegated("batch").await;
    let batch = door.post("/v1/delegations/batch", r#"{"delegations":[]}"#).await;
    assert_eq!(batch.json(), json!({"outcomes": []}));
    assert_eq!(door.get("/v1/delegations/batch?wait_s=0").await.status, 200);
    assert_eq!(door.get("/v1/delegations/batch?wait=0").await.status, 400);
    let refused = door.send(request("DELETE", "/v1/delegations/batch", "")).await;
    assert_eq!(
        (refused.status, &refused.headers["allow"]),
        (405, &"POST,GET,HEAD".parse().unwrap())
    );
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
        let has_body = !["get", "delete"].contains(&method);
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
    let mut digest = String::new();
    for (method, path) in ROUTES {
        let operation = &document["paths"][path][method];
        let (id, summary) = (text(&operation["operationId"]), text(&operation["summary"]));
        write!(digest, "{id}: {method} {path}\n  {summary}\n").expect(ANY);
        for param in operation["parameters"].as_array().into_iter().flatten() {
            let (place, name) = (text(&param["in"]), text(&param["name"]));
            let needed = if param["required"] == true { "!" } else { "" };
            writeln!(digest, "  {place} {name}{needed}: {}", form(&param["schema"])).expect(ANY);
        }
        let body = &operation["requestBody"];
        if body.is_object() {
            let needed = if body["required"] == true { "!" } else { "" };
            let schema = &body["content"]["application/json"]["schema"];
            writeln!(digest, "  body{needed}: {}", form(schema)).expect(ANY);
        }
        let (mut answers, mut problems) = (vec![], vec![]);
        for (status, response) in operation["responses"].as_object().expect("responses") {
            match form(content(response)) {
                problem if problem == "Problem" => problems.push(status.as_str()),
                answer => answers.push(format!("{status} {answer}")),
            }
        }
        let (answers, problems) = (answers.join(", "), problems.join(" "));
        writeln!(digest, "  answers {answers}; problems {problems}").expect(ANY);
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        writeln!(digest, "\n{name} = {}", form(schema)).expect(ANY);
    }
    insta::assert_snapshot!(digest);
}

/// The schema of the one form of an answer.
fn content(response: &Value) -> &Value {
    let contents = response["content"].as_object().expect("content");
    assert_eq!(contents.len(), 1);
    contents.values().next().map(|it| &it["schema"]).expect("a schema")
}

const ANY: &str = "a string takes everything";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// A schema in few words: `!` marks what is required, `|` alternatives, `..` that more is allowed.
fn form(schema: &Value) -> String {
    let alternatives =
        |list: &Value| -> Vec<String> { list.as_array().into_iter().flatten().map(form).collect() };
    if let Some(to) = schema["$ref"].as_str() {
        return to.rsplit('/').next().unwrap_or(to).to_owned();
    }
    if let Some(items) = schema.get("items") {
        return format!("[{}]", form(items));
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(text).collect::<Vec<_>>().join(" | ");
    }
    for key in ["oneOf", "allOf"] {
        if schema[key].is_array() {
            let sign = if key == "oneOf" { " | " } else { " & " };
            return alternatives(&schema[key]).join(sign);
        }
    }
    if let Some(properties) = schema["properties"].as_object() {
        let mut fields = String::new();
        for (name, property) in properties {
            let required =
                schema["required"].as_array().is_some_and(|it| it.contains(&json!(name)));
            let needed = if required { "!" } else { "" };
            write!(fields, "\n    {name}{needed}: {}", form(property)).expect(ANY);
        }
        let open = if schema["additionalProperties"] == false { "" } else { "\n    .." };
        return format!("{fields}{open}");
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" | "),
        kind => kind.as_str().unwrap_or("any").to_owned(),
    };
    let bound = |key: &str| schema.get(key).map(|it| format!(" {key} {it}")).unwrap_or_default();
    let bounds = ["minimum", "maximum", "minLength", "maxLength", "pattern", "format"].map(bound);
    kind + &bounds.concat()
}
