//! What the work prints: its standard output is kept from the beginning, its standard error to the end.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

/// How much is read at once, in bytes.
const READ_BYTES: usize = 64 << 10;

/// The beginning of an output, and how long it is as a whole.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    pub(crate) bytes_in_all: u64,
}

/// The end of an output.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
}

/// What somebody still reads while somebody else may already take it; one thread runs everything here.
pub(crate) type Shared<T> = Rc<RefCell<T>>;

impl Head {
    /// Keeps at most `bytes_max` bytes, and reads on: whoever prints more must not be held up.
    pub(crate) async fn of(
        mut from: impl AsyncRead + Unpin,
        bytes_max: usize,
        kept: Shared<Self>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let bytes = from.read(&mut buffer).await?;
            let read = &buffer[..bytes];
            if read.is_empty() {
                return Ok(());
            }
            let mut kept = kept.borrow_mut();
            kept.bytes_in_all += read.len() as u64;
            let room = bytes_max - kept.bytes.len();
            kept.bytes.extend_from_slice(&read[..read.len().min(room)]);
        }
    }
}

impl Tail {
    /// Keeps at most the last `bytes_max` bytes, and passes everything on to our own standard error: as it comes, or
    /// line by line where it must be told whose line it is.
    pub(crate) async fn of(
        mut from: impl AsyncRead + Unpin,
        bytes_max: usize,
        prefix: Option<String>,
        kept: Shared<Self>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        let mut passing = Passing { prefix, begun: vec![] };
        loop {
            let bytes = from.read(&mut buffer).await?;
            let read = &buffer[..bytes];
            kept.borrow_mut().push(read, bytes_max);
            passing.on(read).await;
            if read.is_empty() {
                return Ok(());
            }
        }
    }

    fn push(&mut self, read: &[u8], bytes_max: usize) {
        self.bytes.extend_from_slice(read);
        let surplus = self.bytes.len().saturating_sub(bytes_max);
        self.bytes.drain(..surplus);
    }

    /// As text, without the half of a character that it may begin with.
    pub(crate) fn text(&self) -> String {
        let begins = self.bytes.iter().position(|byte| !is_continuation(*byte)).unwrap_or(0);
        text(&self.bytes[begins.min(3)..])
    }
}

/// Any bytes as text that a ledger takes: what is no UTF-8, and NUL, is replaced and can be seen to be.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// Standard error on its way from the work to whoever reads ours.
struct Passing {
    prefix: Option<String>,
    /// A line that has not ended yet, where lines are told apart.
    begun: Vec<u8>,
}

impl Passing {
    /// Passes on what was read; nothing means the end. Where nobody reads, it is lost, and the work goes on.
    async fn on(&mut self, read: &[u8]) {
        let Some(prefix) = &self.prefix else { return say(read).await };
        self.begun.extend_from_slice(read);
        let over = read.is_empty() || self.begun.len() > READ_BYTES;
        let whole = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let rest = self.begun.split_off(if over { self.begun.len() } else { whole });
        let whole = std::mem::replace(&mut self.begun, rest);
        let mut said = vec![];
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            said.extend_from_slice(format!("[{prefix}] ").as_bytes());
            said.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
            said.push(b'\n');
        }
        say(&said).await;
    }
}

/// Through a thread of its own: a terminal that stands still must not hold up the heartbeats.
async fn say(bytes: &[u8]) {
    let mut stderr = tokio::io::stderr();
    if stderr.write_all(bytes).await.is_ok() {
        drop(stderr.flush().await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_beginning_is_kept_and_the_rest_is_counted() {
        let kept = Shared::default();
        Head::of(&b"0123456789"[..], 4, Rc::clone(&kept)).await.unwrap();
        let kept = kept.borrow();
        assert_eq!((&kept.bytes[..], kept.bytes_in_all), (&b"0123"[..], 10));
    }

    #[test]
    fn the_end_is_kept_from_a_whole_character_on() {
        let mut tail = Tail::default();
        tail.push("a lot, and then: ".as_bytes(), 5);
        tail.push("größer".as_bytes(), 5);
        assert_eq!((tail.text().as_str(), tail.bytes.len()), ("ßer", 5));
    }

    #[test]
    fn what_is_no_text_is_seen_to_be_none() {
        assert_eq!(text(b"a\0b\xffc"), "a\u{fffd}b\u{fffd}c");
    }
}
