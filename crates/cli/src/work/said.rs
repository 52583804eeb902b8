//! What the work says on its descriptor: each line is its newest progress, or a heartbeat's own words in JSON.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;

use consign_client::{Wait, WaitChange, json_text};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Notify;

use super::capture::text;
use crate::print::payload;

/// Longest progress that a ledger takes, in bytes of JSON.
const PROGRESS_BYTES_MAX: usize = 4096;
/// Longest line that is read as one.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// What the next heartbeat carries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    pub(crate) progress: Option<Box<RawValue>>,
    pub(crate) waiting: Option<WaitChange>,
    /// Why something that was meant as a heartbeat's words is none.
    pub(crate) wrong: Option<String>,
}

/// What was said and not passed on yet.
#[derive(Default)]
pub(crate) struct Said {
    unsent: RefCell<Words>,
    news: Notify,
}

impl Said {
    /// Takes down whatever comes, until nobody can say anything any more.
    pub(crate) async fn listen(&self, to: OwnedFd) -> io::Result<()> {
        let mut lines = BufReader::new(Receiver::from_owned_fd(to)?);
        let mut line = vec![];
        while (&mut lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await? > 0 {
            if let Some(words) = Words::of(text(&line).trim()) {
                self.say(words);
            }
            line.clear();
        }
        Ok(())
    }

    /// Until something is said that was not passed on.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    /// What is to be passed on now.
    pub(crate) fn take(&self) -> Words {
        self.unsent.take()
    }

    /// It could not be passed on; what was said since is newer.
    pub(crate) fn put_back(&self, words: Words) {
        let mut unsent = self.unsent.borrow_mut();
        *unsent = unsent.clone().or(words);
    }

    fn say(&self, words: Words) {
        let mut unsent = self.unsent.borrow_mut();
        *unsent = words.or(std::mem::take(&mut *unsent));
        self.news.notify_one();
    }
}

impl Words {
    /// A line is text, unless it is an object with a heartbeat's fields and no others.
    fn of(line: &str) -> Option<Self> {
        if line.is_empty() {
            return None;
        }
        Some(match serde_json::from_str(line) {
            Ok(Object { progress, waiting }) => Self { progress, waiting, wrong: None },
            Err(why) if has_the_fields(line) => {
                Self { wrong: Some(why.to_string()), ..Self::default() }
            }
            Err(_) => Self { progress: Some(bounded(line)), ..Self::default() },
        })
    }

