//! Everything that is written, each in one transaction.
