//! One keep-alive connection, and as much of HTTP/1.1 as its answers need.

use std::io::{Read, Write};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

const OK: &[u8] = b"HTTP/1.1 200 ";
/// What each thing of a batch says when it was done.
const DONE: &str = "\"ok\":true";

pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(1 << 16) })
    }

    /// Sends the request and reads the answer. All `things` must have been done.
    pub(crate) async fn exchange(&mut self, request: &[u8], things: usize) -> Outcome<()> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        let body = loop {
            if let Some(body) = self.whole_body()? {
                break body;
            }
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        };
        let done = things == 1 || body.matches(DONE).count() == things;
        if done && self.answer.starts_with(OK) {
            return Ok(());
        }
        Err(format!("not what was asked for: {:.2000}", String::from_utf8_lossy(&self.answer))
            .into())
    }

    /// The body, once all of it is there.
    fn whole_body(&self) -> Outcome<Option<&str>> {
        let Some(head) = self.answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            return Ok(None);
        };
        let names = std::str::from_utf8(&self.answer[..head])?;
        let length = names
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length: usize = length.ok_or("an answer without a length")?.1.parse()?;
        let body = &self.answer[head + 4..];
        Ok(if body.len() < length { None } else { Some(std::str::from_utf8(body)?) })
    }
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
    ask().is_ok_and(|answer| answer.starts_with(OK))
}

/// What a server tells of itself.
pub(crate) async fn scrape(address: SocketAddr) -> Outcome<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if answer.as_bytes().starts_with(OK) { Ok(answer) } else { Err(answer.into()) }
}
