//! One keep-alive connection, and as much of HTTP/1.1 as its answers need.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

/// Done: a 200, or the 201 of what is new.
const DONE: [&[u8]; 2] = [b"HTTP/1.1 200 ", b"HTTP/1.1 201 "];
/// What each thing of a batch says when it was done.
const THING_DONE: &str = "\"ok\":true";

pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    /// Where it goes to.
    pub(super) host: SocketAddr,
}

impl Connection {
    pub(crate) async fn open(host: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: vec![], host })
    }

    /// Sends the request and reads the answer. All `things` must have been done.
    pub(crate) async fn exchange(&mut self, request: &[u8], things: usize) -> Outcome<()> {
        let all = |body: &str| things == 1 || body.matches(THING_DONE).count() == things;
        self.ask(request, all).await.map(drop)
    }

    /// Sends the request and reads the answer.
    pub(super) async fn ask(
        &mut self,
        request: &[u8],
        is_right: impl Fn(&str) -> bool,
    ) -> Outcome<&str> {
        self.send(request).await?;
        self.answer(is_right).await
    }

    pub(super) async fn send(&mut self, request: &[u8]) -> Outcome<()> {
        self.answer.clear();
        Ok(self.stream.write_all(request).await?)
    }

    /// The body of the answer to what was sent, which must be what was asked for.
    pub(super) async fn answer(&mut self, is_right: impl Fn(&str) -> bool) -> Outcome<&str> {
        let body = loop {
            if let Some(body) = whole_body(&self.answer)? {
                break body;
            }
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        };
        let body = std::str::from_utf8(&self.answer[body])?;
        if is_right(body) && is_done(&self.answer) {
            return Ok(body);
        }
        Err(format!("not what was asked for: {:.2000}", String::from_utf8_lossy(&self.answer))
            .into())
    }
}

fn is_done(answer: &[u8]) -> bool {
    DONE.iter().any(|done| answer.starts_with(done))
}

/// Where the body is, once all of it is there.
fn whole_body(answer: &[u8]) -> Outcome<Option<Range<usize>>> {
    let Some(head) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let names = std::str::from_utf8(&answer[..head])?;
    let length = names
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.ok_or("an answer without a length")?.1.parse()?;
    let body = head + 4..head + 4 + length;
    Ok((body.end <= answer.len()).then_some(body))
}

/// Whether a server says that it is ready.
pub(crate) fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = std::net::TcpStream::connect(address)?;
        write!(stream, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut answer = vec![];
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| is_done(&answer))
}

/// What a server tells of itself.
pub(crate) async fn scrape(address: SocketAddr) -> Outcome<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if is_done(answer.as_bytes()) { Ok(answer) } else { Err(answer.into()) }
}
