//! An HTTP client in the words of a test.

use std::thread;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

/// Longer than the longest wait that a server grants.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// Speaks to one server address, whoever serves there at the time.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::blocking::Client,
    url: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The body, if the answer is this.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

impl Client {
    pub(crate) fn of(url: &str) -> Self {
        Self::patient_for(url, ANSWER_WITHIN)
    }

    /// A client that gives up on an answer sooner.
    pub(crate) fn patient_for(url: &str, answer_within: Duration) -> Self {
        let http = reqwest::blocking::Client::builder().timeout(answer_within).build().unwrap();
        Self { http, url: url.to_owned() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Asks once. An error means that nobody answered.
    pub(crate) fn try_ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<Answer> {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let response =
            body.map_or(request.try_clone().unwrap(), |body| request.json(body)).send()?;
        let status = response.status().as_u16();
        let text = response.text()?;
        Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.try_ask(Method::GET, path, None).unwrap()
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_ask(Method::POST, path, Some(body)).unwrap()
    }

    /// Delegates to `callee` on behalf of `alice`.
    #[track_caller]
    pub(crate) fn delegate(&self, id: &str, more: &Value) -> Value {
        let mut request = json!({
            "delegation_id": id, "caller_id": "alice", "callee_id": "bob", "task": "write the report",
        });
        let more = more.as_object().unwrap().clone();
        request.as_object_mut().unwrap().extend(more);
        self.post("/v1/delegations", &request).expect(201)["delegation"].clone()
    }

    #[track_caller]
    pub(crate) fn heartbeat(&self, id: &str) -> Value {
        self.post(&format!("/v1/delegations/{id}/heartbeat"), &json!({})).expect(200)
    }

    /// The delegation once it is stuck or has its verdict.
    #[track_caller]
    pub(crate) fn until_stuck(&self, id: &str) -> Value {
        self.until(id, "stuck")
    }

    /// The delegation once it has its verdict.
    #[track_caller]
    pub(crate) fn until_terminal(&self, id: &str) -> Value {
        self.until(id, "terminal")
    }

    #[track_caller]
    fn until(&self, id: &str, until: &str) -> Value {
        let path = format!("/v1/delegations/{id}?wait_s=60&until={until}");
        self.get(&path).expect(200)["delegation"].clone()
    }

    #[track_caller]
    pub(crate) fn delegation(&self, id: &str) -> Value {
        self.get(&format!("/v1/delegations/{id}")).expect(200)["delegation"].clone()
    }

    /// Returns once so many requests wait at the server.
    pub(crate) fn until_waiting(&self, count: usize) {
        let waits = format!("\nconsign_waiting_requests {count}.0\n");
        while !self.get("/metrics").expect(200).as_str().unwrap().contains(&waits) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What happened to the delegation, in order.
    #[track_caller]
    pub(crate) fn events(&self, id: &str) -> Vec<Value> {
        let body = self.get(&format!("/v1/delegations/{id}/events?limit=1000")).expect(200);
        assert_eq!(body["next_cursor"], Value::Null, "more events than one page");
        body["events"].as_array().unwrap().clone()
    }

    /// The kinds of these.
    #[track_caller]
    pub(crate) fn event_kinds(&self, id: &str) -> Vec<String> {
        let kind = |event: &Value| event["kind"].as_str().unwrap().to_owned();
        self.events(id).iter().map(kind).collect()
    }

    /// All messages of an agent, page by page.
    #[track_caller]
    pub(crate) fn inbox(&self, agent: &str) -> Vec<Value> {
        let (mut messages, mut after) = (vec![], 0);
        loop {
            let path = format!("/v1/agents/{agent}/inbox?after={after}&limit=1000");
            let page = self.get(&path).expect(200)["messages"].as_array().unwrap().clone();
            let Some(last) = page.last() else { return messages };
            after = last["seq"].as_i64().unwrap();
            messages.extend(page);
        }
    }
}
