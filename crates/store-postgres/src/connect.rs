//! Connections to the database.

use deadpool_postgres::ClientWrapper;

/// A connection with its prepared statements.
pub(crate) type Connection = ClientWrapper;
