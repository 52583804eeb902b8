//! The body of a request: bounded, in time, declared as JSON, valid UTF-8, and without parameters beside it.

use std::time::Duration;

use axum::body::{Body as Stream, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use serde::Deserialize;

use crate::guard::{Turn, Turns};
use crate::limits::{BODY_BYTES_DRAINED_MAX, BODY_BYTES_MAX, BODY_S_MAX};
use crate::params;
use crate::parse;
use crate::problem::Problem;
use crate::wire::excerpt;

/// A body that has arrived whole, and its turn to be worked on, where it needs one.
#[derive(Debug)]
pub(crate) struct Body {
    bytes: Bytes,
    _turn: Option<Turn>,
}

impl Body {
    /// The request in it. An empty body is an empty object.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        parse::object(self.text()?)
    }

    /// The request in it, whose items will be read one by one.
    pub(crate) fn read_envelope<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        parse::envelope(self.text()?)
    }

    fn text(&self) -> Result<&str, Problem> {
        let text = std::str::from_utf8(&self.bytes).map_err(|why| {
            let at = why.valid_up_to();
            Problem::invalid(format!("the body is not valid UTF-8, from byte {at} on"))
        })?;
        Ok(if text.trim_ascii().is_empty() { "{}" } else { text })
    }
}

impl<S: Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (mut head, stream) = request.into_parts();
        params::none(head.uri.query())?;
        refuse_long(&head.headers)?;
        let whole = tokio::time::timeout(Duration::from_secs(BODY_S_MAX), collect(stream));
        let bytes = whole.await.map_err(|_| {
            Problem::too_slow(format!(
                "the body did not arrive within {BODY_S_MAX} s; nothing was done, so send it again"
            ))
        })??;
        if !bytes.is_empty() {
            must_be_json(&head.headers)?;
            must_be_plain(&head.headers)?;
        }
        let turn = match head.extensions.remove::<Turns>() {
            Some(turns) => Some(turns.turn().await?),
            None => None,
        };
        Ok(Self { bytes, _turn: turn })
    }
}

/// Refuses at once who asks before sending; who sends unasked is heard to the end, else it cannot hear us.
fn refuse_long(headers: &HeaderMap) -> Result<(), Problem> {
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    let drained = headers.get(EXPECT).is_none();
    match announced {
        Some(bytes) if bytes > BODY_BYTES_DRAINED_MAX as u64 => Err(too_large()),
        Some(bytes) if bytes > BODY_BYTES_MAX as u64 && !drained => Err(too_large()),
        _ => Ok(()),
    }
}

fn too_large() -> Problem {
    Problem::too_large(format!(
        "a body has at most {BODY_BYTES_MAX} bytes; keep what is larger elsewhere and send where it is"
    ))
}

async fn collect(mut stream: Stream) -> Result<Bytes, Problem> {
    let mut whole = match next(&mut stream).await? {
        Some(first) if stream.is_end_stream() && first.len() <= BODY_BYTES_MAX => return Ok(first),
        Some(first) => first.to_vec(),
        None => return Ok(Bytes::new()),
    };
    while let Some(more) = next(&mut stream).await? {
        if whole.len() + more.len() > BODY_BYTES_MAX {
            return drain(stream, whole.len() + more.len()).await;
        }
        whole.extend_from_slice(&more);
    }
    if whole.len() > BODY_BYTES_MAX { Err(too_large()) } else { Ok(whole.into()) }
}

/// Reads on and throws away, so that a sender that is still sending gets to read why.
async fn drain(mut stream: Stream, mut read: usize) -> Result<Bytes, Problem> {
    while let Some(more) = next(&mut stream).await? {
        read += more.len();
        if read > BODY_BYTES_DRAINED_MAX {
            break;
        }
    }
    Err(too_large())
}

async fn next(stream: &mut Stream) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = stream.frame().await {
        let frame = frame.map_err(|_| Problem::invalid("the body broke off before its end"))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// What is compressed is told so, instead of that it is no UTF-8.
fn must_be_plain(headers: &HeaderMap) -> Result<(), Problem> {
    let plain = |it: &HeaderValue| it.as_bytes().eq_ignore_ascii_case(b"identity");
    match headers.get_all(CONTENT_ENCODING).iter().find(|it| !plain(it)) {
        None => Ok(()),
        Some(coding) => Err(Problem::not_json(format!(
            "the body must come as it is, without a Content-Encoding, and this one is {:?}",
            excerpt(coding.to_str().unwrap_or_default())
        ))),
    }
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get_all(CONTENT_TYPE).iter().count() > 1 {
        let why = "the body must be declared once, and it has several headers Content-Type";
        return Err(Problem::not_json(why));
    }
    let declared = headers.get(CONTENT_TYPE).map_or("", |it| it.to_str().unwrap_or_default());
    let essence = declared.split(';').next().unwrap_or_default().trim();
    let is_json = essence.eq_ignore_ascii_case("application/json")
        || essence.to_ascii_lowercase().ends_with("+json");
    if is_json {
        return Ok(());
    }
    let found =
        if essence.is_empty() { "nothing".to_owned() } else { format!("{:?}", excerpt(essence)) };
    Err(Problem::not_json(format!(
        "the body must be declared as JSON, and {found} was declared; \
         with curl, add: -H 'content-type: application/json'"
    )))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Pending, pending};

    use axum::response::IntoResponse as _;
    use http_body_util::Full;

    use super::*;

    /// A body whose end never comes.
    fn endless(beginning: &'static str) -> Stream {
        let end: Pending<Option<Result<HeaderMap, Infallible>>> = pending();
        Stream::new(Full::new(Bytes::from_static(beginning.as_bytes())).with_trailers(end))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_is_given_up() {
        let request = Request::builder().body(endless("{")).unwrap();
        let problem = Body::from_request(request, &()).await.unwrap_err();
        assert_eq!(problem.into_response().status(), 408);
    }

    #[tokio::test]
    async fn who_asks_before_sending_too_much_is_refused_before_it_is_sent() {
        let announced = (BODY_BYTES_MAX + 1).to_string();
        let request = Request::builder()
            .header(CONTENT_LENGTH, announced)
            .header(EXPECT, "100-continue")
            .body(endless(""))
            .unwrap();
        let problem = Body::from_request(request, &()).await.unwrap_err();
        assert_eq!(problem.into_response().status(), 413);
    }
}
