//! Statements that one transaction runs again and again.

use rusqlite::{CachedStatement, Connection};

use crate::failure::Trouble;

/// Asks the connection's cache for each statement once. The cache goes by the whole text, which costs about as much as
/// a short statement itself.
pub(crate) struct Prepared<'db> {
    connection: &'db Connection,
    known: Vec<(&'static str, CachedStatement<'db>)>,
}

impl<'db> Prepared<'db> {
    pub(crate) fn on(connection: &'db Connection) -> Self {
        Self { connection, known: vec![] }
    }

    /// The statement with this text, which is known again by where it stands.
    pub(crate) fn get(&mut self, sql: &'static str) -> Result<&mut CachedStatement<'db>, Trouble> {
        let known = self.known.iter().position(|(text, _)| std::ptr::eq(*text, sql));
        if known.is_none() {
            self.known.push((sql, self.connection.prepare_cached(sql)?));
        }
        let place = known.unwrap_or(self.known.len() - 1);
        Ok(&mut self.known[place].1)
    }
}
