//! One request, one answer: connections, time limits, encryption. Nothing is repeated here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::address::Address;
use crate::error::Unreachable;
use crate::request::Request;

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Longest answer, in bytes: above the longest page.
const ANSWER_BYTES_MAX: usize = 256 << 20;
const PRODUCT: &str = concat!("consign/", env!("CARGO_PKG_VERSION"));

type Body = Full<Bytes>;

/// A pool of connections to one server.
#[derive(Clone)]
pub(crate) struct Transport {
    pool: legacy::Client<HttpsConnector<HttpConnector>, Body>,
    address: Arc<Address>,
}

/// What came back, whatever it is.
pub(crate) struct Raw {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    /// When to come back, where the server says.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) text: String,
}

impl Transport {
    pub(crate) fn to(address: Address) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_WITHIN));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(encryption(&address))
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let pool = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Self { pool, address: Arc::new(address) }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Sends it once.
    pub(crate) async fn send(&self, request: &Request) -> Result<Raw, Unreachable> {
        let answer = tokio::time::timeout(request.answer_within, self.exchange(request));
        answer.await.unwrap_or(Err(Unreachable::TooSlow(request.answer_within)))
    }

    async fn exchange(&self, request: &Request) -> Result<Raw, Unreachable> {
        let response = self.pool.request(self.dress(request)).await.map_err(|why| {
            if why.is_connect() {
                Unreachable::NoConnection(why.into())
            } else {
                Unreachable::Broken(why.into())
            }
        })?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let bytes = body.map_err(Unreachable::Broken)?.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Raw::of(&Response::from_parts(head, ()), text))
    }

    fn dress(&self, request: &Request) -> http::Request<Body> {
        let mut dressed = http::Request::new(Full::new(request.body.clone().unwrap_or_default()));
        *dressed.method_mut() = request.method.clone();
        *dressed.uri_mut() =
            self.address.join(&request.path).expect("an address and encoded segments are a URL");
        let headers = dressed.headers_mut();
        let words = [(ACCEPT, "application/json"), (USER_AGENT, PRODUCT)];
        headers.extend(words.map(|(name, value)| (name, value.parse().expect("plain text"))));
        if request.body.is_some() {
            headers.insert(CONTENT_TYPE, "application/json".parse().expect("plain text"));
        }
        dressed
    }
}

impl Raw {
    fn of(head: &Response<()>, text: String) -> Self {
        let header = |name| word(head.headers(), name);
        let seconds = header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
        Self {
            status: head.status(),
            content_type: header(CONTENT_TYPE).unwrap_or("no content type").to_owned(),
            retry_after: seconds.map(Duration::from_secs),
            text,
        }
    }
}

fn word(headers: &HeaderMap, name: http::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The authorities that this machine trusts; reading them takes a while, so only where they are needed.
fn encryption(address: &Address) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    if address.is_encrypted() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("address", &self.address).finish_non_exhaustive()
    }
}
