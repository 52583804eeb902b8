//! The rules against the tables that describe them, and against chance.

mod transitions;
