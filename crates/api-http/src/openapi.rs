//! The OpenAPI document, made from the handlers, and what holds for all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use consign_ledger::Store;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Schema};
use utoipa::{OpenApi as _, PartialSchema as _};

use crate::app::App;
use crate::cursor::Cursor;
use crate::operation;
use crate::params::{NoParams, Query};
use crate::problem::Told;
use crate::wire::{AgentPageLimit, PageLimit, SeqAfter, StatusFilter, Until, WaitSeconds};

/// The document before any operation is in it.
pub(crate) fn cover() -> OpenApi {
    #[derive(utoipa::OpenApi)]
    #[openapi(components(schemas(
        // Only parameters have these, and what only parameters have is not collected.
        AgentPageLimit, Cursor, PageLimit, SeqAfter, StatusFilter, Until, WaitSeconds
    )), info(
        title = "Consign",
        description = "A durable ledger of work that one AI agent entrusts to another, with a sweeper that \
                       finds the work that has silently died. Errors are RFC 9457 problem documents."
    ))]
    struct Cover;

    Cover::openapi()
}

/// Get this document
///
/// OpenAPI 3.1, made from the handlers that serve.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "server",
    responses((status = OK, description = "This document", body = serde_json::Value))
)]
pub(crate) async fn handle<S: Store>(
    State(_): State<Arc<App<S>>>,
    Query(NoParams {}): Query<NoParams>,
) -> Response {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| {
        serde_json::to_vec(&whole::<S>()).expect("a document is made of strings and numbers").into()
    });
    ([(CONTENT_TYPE, "application/json")], document.clone()).into_response()
}

/// Which methods each path has, for whoever used another.
pub(crate) struct Methods(BTreeMap<String, String>);

impl Methods {
    pub(crate) fn of_all(document: &OpenApi) -> Self {
        let told = |(path, item): (&String, &PathItem)| {
            let PathItem { get, post, put, delete, .. } = item;
            let all = [("GET", get), ("POST", post), ("PUT", put), ("DELETE", delete)];
            let there = all.iter().filter(|(_, operation)| operation.is_some());
            (path.clone(), there.map(|(method, _)| *method).collect::<Vec<_>>().join(" or "))
        };
        Self(document.paths.paths.iter().map(told).collect())
    }

    /// In words. A path of words alone comes before one that has an id in their place, as `{` comes after letters.
    pub(crate) fn of(&self, path: &str) -> Option<&str> {
        let fits = |template: &str| {
            let fits = |(there, asked): (&str, &str)| there.starts_with('{') || there == asked;
            template.split('/').count() == path.split('/').count()
                && template.split('/').zip(path.split('/')).all(fits)
        };
        self.0.iter().find(|(template, _)| fits(template)).map(|(_, methods)| methods.as_str())
    }
}

/// The document with every operation, and with what holds for all of them.
fn whole<S: Store>() -> OpenApi {
    let mut document = operation::all::<S>().into_openapi();
    document.paths.paths.values_mut().flat_map(operations).for_each(add_common_problems);
    if let Some(components) = &mut document.components {
        components.schemas.iter_mut().for_each(|(name, schema)| require_all(name, schema));
        components.schemas.entry("Problem".to_owned()).and_modify(add_what_is_told);
        let all = document.paths.paths.values_mut().flat_map(operations);
        all.for_each(|operation| let_body_be_absent(operation, &components.schemas));
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
}

/// A body may be absent where an empty object would do.
fn let_body_be_absent(operation: &mut Operation, schemas: &BTreeMap<String, RefOr<Schema>>) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    let Some(RefOr::T(content)) = body.content.values().next() else { return };
    let Some(RefOr::Ref(to)) = &content.schema else { return };
    let name = to.ref_location.rsplit('/').next().unwrap_or_default();
    if let Some(RefOr::T(Schema::Object(request))) = schemas.get(name)
        && request.required.is_empty()
    {
        body.required = Some(Required::False);
    }
}

/// The problems that any operation may answer with.
fn add_common_problems(operation: &mut Operation) {
    let always = [
        ("400", "`invalid-request`: nothing was done; `field` and `detail` say what is wrong"),
        ("403", "`foreign-host`, `foreign-origin`: the request was not meant for this server"),
        ("429", "`too-many-requests`: nothing was done; come back after `Retry-After` seconds"),
        ("500", "`internal`: the ledger failed on this request"),
        (
            "503",
            "`contended`, `unavailable`: send the same request again after `Retry-After` seconds",
        ),
    ];
    let with_a_body = [
        ("408", "`request-timeout`: the body did not arrive in time"),
        ("413", "`payload-too-large`: the body is over the limit"),
        ("415", "`unsupported-media-type`: the body is not declared as JSON"),
    ];
    let bodied = operation.request_body.is_some().then_some(with_a_body);
    for (status, description) in always.into_iter().chain(bodied.into_iter().flatten()) {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", problem)
            .build();
        operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    }
}

/// A problem about a delegation tells of it in the same breath.
fn add_what_is_told(problem: &mut RefOr<Schema>) {
    let (RefOr::T(Schema::Object(problem)), RefOr::T(Schema::Object(told))) =
        (problem, Told::schema())
    else {
        return;
    };
    problem.properties.extend(told.properties);
}

/// In what we answer nothing is missing. What we are asked says itself what it needs.
fn require_all(name: &str, schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    if !(name.ends_with("Request") || name == "Problem") {
        object.required = object.properties.keys().cloned().collect();
    }
}