    /// For people; nothing where there is nothing.
    pub(crate) fn told(&self) -> Option<String> {
        let waiting = self.waiting.as_ref().map(|change| match change {
            WaitChange::For(wait) => {
                let (what, note) = (wait.r#for.as_deref(), wait.note.as_deref());
                format!(
                    "it waits for {}: {}",
                    what.unwrap_or("nothing"),
                    note.unwrap_or("it did not say why")
                )
            }
            WaitChange::End => "it waits no more".to_owned(),
        });
        let progress = self.progress.as_deref().map(payload);
        let told: Vec<String> = waiting.into_iter().chain(progress).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    fn or(self, older: Self) -> Self {
        Self {
            progress: self.progress.or(older.progress),
            waiting: self.waiting.or(older.waiting),
            wrong: self.wrong.or(older.wrong),
        }
    }
}

/// Whether it is an object with a heartbeat's fields and no others, whatever they have.
fn has_the_fields(line: &str) -> bool {
    serde_json::from_str::<BTreeMap<String, &RawValue>>(line)
        .is_ok_and(|object| object.keys().all(|key| ["progress", "waiting"].contains(&&**key)))
}

/// As much of a text as a progress may have.
fn bounded(line: &str) -> Box<RawValue> {
    let mut end = line.floor_char_boundary(PROGRESS_BYTES_MAX - 2);
    loop {
        let json = json_text(&line[..end]);
        let surplus = json.get().len().saturating_sub(PROGRESS_BYTES_MAX);
        if surplus == 0 {
            return json;
        }
        // What is escaped is longer than it was.
        end = line.floor_char_boundary(end - surplus.div_ceil(6).max(1));
    }
}

/// The fields of a heartbeat, as [docs/http.md] has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    progress: Option<Box<RawValue>>,
    /// Absent is not `null`, which ends a wait.
    #[serde(default, deserialize_with = "change")]
    waiting: Option<WaitChange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    r#for: String,
    note: Option<String>,
    child_id: Option<String>,
    for_s: Option<u32>,
}

fn change<'de, D: Deserializer<'de>>(from: D) -> Result<Option<WaitChange>, D::Error> {
    let waiting = Option::<Waiting>::deserialize(from)?;
    Ok(Some(waiting.map_or(WaitChange::End, |Waiting { r#for, note, child_id, for_s }| {
        WaitChange::For(Wait { r#for: Some(r#for), note, child_id, for_s })
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(line: &str) -> (Option<String>, Option<String>) {
        let words = Words::of(line).unwrap();
        let waiting = words.waiting.map(|it| serde_json::to_string(&it).unwrap());
        (words.progress.map(|it| it.get().to_owned()), waiting)
    }

    #[test]
    fn a_line_is_text_unless_it_has_the_fields_of_a_heartbeat() {
        let text = |line: &str| (Some(line.to_owned()), None);
        assert_eq!(sent("page 3"), text(r#""page 3""#));
        assert_eq!(sent("{}"), (None, None));
        assert_eq!(sent(r#"{"page": 3}"#), text(r#""{\"page\": 3}""#));
        assert_eq!(sent(r#"{"progress": {"page": 3}}"#), text(r#"{"page": 3}"#));
        assert_eq!(
            sent(r#"{"waiting": {"for": "human", "note": "may I?"}}"#),
            (None, Some(r#"{"for":"human","note":"may I?"}"#.to_owned()))
        );
        assert_eq!(sent(r#"{"waiting": null}"#), (None, Some("null".to_owned())));
        assert!(Words::of("").is_none());
    }

    #[test]
    fn what_has_the_fields_of_a_heartbeat_and_is_none_is_not_taken_for_a_text() {
        for (line, why) in [
            (r#"{"waiting": "human"}"#, "invalid type: string"),
            (r#"{"waiting": {"for": "human", "until": 5}}"#, "unknown field `until`"),
            (r#"{"waiting": {"for": "human", "for_s": -1}}"#, "invalid value: integer `-1`"),
            (r#"{"waiting": {"note": "may I?"}, "progress": 3}"#, "missing field `for`"),
        ] {
            let words = Words::of(line).unwrap();
            assert!(words.progress.is_none() && words.waiting.is_none(), "{line}");
            assert!(words.wrong.as_ref().unwrap().starts_with(why), "{line}: {:?}", words.wrong);
        }
    }

    #[test]
    fn the_newest_of_each_kind_is_passed_on() {
        let said = Said::default();
        for line in [r#"{"waiting": {"for": "auth"}}"#, "page 1", "page 2"] {
            said.say(Words::of(line).unwrap());
        }
        let taken = said.take();
        assert_eq!(taken.progress.as_ref().unwrap().get(), r#""page 2""#);
        assert!(matches!(taken.waiting, Some(WaitChange::For(_))));
        said.say(Words::of("page 3").unwrap());
        said.put_back(taken);
        let taken = said.take();
        assert_eq!(taken.progress.unwrap().get(), r#""page 3""#);
        assert!(taken.waiting.is_some(), "what could not be passed on is passed on later");
        let nothing = said.take();
        assert!(nothing.progress.is_none() && nothing.waiting.is_none());
    }

    #[test]
    fn a_long_line_is_cut_to_what_a_progress_may_have() {
        for line in ["ü".repeat(5000), "\u{1}".repeat(5000), "\"".repeat(5000)] {
            let json = bounded(&line);
            assert!(json.get().len() <= PROGRESS_BYTES_MAX, "{}", json.get().len());
            assert!(json.get().len() > PROGRESS_BYTES_MAX - 16, "{}", json.get().len());
        }
    }
}
